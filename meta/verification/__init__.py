"""From a tool to a verdict: what was checked, and what was seen."""
