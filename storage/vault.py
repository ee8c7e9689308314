"""Secrets at rest: encrypted with a key derived for one table and column, so that a value moved elsewhere does not decrypt."""

import base64
from collections.abc import Sequence
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class UndecryptableError(Exception):
    """None of the keys opens a stored secret: SECRET_KEY lost a key that is still in use, or the value is not from this column."""


class Vault:
    """Encrypts with the first key and decrypts with any, so that keys can be rolled. ``keys`` are texts of at least 32 characters."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        self._keys = tuple(keys)
        self._fernet = cache(self._derive)

    def encrypt(self, place: str, secret: str) -> str:
        """Encrypt ``secret`` for ``place`` (``table.column``)."""
        return self._fernet(place).encrypt(secret.encode()).decode()

    def decrypt(self, place: str, token: str) -> str:
        """Decrypt what :meth:`encrypt` made for the same place; raises UndecryptableError."""
        try:
            return self._fernet(place).decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise UndecryptableError(f"a secret in {place} opens with none of the keys in SECRET_KEY") from error

    def _derive(self, place: str) -> MultiFernet:
        return MultiFernet([Fernet(_key(key, place)) for key in self._keys])


def _key(secret: str, place: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"doorman {place}".encode()).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
