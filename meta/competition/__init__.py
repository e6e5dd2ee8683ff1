"""Run a competition from its files to a submission: rounds of experiments under a budget, each one a row and a commit.

What a solver does inside of a round stands in the tools of the competition's folder, not here.
"""
