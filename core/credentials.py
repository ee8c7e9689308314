"""Where adapters keep secrets, since they store nothing themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.ids import PlatformName


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to renew a secret, for a while. ``epoch`` proves it: whoever came later has a higher one."""

    secret: str
    epoch: int


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

    async def lease(self, platform: PlatformName, subject: str, purpose: str, lifetime: timedelta) -> Lease | None:
        """Take the right to renew a secret, whatever its time; None while somebody else has it, and when there is no such secret.

        The call that renews is made after this returns and outside any lock; a holder that dies is relieved after ``lifetime``.
        """
        ...

    async def renew(
        self, platform: PlatformName, subject: str, purpose: str, lease: Lease, secret: str, expires_at: datetime | None
    ) -> bool:
        """Store the renewed secret and give the lease back; False, and nothing stored, when somebody has taken a newer lease meanwhile."""
        ...
