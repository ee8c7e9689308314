"""Why somebody holds what they hold, or does not: what came in, what it changed, and what the platform answered to each call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.causality import chains, replay
from core.errors import Refusal
from core.ids import CommunityId, MemberId, PlatformName
from core.people import Identity
from core.platform import PlatformAdapter
from membership.why_words import Words, origin
from storage import accounts, causes, finding, history
from storage.communities import CommunityRow
from storage.database import Database, Session


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that followed."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Episode:
    """One cause, told in ``title``, and all that followed from it, in the order it happened."""

    at: datetime
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """All of one member's episodes in one community, the oldest first. ``doubts`` names what the record and the rows say differently."""

    community: CommunityId
    community_name: str
    member: MemberId
    names: tuple[str, ...]
    episodes: tuple[Episode, ...]
    doubts: tuple[str, ...] = ()


class Whys:
    """Reads the record; writes nothing."""

    def __init__(self, *, db: Database, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._labels = {name: adapter.label for name, adapter in adapters.items()}

    async def of_account(self, community: CommunityId, who: Identity) -> Story:
        """Tell the story of whoever has an account. Refusal ``not_member``."""
        async with self._db.reading() as session:
            account = await accounts.find(session, community, who)
            if account is None:
                raise Refusal("not_member", f"@{who.name} never bought anything here, so I gave and took nothing.")
            return await self._story(session, community, MemberId(account.member_id))

    async def of_person(self, words: str) -> Sequence[Story]:
        """Tell the story of everyone ``words`` may mean, in every community. Refusal ``person_unknown``."""
        async with self._db.reading() as session:
            found = await finding.members(session, words)
            if not found:
                raise Refusal("person_unknown", f"I know nobody by “{words}”. Give {finding.WAYS}.")
            return [await self._story(session, community, member) for community, member in found]

    async def _story(self, session: Session, community: CommunityId, member: MemberId) -> Story:
        changes = await history.of_member(session, community, member)
        words = Words(await history.names(session, community, member), self._labels)
        found = chains(changes)
        behind = await causes.of(session, [chain.cause for chain in found])
        live, told = await history.live(session, community, member), replay(changes)
        episodes = tuple(
            Episode(
                chain.at,
                origin(chain, behind.get(chain.cause), self._labels),
                tuple(Step(change.at, words.say(change)) for change in chain.changes),
            )
            for chain in found
        )
        name = (await session.get_one(CommunityRow, community)).name
        doubts = tuple(words.name(subject) for subject, state in live.items() if told.get(subject) != state)
        people = tuple(row.name for row in await accounts.active_of_member(session, member))
        return Story(community, name, member, people, episodes, doubts)
