"""How much a project may store."""

from dataclasses import dataclass

from files_api.service.objects import ProjectLimits

NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many files and bytes.

    Attributes:
        files: of a project; `NO_LIMIT` for any number, None for the deployment's default.
        bytes: of all of them; the same.
    """

    files: int | None = None
    bytes: int | None = None

    def or_default(self, default: "Quota") -> "Quota":
        """The same, with the default where nothing is set."""
        return Quota(
            default.files if self.files is None else self.files,
            default.bytes if self.bytes is None else self.bytes,
        )

    def public(self) -> ProjectLimits:
        """The limits that callers see: None for no limit."""
        return {
            "files": None if self.files == NO_LIMIT else self.files,
            "bytes": None if self.bytes == NO_LIMIT else self.bytes,
        }


UNLIMITED = Quota(NO_LIMIT, NO_LIMIT)
NO_OWN = Quota()
