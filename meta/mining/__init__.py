"""From sessions to workflows: what was done again and again.

Nothing is imported here: a hook asks `commands` alone, and must answer at once.
"""
