"""What a deployment accepts."""

from dataclasses import dataclass

from files_api.service.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.service.model import NewFile


@dataclass(frozen=True, slots=True)
class Limits:
    """What a deployment accepts.

    Attributes:
        purposes: the purposes that a file can have.
        max_file_bytes: size of the largest file, in bytes.
    """

    purposes: tuple[str, ...]
    max_file_bytes: int

    def check(self, new: NewFile, *, size_param: str = "bytes") -> None:
        """Rejects a file that this deployment does not accept.

        Args:
            new: the file.
            size_param: the caller's field that determines the size.

        Raises:
            InvalidValue: for the purpose.
            EmptyFile, FileTooLarge: for the size.
        """
        check_purpose(new.purpose, self.purposes)
        if new.size == 0:
            raise EmptyFile
        if new.size > self.max_file_bytes:
            raise FileTooLarge.for_deployment(self.max_file_bytes, size_param)


def check_purpose(purpose: str, purposes: tuple[str, ...]) -> None:
    """Rejects a purpose that is not one of `purposes`. Raises InvalidValue."""
    if purpose not in purposes:
        raise InvalidValue("purpose", f"must be one of {', '.join(purposes)}.")
