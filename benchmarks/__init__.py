"""Measurements of quality and speed, each a command; none is a timed test."""
