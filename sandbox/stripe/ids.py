"""Ids that look like the vendor's and come from a seed, so that a run can be repeated exactly."""

import random
import string

ALPHABET = string.ascii_letters + string.digits


class Ids:
    """Makes ids such as ``sub_1Qx...``."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def new(self, prefix: str, length: int = 24) -> str:
        """Return ``prefix`` + ``_`` + ``length`` random letters and digits."""
        return f"{prefix}_{self.token(length)}"

    def token(self, length: int) -> str:
        """Return ``length`` random letters and digits."""
        return "".join(self._source.choices(ALPHABET, k=length))

    def digits(self, length: int) -> str:
        """Return ``length`` random digits."""
        return "".join(self._source.choices(string.digits, k=length))
