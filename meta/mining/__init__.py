"""From sessions to workflows: what was done again and again."""
