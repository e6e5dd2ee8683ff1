"""Watch how an agent works, find what repeats, and turn it into proved tools."""

__version__ = "0.1.0"
