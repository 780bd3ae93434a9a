"""Secrets of keys: a prefix, 43 random characters and the six of a checksum.

The checksum tells a secret from a typo, and from other text that looks like it, without a look at
any table: secret scanners do that. A secret of somebody's own choice has neither.
"""

import secrets
import string
from zlib import crc32

DEFAULT_PREFIX = "sk-"  # OpenAI's
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 43  # 62 ** 43 is more than 2 ** 256
_CHECKSUM = 6  # 62 ** 6 is more than 2 ** 32


def new_secret(prefix: str) -> str:
    """A secret that nobody can guess."""
    text = prefix + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return text + _checksum(text)


def is_intact(secret: str) -> bool:
    """Whether a secret ends with its own checksum."""
    return secret[-_CHECKSUM:] == _checksum(secret[:-_CHECKSUM])


def _checksum(text: str) -> str:
    """The CRC-32 of a text, in base 62 and six digits."""
    value, digits = crc32(text.encode(errors="surrogatepass")), ""
    for _ in range(_CHECKSUM):
        value, digit = divmod(value, 62)
        digits = _DIGITS[digit] + digits
    return digits
