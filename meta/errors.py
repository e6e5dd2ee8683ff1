"""The one kind of error that is shown as a line; every other exception is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake of the user or of the machine. Its text is one line and says what to do next."""
