"""The error that ends a command with a message."""

from pathlib import Path


class StackError(Exception):
    """The local stack cannot start, or has failed.

    Args:
        sentence: what is wrong and what to do about it, for the person at the terminal.
        log: the file that has the details, if any.
    """

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(f"{sentence.rstrip('.')}. The log is {log}" if log else sentence)
