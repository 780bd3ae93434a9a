"""What a deployment accepts."""

from dataclasses import dataclass, field, replace

from files_api.service.errors import EmptyFile, FileTooLarge, InvalidValue
from files_api.service.lifetimes import Lifetimes
from files_api.service.model import NewFile


@dataclass(frozen=True, slots=True)
class Limits:
    """What a deployment accepts.

    Attributes:
        purposes: the purposes that a file can have.
        max_file_bytes: size of the largest file, in bytes.
        lifetimes: how long files live.
    """

    purposes: tuple[str, ...]
    max_file_bytes: int
    lifetimes: Lifetimes = field(default_factory=Lifetimes)

    def accepted(self, new: NewFile, *, size_param: str = "bytes") -> NewFile:
        """Rejects a file that this deployment does not accept.

        Args:
            new: the file.
            size_param: the caller's field that determines the size.

        Returns:
            The file, with its lifetime: as the caller wishes, or by default.

        Raises:
            InvalidValue: for the purpose or the lifetime.
            EmptyFile, FileTooLarge: for the size.
        """
        check_purpose(new.purpose, self.purposes)
        lifetime = self.lifetimes.of(new.lifetime, new.purpose)
        if new.size == 0:
            raise EmptyFile
        if new.size > self.max_file_bytes:
            raise FileTooLarge.for_deployment(self.max_file_bytes, size_param)
        return replace(new, lifetime=lifetime)


def check_purpose(purpose: str, purposes: tuple[str, ...]) -> None:
    """Rejects a purpose that is not one of `purposes`. Raises InvalidValue."""
    if purpose not in purposes:
        raise InvalidValue("purpose", f"must be one of {', '.join(purposes)}.")
