"""How a file is cut into the parts of a direct upload."""

from dataclasses import dataclass

from files_api.service.errors import InvalidValue
from files_api.service.model import MAX_DIRECT_BYTES, PendingFile
from files_api.service.objects import PresignedParts

# AWS: bounds of a part but the last, and how many there may be (Amazon S3, "Multipart upload
# limits").
MIN_PART_BYTES, MAX_PART_BYTES = 5 * 1024**2, MAX_DIRECT_BYTES
MAX_PARTS = 10_000
_DEFAULT_PART_BYTES = 64 * 1024**2
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How a file is cut into parts, whose numbers begin with 1.

    Attributes:
        size: of the file, in bytes.
        part_size: of each part but the last, in bytes.
    """

    size: int
    part_size: int

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.size // self.part_size)

    def size_of(self, number: int) -> int:
        """The bytes of a part."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)

    def sizes(self) -> dict[int, int]:
        """The bytes of each part."""
        return {number: self.size_of(number) for number in range(1, self.count + 1)}

    def public(self, expires_at: int) -> PresignedParts:
        """How to PUT the bytes until then (Unix seconds), as callers see it."""
        return {
            "method": "PUT",
            "part_size": self.part_size,
            "parts": self.count,
            "expires_at": expires_at,
        }


def plan(size: int, part_size: int | None) -> PartPlan:
    """The plan that a caller asks for, or one that fits. Raises InvalidValue."""
    if part_size is None:
        least = -(-size // MAX_PARTS)
        part_size = max(_DEFAULT_PART_BYTES, -(-least // _MIB) * _MIB)
    found = PartPlan(size, part_size)
    if found.count > MAX_PARTS:
        raise InvalidValue(
            "part_size", f"a file of {size} bytes would have more than {MAX_PARTS} parts."
        )
    return found


def plan_of(pending: PendingFile) -> PartPlan | None:
    """The plan of a direct upload in parts."""
    return PartPlan(pending.file.bytes, pending.part_size) if pending.part_size else None
