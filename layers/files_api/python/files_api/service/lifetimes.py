"""How long files live."""

from dataclasses import dataclass

from files_api.service.errors import InvalidValue

DAY = 86_400
MIN_LIFETIME = 3_600  # OpenAI: "Must be between 3600 (1 hour) and 2592000 (30 days)"
MAX_LIFETIME = 30 * DAY
# OpenAI: "By default, files with purpose=batch expire after 30 days and all other files are
# persisted until they are manually deleted" (API reference, "Upload file").
_DEFAULTS = {"batch": 30 * DAY}


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long files of a deployment live, in seconds.

    Attributes:
        default: of files whose caller wishes nothing; 0 for OpenAI's defaults. The bounds hold for
            defaults too: a shorter or longer one becomes the nearest bound.
        least: the shortest that a caller can wish.
        most: the longest. Below `MAX_LIFETIME`, it is the operator's: then every file expires.
    """

    default: int = 0
    least: int = MIN_LIFETIME
    most: int = MAX_LIFETIME

    def of(self, wish: int | None, purpose: str) -> int | None:
        """The lifetime of a new file; None for no end.

        Args:
            wish: what the caller asks for, if anything.
            purpose: of the file.

        Raises:
            InvalidValue: the wish is out of bounds.
        """
        if wish is not None:
            if not self.least <= wish <= self.most:
                raise InvalidValue(
                    "expires_after", f"seconds must be from {self.least} to {self.most}."
                )
            return wish
        default = self.default or _DEFAULTS.get(purpose)
        if default is None:
            return self.most if self.most < MAX_LIFETIME else None
        return max(self.least, min(default, self.most))
