"""Measurements of quality and speed on material whose answer is known."""
