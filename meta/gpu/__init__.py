"""Remote GPU jobs under a guard that lets no instance outlive its job, its deadline or its budget.

What runs on the box, and whether it is worth the money, is the caller's choice. The ledger is the one state: every
process (the run, the reaper, the next run after a crash) rebuilds what it knows from its rows and the provider's list.
"""
