"""What a sweep finds about accounts and ways in: changes that wait for nothing any more, and shared links about to stop working."""

from core.events import Notice, NoticeKind
from core.ids import CommunityId, Ids
from storage import account_changes, space_links
from storage.audit import Trail
from storage.database import Session
from storage.outbox import add_notice, add_reconcile
from storage.space_links import LIVES, TAKES, WARN_AT
from storage.spaces import SpaceRow
from storage.sweeping import Sweep, Tally


async def go_on(session: Session, sweep: Sweep, ids: Ids, limit: int) -> Tally:
    """Have changes completed whose old account lost its last hold unseen: by leaving, say."""
    found = await account_changes.ready(session, limit)
    for change in found:
        await add_reconcile(session, Trail(ids, sweep.at, sweep.cause), change.community_id, change.member_id)
    return Tally(change.community_id for change in found)


async def tell_of_links(session: Session, sweep: Sweep, ids: Ids, limit: int) -> Tally:
    """Tell creators to renew the link into their space before it stops working, once for each link."""
    found = await space_links.worn_out(session, sweep.at, limit)
    for space in found:
        space.invite_link_told = True
        session.add(space)
        notice = Notice(NoticeKind.INVITE_LINK_WORN, {"space": space.name, "why": _why(space)})
        dedupe = f"invite_link:{space.id}:{sweep.at.isoformat()}"
        await add_notice(session, Trail(ids, sweep.at, sweep.cause), CommunityId(space.community_id), notice, dedupe=dedupe)
    return Tally(space.community_id for space in found)


def _why(space: SpaceRow) -> str:
    if space.invite_link_uses >= WARN_AT:
        return f"{space.invite_link_uses} people came in since you gave it, and such links let in {TAKES}"
    since = f"{space.invite_link_set_at:%-d %B %Y}" if space.invite_link_set_at else "long ago"
    return f"you gave it on {since}, and such links live {LIVES.days} days"
