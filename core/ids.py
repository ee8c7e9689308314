"""Names for identifiers, so that mypy keeps a plan's id out of a member's place, and where new ids come from."""

import secrets
from typing import NewType, Protocol

CommunityId = NewType("CommunityId", str)
SpaceId = NewType("SpaceId", str)
ResourceId = NewType("ResourceId", str)
PlanId = NewType("PlanId", str)
PriceId = NewType("PriceId", str)
MemberId = NewType("MemberId", str)
AccountId = NewType("AccountId", str)
ChangeId = NewType("ChangeId", str)
"""A change of account."""
CustomerId = NewType("CustomerId", str)
OrderId = NewType("OrderId", str)
SubscriptionId = NewType("SubscriptionId", str)
EntitlementId = NewType("EntitlementId", str)
GrantId = NewType("GrantId", str)
InviteId = NewType("InviteId", str)
OwnerTaskId = NewType("OwnerTaskId", str)
TipId = NewType("TipId", str)
RoundId = NewType("RoundId", str)
"""A whole look at a community."""
GiftId = NewType("GiftId", str)
CouponId = NewType("CouponId", str)
ApplicationId = NewType("ApplicationId", str)
"""Somebody who asks to be let in before they may pay."""
WaitlistId = NewType("WaitlistId", str)
"""A place in the line for a seat."""
StripeAccountId = NewType("StripeAccountId", str)
EndpointId = NewType("EndpointId", str)
CauseId = NewType("CauseId", str)
"""What set a change off: the id of an inbox row, a command, or a sweep; carried to everything that follows."""

PlatformName = NewType("PlatformName", str)
"""An adapter's name. Never an Enum: a new platform edits nothing here."""
PlatformUserId = NewType("PlatformUserId", str)
"""A person's id on a platform, as the platform writes it."""


class Ids(Protocol):
    """Where new ids and secrets come from, so that a simulation can replay them."""

    def new(self) -> str:
        """Return a new public id: 128 random bits, url-safe, 22 characters."""
        ...

    def secret(self) -> str:
        """Return a new secret: 256 random bits, url-safe, 43 characters."""
        ...


class RandomIds:
    """Ids from the operating system's randomness."""

    def new(self) -> str:
        return secrets.token_urlsafe(16)

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
