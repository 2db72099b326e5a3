"""The one exception that the stack raises."""


class StackError(Exception):
    """One sentence: what is wrong, where it is written down, what mends it."""
