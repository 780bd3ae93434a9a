"""Under which terms a caller creates something."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from files_api.service.quota import NO_OWN, Quota

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# So long, a creation can be repeated with its `Idempotency-Key`.
REPEATABLE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key, and the request that it stands for: only hashes, since both are private.

    Attributes:
        hash: SHA-256 of the key, in hex.
        request: SHA-256 of what is requested, in hex.
    """

    hash: str
    request: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a call says beside the object that it wants.

    Attributes:
        quota: the project's own.
        idempotency_key: as the caller chose it, if any.
    """

    quota: Quota = NO_OWN
    idempotency_key: str | None = None

    def key(
        self, kind: str, new: "DataclassInstance", **more: str | int | None
    ) -> IdempotencyKey | None:
        """The key of a request, if the caller chose one.

        Args:
            kind: of the request.
            new: what it wants.
            more: what else makes it differ from others.
        """
        if self.idempotency_key is None:
            return None
        said = asdict(new) | more | {"kind": kind}
        # What is not said does not count, so that a later version may know more that can be said.
        said = {name: value for name, value in said.items() if value is not None}
        return IdempotencyKey(
            _sha256(self.idempotency_key), _sha256(json.dumps(said, sort_keys=True))
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
