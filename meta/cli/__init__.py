"""The front desk: one file a command."""
