"""Tell people what they must know: by direct message or in the notice channel; what cannot be delivered is kept to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.errors import MemberUnreachable, PermanentError
from core.events import FOR_CREATOR, Notice, NoticeKind
from core.ids import MemberId, PlatformName
from core.platform import Channel, Destination, LinkButton, Message, Person, PlatformAdapter
from membership.wording import to_creator, to_member
from storage import accounts, notices
from storage.database import Database
from storage.outbox import OutboxRow


def _without_commands(message: Message) -> Message:
    """A direct message does not say of which space it is, so a button in it could run no command."""
    return replace(message, buttons=tuple(button for button in message.buttons if isinstance(button, LinkButton)))


class Notices:
    """Sends notices. Telling somebody twice is harmless, so a crash between sending and recording is too."""

    def __init__(self, *, db: Database, adapters: Mapping[PlatformName, PlatformAdapter], public_url: str) -> None:
        self._db = db
        self._adapters = adapters
        self._public_url = public_url

    async def send(self, row: OutboxRow) -> bool:
        """Send one notice and return whether somebody got it. TransientError and RateLimited mean later."""
        notice = Notice.from_payload(row.payload)
        if notice.kind in FOR_CREATOR:
            return await self._to_creator(row, notice)
        return await self._to_member(row, notice)

    async def _to_member(self, row: OutboxRow, notice: Notice) -> bool:
        async with self._db.reading() as session:
            seats = await notices.seats(session, MemberId(row.subject))
            community = await notices.community(session, row.community_id)
        message = to_member(notice, community.name, self._public_url)
        reached = False
        for space, account in seats:
            reached |= await self._try([Person(space.space, account.external_id)], space.platform, message)
        if not reached and notice.kind is NoticeKind.PAYMENT_FAILED:
            await self._to_creator(row, notice)  # somebody who may know another way to tell them, before their access ends
        return reached

    async def _to_creator(self, row: OutboxRow, notice: Notice) -> bool:
        async with self._db.reading() as session:
            community = await notices.community(session, row.community_id)
            home = await notices.creator_space(session, community, str(notice.facts.get("space", "")))
            who = await accounts.of_member_in(session, MemberId(row.subject), home) if row.subject and home else None
        if home is None:
            return False
        message = to_creator(notice, community.name, who.external_id if who else None, here=notice.facts.get("space") == home.id)
        ways: list[Destination] = [Person(home.space, home.installer)]
        if community.notice_channel and community.notice_space_id == home.id:
            ways.insert(0, Channel(home.space, community.notice_channel))
        return await self._try(ways, home.platform, message)

    async def _try(self, ways: Sequence[Destination], platform: PlatformName, message: Message) -> bool:
        """Take the first way that works. One that is closed is no reason to fail."""
        adapter = self._adapters.get(platform)
        if adapter is None:
            return False
        for way in ways:
            try:
                await adapter.send(way, message if isinstance(way, Channel) else _without_commands(message))
            except (MemberUnreachable, PermanentError):
                continue
            return True
        return False
