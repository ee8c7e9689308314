"""How one thing somebody may have stands, and the ways to where they have no account yet: what a status and a welcome have in common."""

from collections.abc import Collection
from dataclasses import dataclass

from core.errors import Remedy
from core.events import Notice
from core.ids import CommunityId, MemberId, PlatformName, ResourceId
from core.platform import Space
from core.text import plain
from membership.wording import to_member
from storage import notices, space_links
from storage.database import Session
from storage.grants import Actual, GrantStatus, GrantTask


@dataclass(frozen=True, slots=True)
class ResourceStanding:
    """One thing a plan opens, and whether it is on. ``note`` says why not, and who does what."""

    name: str
    platform: str
    space_name: str
    on: bool
    note: str
    outside: Space | None = None
    """Where they are to come in; None when that is not what is missing."""
    invite_url: str = ""
    """The invite that waits for them there, if one does."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """A space where a member has no account yet, and the creator's own link into it; empty when they gave none."""

    platform: PlatformName
    space_name: str
    invite_link: str = ""


async def ways_in(
    session: Session, community: CommunityId, member: MemberId, opened: Collection[ResourceId] | None = None
) -> tuple[WayIn, ...]:
    """Return where a member has no account: of all spaces, or of those where one of ``opened`` is."""
    found = await space_links.without_account(session, community, member, opened)
    return tuple(WayIn(space.platform, space.name, space.invite_link) for space in found)


async def undelivered(session: Session, community: CommunityId, member: MemberId) -> tuple[str, ...]:
    """Return what a member should have been told and could not be, in words."""
    rows = await notices.undelivered(session, community, member)
    name = (await notices.community(session, community)).name
    messages = [to_member(Notice.from_payload(row.payload), name) for row in rows]
    return tuple(f"{message.title}. {plain(message.body)}" for message in messages)


def standing_of(task: GrantTask) -> ResourceStanding:
    """Say of a grant whether it is on, and where its member is to come in if that is what is missing."""
    on = task.grant.actual == Actual.GRANTED and task.grant.status == GrantStatus.DONE
    space, name = task.space_row, task.resource_row.name
    if on:
        return ResourceStanding(name, space.platform, space.name, on, "")
    waits = task.grant.status == GrantStatus.BLOCKED and task.grant.remedy == Remedy.MEMBER
    invite = task.grant.door
    return ResourceStanding(name, space.platform, space.name, on, note(task), space.space if waits or invite else None, invite)


def note(task: GrantTask) -> str:
    """Say why it is not on, and who does what about it."""
    grant = task.grant
    if grant.status == GrantStatus.PENDING:
        return "on its way" if not grant.error else "on its way, and we keep trying"
    if grant.remedy == Remedy.MEMBER:
        return f"waits for you to join {task.space_row.name}"
    if grant.remedy == Remedy.CREATOR:
        return "waits for the owner, who has been told what to mend"
    return "waits for us: please tell the owner"
