"""A second space of the same community: a code made in the one is used up in the other, so that both their creators agree.

The other may be on another platform: the code says whose community it is, and being let into a space says whose space that is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids
from core.platform import Space
from storage import attaching, spaces, states
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.states import StateRow, hashed

CODE_LIFE = timedelta(hours=24)
PURPOSE = "attach"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class AttachCode:
    """What to type in the other space, until when."""

    code: str
    expires_at: datetime


class Attachments:
    """Makes codes and carries them out."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def code(self, community: CommunityId, space: Space, *, actor: str, cause: CauseId) -> AttachCode:
        """Make a code of 256 bits that attaches one more space, and end the ones made before.

        Only its hash is kept.
        """
        secret, trail = self._ids.secret(), Trail(self._ids, self._clock.now(), cause, actor)
        row = StateRow(
            state_hash=hashed(secret),
            browser_hash="",
            platform=space.platform,
            purpose=PURPOSE,
            subject=community,
            expires_at=trail.at + CODE_LIFE,
        )
        async with self._db.transaction() as session:
            await attaching.drop_codes(session, PURPOSE, community)
            await states.put(session, row)
            record(session, trail, community, "community.attach_code_made", ("community", community))
        return AttachCode(secret, row.expires_at)

    async def attach(self, code: str, space: Space, *, actor: str, cause: CauseId) -> str:
        """Have ``space`` belong to the code's community from now on and return that community's name. A refusal leaves the code good.

        Refusals ``attach_code_unknown``, ``unknown_space``, ``attached_already``, ``has_business``.
        """
        if not 0 < len(code) <= _LONGEST:
            raise _unknown()
        return await self.attach_hashed(hashed(code), space, actor=actor, cause=cause)

    async def look(self, code_hash: str) -> str:
        """Return the name of the community a code is of, by its hash, and leave the code good. Refusal ``attach_code_unknown``."""
        async with self._db.reading() as session:
            row = await states.find(session, code_hash)
            return (await self._community(session, row, self._clock.now())).name

    async def attach_hashed(self, code_hash: str, space: Space, *, actor: str, cause: CauseId) -> str:
        """Do what :meth:`attach` does, with the code's hash."""
        trail = Trail(self._ids, self._clock.now(), cause, actor)
        async with self._db.transaction() as session:
            community = await self._community(session, await states.take(session, code_hash), trail.at)
            found = await spaces.find(session, space)
            if found is None:
                raise Refusal("unknown_space", "I'm still getting to know this place. Please try again in a minute.")
            row = await attaching.hold(session, found.id)
            if row.community_id == community.id:
                raise Refusal("attached_already", f"{community.name} is here already. Use the code somewhere else.")
            before = await session.get_one(CommunityRow, row.community_id, with_for_update=True)
            if await attaching.has_business(session, before.id):
                raise Refusal(
                    "has_business",
                    f"{before.name} has plans or members of its own, and they cannot move along. "
                    "Keep it as it is, or attach a place where nothing was sold yet.",
                )
            given_up = await attaching.move(session, row, community.id)
            record(session, trail, before.id, "space.moved", ("space", row.id), after={"community": community.id, "given_up": given_up})
            record(session, trail, community.id, "space.attached", ("space", row.id), before={"community": before.id})
            return community.name

    async def _community(self, session: Session, row: StateRow | None, now: datetime) -> CommunityRow:
        if row is None or row.purpose != PURPOSE or row.expires_at <= now:
            raise _unknown()
        return await session.get_one(CommunityRow, CommunityId(row.subject))


def _unknown() -> Refusal:
    return Refusal(
        "attach_code_unknown",
        "That code does not work here. Each works once, within a day, until a newer one is made. "
        "Get one with /doorman setup attach:True in the community that is set up.",
    )
