"""Members of one shape: found in history and code, learned from, judged, and made anew."""
