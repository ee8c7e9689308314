"""Where adapters keep secrets, since they store nothing themselves."""

from datetime import datetime
from typing import Protocol

from core.ids import PlatformName


class Credentials(Protocol):
    """Secrets of platforms, encrypted at rest, each under a subject (an account, an installation) and a purpose."""

    async def put(self, platform: PlatformName, subject: str, purpose: str, secret: str, expires_at: datetime | None) -> None:
        """Store a secret in place of any other under the same name."""
        ...

    async def get(self, platform: PlatformName, subject: str, purpose: str) -> str | None:
        """Return the secret, or None when there is none or its time is over."""
        ...

    async def forget(self, platform: PlatformName, subject: str, purpose: str) -> None:
        """Delete the secret; one that is not there is fine."""
        ...
