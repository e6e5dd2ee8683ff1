"""Sessions of every agent, read from where the agents leave them."""
