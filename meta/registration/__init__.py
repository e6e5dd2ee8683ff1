"""From an accepted tool to every agent, by way of a review branch."""
