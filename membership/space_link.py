"""The creator's own shared link into a space, for platforms where nobody can be brought in: what payers open themselves."""

from datetime import datetime
from urllib.parse import urlsplit

from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, SpaceId
from core.platform import Space
from storage import space_links
from storage.audit import Trail, record
from storage.database import Database
from storage.spaces import SpaceRow

LONGEST = 500
LOCAL = ("http", "127.0.0.1")
"""Where a sandbox's links lead: on the asker's own machine, and nowhere else, an address without TLS harms nobody."""
NONE = "none"
"""What takes the link away again."""


class SpaceLinks:
    """Keeps the links, and counts who came in since."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def give(self, community: CommunityId, space: SpaceId, url: str, *, actor: str, cause: CauseId) -> str:
        """Keep ``url`` as the link into a space, or none any more, and return what is kept. Refusal ``bad_invite_link``."""
        link = "" if url.casefold() == NONE else checked(url)
        async with self._db.transaction() as session:
            row = await session.get_one(SpaceRow, space)
            if row.community_id != community:
                raise Refusal("unknown_space", "I'm still getting to know this place. Please try again in a minute.")
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            row.invite_link, row.invite_link_set_at, row.invite_link_uses, row.invite_link_told = link, trail.at, 0, False
            session.add(row)
            record(session, trail, community, "space.invite_link_given", ("space", row.id), after={"given": bool(link)})
        return link

    async def joined(self, space: Space, at: datetime) -> None:
        """Count somebody who came in: through the link, for all we know."""
        async with self._db.transaction() as session:
            await space_links.count_join(session, space, at)


def checked(url: str) -> str:
    """Return an address people can be sent to as it is; Refusal ``bad_invite_link`` for any other."""
    try:
        parts = urlsplit(url)
        outside = parts.scheme == "https" and "." in (parts.hostname or "") and parts.port in {None, 443}
        good = parts.username is None and (outside or (parts.scheme, parts.hostname) == LOCAL)
    except ValueError:
        good = False
    if not good or len(url) > LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(' <>"\\'):
        raise Refusal("bad_invite_link", "That is not a link I can send people to. Copy the whole invite link; it begins with https://.")
    return url
