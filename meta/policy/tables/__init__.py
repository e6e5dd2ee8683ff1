"""What programs do, one row a command, by kind of program; each row carries lines on which it counts and does not."""
