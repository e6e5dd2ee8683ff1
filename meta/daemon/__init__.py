"""The background door: watch, answer, tell. Nothing is mined here, and no file imports another one's needs."""
