"""Whom a user group does not take: found out only when Slack refused them all, since it does not say whom it means."""

from collections.abc import AsyncIterator

from adapters.slack.client import Slack
from adapters.slack.errors import of_word
from adapters.slack.people import People, Somebody, somebody
from core.errors import ExternalError, MemberUnreachable
from core.ids import PlatformUserId
from core.platform import Space

_ONE_BY_ONE = 20
"""So many people are asked about singly; for more, everybody is read, a thousand a call."""


async def unfit(slack: Slack, people: People, space: Space, users: frozenset[PlatformUserId]) -> dict[PlatformUserId, ExternalError | None]:
    """Return those of ``users`` who cannot be in a user group, each with the reason."""
    found: dict[PlatformUserId, ExternalError | None] = {}
    missing = set(users)
    async for one in _known(slack, people, space, users):
        missing.discard(one.id)
        if (word := _unfit(one)) is not None:
            found[one.id] = of_word(word)
    return found | {user: of_word("user_not_found") for user in missing}


async def _known(slack: Slack, people: People, space: Space, users: frozenset[PlatformUserId]) -> AsyncIterator[Somebody]:
    if len(users) > _ONE_BY_ONE:
        async for user in slack.pages(space, "users.list", "members"):
            if user["id"] in users:
                yield somebody(user, space)
        return
    for wanted in sorted(users):
        try:
            yield await people.fresh(space, wanted)
        except MemberUnreachable:
            continue


def _unfit(one: Somebody) -> str | None:
    if one.bot or one.guest:
        return "invalid_users"
    return None if one.inside else "user_disabled"
