"""Who somebody is on a platform, proven there."""

from dataclasses import dataclass

from core.ids import PlatformName, PlatformUserId

GUEST = PlatformName("guest")
"""No platform at all: somebody who pays before they can prove an account anywhere. The browser that paid is the proof."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's account. ``name`` is for showing only."""

    platform: PlatformName
    realm: str
    user: PlatformUserId
    name: str

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"{self.platform}:{self.user}"
