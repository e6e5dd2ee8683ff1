"""What is learned from sessions, and what becomes of it."""
