"""The birth of a community, its spaces, and what its creator set."""

from dataclasses import dataclass

from core.clock import Clock
from core.errors import Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, PlatformUserId, SpaceId
from core.money import CURRENCIES
from core.platform import Space
from storage import communities, retrying, spaces
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.outbox import add_notice
from storage.spaces import SpaceRow

LONGEST_GRACE = 21


@dataclass(frozen=True, slots=True)
class Home:
    """A space and the community it belongs to."""

    community_id: CommunityId
    community_name: str
    currency: str
    space_id: SpaceId
    space: Space
    space_name: str
    grace_days: int | None
    keep_refunded: bool
    notice_channel: str


class Communities:
    """Makes communities out of spaces, and keeps their settings."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, default_currency: str = "USD") -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._default_currency = default_currency

    async def space_added(self, space: Space, name: str, owner: PlatformUserId, *, cause: CauseId) -> None:
        """Give a new space its community; one we come back to is connected again, and what it waited for is tried at once."""
        async with self._db.transaction() as session:
            trail = Trail(self._ids, self._clock.now(), cause, f"{space.platform}:{owner}")
            row = await spaces.find(session, space)
            if row is None:
                await self._birth(session, space, name, owner, trail)
                return
            before, row.name, row.connected = row.connected, name or row.name, True
            session.add(row)
            await retrying.hurry(session, row, trail)
            if not before:
                record(session, trail, row.community_id, "space.connected", ("space", row.id), before={"connected": False})
                await retrying.unblock_space(session, row, trail)

    async def welcome(self, space: Space, name: str, installer: PlatformUserId, *, cause: CauseId) -> Home:
        """Do what :meth:`space_added` does and return whose space it is."""
        await self.space_added(space, name, installer, cause=cause)
        return await self.of_space(space)

    async def space_removed(self, space: Space, *, cause: CauseId) -> None:
        """Note that we were removed: nothing there can be sold or granted, and the creator is warned, since subscriptions go on."""
        async with self._db.transaction() as session:
            row = await spaces.find(session, space)
            if row is None or not row.connected:
                return
            row.connected = False
            session.add(row)
            trail = Trail(self._ids, self._clock.now(), cause)
            record(session, trail, row.community_id, "space.removed", ("space", row.id), after={"connected": False})
            notice = Notice(NoticeKind.SPACE_LOST, {"space": row.name})
            await add_notice(session, trail, row.community_id, notice, dedupe=f"space_lost:{row.id}:{cause}")

    async def of_space(self, space: Space) -> Home:
        """Return whose space it is. Refusal ``unknown_space``."""
        async with self._db.reading() as session:
            row = await spaces.find(session, space)
            if row is None:
                raise Refusal("unknown_space", "I'm still getting to know this place. Please try again in a minute.")
            return _home(await session.get_one(CommunityRow, row.community_id), row)

    async def arrive(self, space: Space, name: str, who: PlatformUserId, *, may_found: bool, cause: CauseId) -> Home:
        """Return whose space it is; a command may come before the news that we were added, and whoever manages the space founds it then.

        Refusal ``unknown_space``.
        """
        try:
            return await self.of_space(space)
        except Refusal:
            if not may_found:
                raise
        return await self.welcome(space, name, who, cause=CauseId(f"{cause}:arrive"))

    async def setup(
        self,
        community: CommunityId,
        *,
        space: SpaceId,
        notice_channel: str | None,
        currency: str | None,
        grace_days: int | None,
        keep_refunded: bool | None,
        actor: str,
        cause: CauseId,
    ) -> Home:
        """Change what is given and leave the rest. Refusals ``bad_currency``, ``bad_grace``."""
        if currency is not None and currency.upper() not in CURRENCIES:
            raise Refusal("bad_currency", f"I don't know the currency “{currency[:10]}”. Use a three-letter code, like USD or EUR.")
        if grace_days is not None and not 0 <= grace_days <= LONGEST_GRACE:
            raise Refusal("bad_grace", f"Grace is 0 to {LONGEST_GRACE} days. Choose a number in between, like 5.")
        async with self._db.transaction() as session:
            row = await session.get_one(CommunityRow, community)
            before = _settings(row)
            row.currency = currency.upper() if currency else row.currency
            row.grace_days = row.grace_days if grace_days is None else grace_days
            row.keep_refunded = row.keep_refunded if keep_refunded is None else keep_refunded
            if notice_channel is not None:
                row.notice_channel, row.notice_space_id = notice_channel, space
            session.add(row)
            after = _settings(row)
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "community.changed", ("community", community), before=before, after=after)
            return _home(row, await session.get_one(SpaceRow, space))

    async def confirm(self, community: CommunityId, *, actor: str, cause: CauseId) -> str:
        """Let a stopped sweep of a community go on once; returns the community's name. Refusals ``unknown_community``, ``not_stopped``."""
        async with self._db.transaction() as session:
            row = await communities.find(session, community)
            if row is None:
                raise Refusal("unknown_community", f"There is no community {community}. doorman doctor shows which are stopped.")
            if row.stopped_at is None:
                raise Refusal("not_stopped", f"{row.name} is not stopped: there is nothing to confirm. doorman doctor shows what is.")
            row.confirmed_at = self._clock.now()
            session.add(row)
            trail = Trail(self._ids, row.confirmed_at, cause, actor)
            record(session, trail, row.id, "sweep.confirmed", ("community", row.id), before={"reason": row.stopped_reason})
            return row.name

    async def _birth(self, session: Session, space: Space, name: str, owner: PlatformUserId, trail: Trail) -> None:
        community = CommunityRow(
            id=CommunityId(self._ids.new()), name=name or "Community", currency=self._default_currency, created_at=trail.at
        )
        session.add(community)
        await session.flush()
        row = SpaceRow(
            id=SpaceId(self._ids.new()), community_id=community.id, platform=space.platform, realm=space.realm,
            external_id=space.external_id, name=name or "Community", installer=owner, created_at=trail.at,
        )  # fmt: skip
        session.add(row)
        record(session, trail, community.id, "community.created", ("community", community.id), after={"space": name})
        notice = Notice(NoticeKind.HELLO, {"space": row.name})
        await add_notice(session, trail, community.id, notice, dedupe=f"hello:{row.id}")


def _home(community: CommunityRow, row: SpaceRow) -> Home:
    return Home(
        community_id=community.id,
        community_name=community.name,
        currency=community.currency,
        space_id=row.id,
        space=row.space,
        space_name=row.name,
        grace_days=community.grace_days,
        keep_refunded=community.keep_refunded,
        notice_channel=community.notice_channel if community.notice_space_id == row.id else "",
    )


def _settings(row: CommunityRow) -> dict[str, object]:
    return {
        "currency": row.currency, "grace_days": row.grace_days, "keep_refunded": row.keep_refunded, "notice_channel": row.notice_channel,
    }  # fmt: skip
