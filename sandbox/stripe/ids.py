"""Ids that look like the vendor's and come from a seed, so that a run can be repeated exactly."""

import random
import string

from sandbox.mark import marked

ALPHABET = string.ascii_letters + string.digits
_LETTERS = bytes(ord(ALPHABET[value % len(ALPHABET)]) for value in range(256))


class Ids:
    """Makes ids such as ``sub_1Qx...``."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def new(self, prefix: str, length: int = 24) -> str:
        """Return ``prefix`` + ``_`` + ``length`` random letters and digits."""
        return f"{prefix}_{self.token(length)}"

    def token(self, length: int) -> str:
        """Return ``length`` random letters and digits; a table over random bytes is ten times as fast as drawing each."""
        return self._source.randbytes(length).translate(_LETTERS).decode()

    def secret(self, length: int) -> str:
        """Return a token that opens something."""
        return marked(self.token(length))
