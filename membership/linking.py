"""One person, several accounts: a code made for the one is used up by the other, so that both are proven."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, MemberId, OrderId, PlatformName
from core.people import Identity
from membership import seat
from storage import accounts, attaching, linking, states
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.orders import OrderRow
from storage.states import StateRow

CODE_LIFE = timedelta(minutes=30)
CLAIM_LIFE = timedelta(hours=24)
"""Whoever has yet to come in needs longer: an invitation and an address to confirm lie before it."""
PERMIT_LIFE = timedelta(days=7)
CODE = "link_code"
_PERMIT = "change_permit"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class LinkCode:
    """What proves the one side on the other, until when."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    """A code as whoever opens its page sees it: whose membership it is of, and the platforms an account can be added on."""

    community_name: str
    platform: PlatformName
    name: str
    ways: tuple[tuple[PlatformName, str], ...]
    """Platform and the name of its first space."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An account that is linked now. ``waits_for`` names the one that is taken out first; empty when nothing is waited for."""

    community_name: str
    waits_for: str = ""


class Linking:
    """Makes codes, carries them out, and allows changes."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def offer(self, community: CommunityId, who: Identity, *, cause: CauseId, life: timedelta = CODE_LIFE) -> LinkCode:
        """Make a code of 256 bits for the member ``who`` is, and end the ones made before. Only its hash is kept.

        Refusal ``not_member``.
        """
        return await self._code(community, who, cause, life, alone=True)

    async def suggest(self, community: CommunityId, guest: Identity, *, cause: CauseId) -> LinkCode:
        """Make a code for whoever may be that guest. Those they made themselves stay good: nobody has said yet that it is them."""
        return await self._code(community, guest, cause, CLAIM_LIFE, alone=False)

    async def _code(self, community: CommunityId, who: Identity, cause: CauseId, life: timedelta, *, alone: bool) -> LinkCode:
        secret, trail = self._ids.secret(), Trail(self._ids, self._clock.now(), cause, who.actor)
        async with self._db.transaction() as session:
            account = await self._known(session, community, who)
            row = StateRow(
                state_hash=_hashed(secret), browser_hash="", platform=account.platform, purpose=CODE, subject=account.id,
                expires_at=trail.at + life,
            )  # fmt: skip
            if alone:
                await attaching.drop_codes(session, CODE, account.id)
            await states.put(session, row)
            record(session, trail, community, "account.link_offered", ("account", account.id), member=account.member_id)
        return LinkCode(secret, row.expires_at)

    async def look(self, code: str) -> Offered:
        """Return what a code is of, without using it up. Refusal ``link_code_unknown``."""
        async with self._db.reading() as session:
            account = self._good(await states.find(session, _hashed(code)))
            row = await session.get_one(AccountRow, account)
            community = await session.get_one(CommunityRow, row.community_id)
            ways: dict[PlatformName, str] = {}
            for space in await linking.spaces_of(session, community.id):
                ways.setdefault(space.platform, space.name)
            return Offered(community.name, row.platform, row.name, tuple(ways.items()))

    async def redeem(self, code: str, new: Identity, *, cause: CauseId, community: CommunityId | None = None) -> Linked:
        """Add ``new``, proven by the caller, to the member the code was made for. A refusal leaves the code good; success uses it up.

        Refusals ``link_code_unknown``, ``account_elsewhere``, and those of :func:`membership.seat.take`.
        """
        return await self.redeem_hashed(_hashed(code), new, cause=cause, community=community)

    async def redeem_hashed(self, code: str, new: Identity, *, cause: CauseId, community: CommunityId | None = None) -> Linked:
        """Do the same for a code known by its hash."""
        async with self._db.transaction() as session:
            account = await session.get_one(AccountRow, self._good(await states.take(session, code)))
            if community not in {None, account.community_id}:
                raise _unknown()
            return await self._add(session, account, new, cause)

    async def link(self, community: CommunityId, who: Identity, new: Identity, *, cause: CauseId) -> Linked:
        """Add ``new`` to the member ``who`` is; the caller has proof of both. Refusals ``not_member`` and those of :meth:`redeem`."""
        async with self._db.transaction() as session:
            return await self._add(session, await self._known(session, community, who), new, cause)

    async def claim(self, order: OrderId, who: Identity, *, cause: CauseId) -> LinkCode:
        """Make a code for whoever placed an order, to be used by the account they have yet to make. ``who`` is proven by the caller.

        Refusal ``order_unknown`` for anybody else's order.
        """
        return await self.offer(await self._community_of(order, who), who, cause=cause, life=CLAIM_LIFE)

    async def link_order(self, order: OrderId, who: Identity, new: Identity, *, cause: CauseId) -> Linked:
        """Add ``new`` to the member who placed an order; both are proven. Refusals ``order_unknown``, those of :meth:`redeem`."""
        return await self.link(await self._community_of(order, who), who, new, cause=cause)

    async def _community_of(self, order: OrderId, who: Identity) -> CommunityId:
        async with self._db.reading() as session:
            row = await session.get(OrderRow, order)
            account = await session.get_one(AccountRow, row.account_id) if row is not None else None
        if account is None or (account.platform, account.realm, account.external_id) != (who.platform, who.realm, who.user):
            raise Refusal("order_unknown", "That order was placed in another browser, or by somebody else. Open its page where you paid.")
        return account.community_id

    async def allow_change(self, community: CommunityId, who: Identity, *, actor: str, cause: CauseId) -> None:
        """Let a member change their account once more, whatever the limits say, within a week. Refusal ``not_member``."""
        trail = Trail(self._ids, self._clock.now(), cause, actor)
        async with self._db.transaction() as session:
            account = await accounts.find(session, community, who)
            if account is None:
                raise Refusal(
                    "not_member", f"@{who.name} has no membership here, so there is nothing to change. Pick the one they pay with."
                )
            permit = seat.permit_hash(account)
            await states.take(session, permit)
            await states.put(session, StateRow(
                state_hash=permit, browser_hash="", platform=account.platform, purpose=_PERMIT, subject=account.member_id,
                expires_at=trail.at + PERMIT_LIFE))  # fmt: skip
            record(session, trail, community, "account.change_allowed", ("account", account.id), member=account.member_id)

    async def _add(self, session: Session, account: AccountRow, new: Identity, cause: CauseId) -> Linked:
        community = await session.get_one(CommunityRow, account.community_id)
        if not await linking.is_here(session, community.id, new.platform, new.realm):
            raise Refusal(
                "account_elsewhere",
                f"@{new.name} is an account of a place that does not belong to {community.name}. "
                f"Continue with the one you use in {community.name}.",
            )
        trail = Trail(self._ids, self._clock.now(), cause, new.actor)
        seated = await seat.take(session, community, MemberId(account.member_id), new, trail)
        return Linked(community.name, seated.waits_for)

    async def _known(self, session: Session, community: CommunityId, who: Identity) -> AccountRow:
        account = await accounts.find(session, community, who)
        if account is None:
            raise Refusal("not_member", "You are not a member here yet. /join gets you your own link.")
        return account

    def _good(self, row: StateRow | None) -> str:
        if row is None or row.purpose != CODE or row.expires_at <= self._clock.now():
            raise _unknown()
        return row.subject


def _hashed(code: str) -> str:
    """Return what is stored of a code; of one that is too long to be ours, nothing that is."""
    return states.hashed(code) if 0 < len(code) <= _LONGEST else ""


def _unknown() -> Refusal:
    return Refusal(
        "link_code_unknown", "That code does not work here, or not any more: each works once, and not for long. /link gives you a new one."
    )
