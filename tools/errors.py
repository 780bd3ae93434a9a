"""What a command says when it cannot go on."""

from pathlib import Path


class StackError(Exception):
    """The local stack cannot start or go on.

    Args:
        sentence: what is wrong and what to do about it, for the person at the terminal.
        log: the file that has the details, if there are any.
    """

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(f"{sentence.rstrip('.')}. The log is {log}" if log else sentence)
