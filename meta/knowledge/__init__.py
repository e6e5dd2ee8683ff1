"""Sessions to lessons: what failed and what made it pass, kept as documents that people and agents read."""
