"""Asks whoever comes in whether a membership that was paid for before joining is theirs. An e-mail address only leads to the question.

The platform has verified the newcomer's address; what a payer typed at the checkout, nobody has. So nothing is opened by their being the
same: the newcomer is asked, alone, and says yes by giving a code that only they were shown.
"""

import logging
from collections.abc import Mapping

from core.errors import ExternalError
from core.ids import CauseId, CommunityId, PlatformName, PlatformUserId
from core.payments import PaymentGateways
from core.people import Identity
from core.platform import EmailKnowing, Message, Person, PlatformAdapter, Space
from core.text import Bold, Code, Moment, MomentStyle
from membership.linking import LinkCode, Linking
from storage import accounts, linking, spaces, suggesting
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.spaces import SpaceRow

_log = logging.getLogger(__name__)


class Suggestions:
    """Looks for what a newcomer may have paid for."""

    def __init__(
        self, *, db: Database, adapters: Mapping[PlatformName, PlatformAdapter], gateways: PaymentGateways, linking: Linking
    ) -> None:
        self._db = db
        self._adapters = adapters
        self._gateways = gateways
        self._linking = linking

    async def joined(self, space: Space, user: PlatformUserId, *, cause: CauseId) -> None:
        """Ask somebody who came in, where there is something to ask. That a vendor does not answer costs no more than the question."""
        try:
            await self._joined(space, user, cause)
        except ExternalError as error:
            _log.info("whether somebody who joined %s paid before is not known: %s", space.external_id, error)

    async def _joined(self, space: Space, user: PlatformUserId, cause: CauseId) -> None:
        adapter = self._adapters.get(space.platform)
        if not isinstance(adapter, EmailKnowing):
            return
        async with self._db.reading() as session:
            row = await spaces.find(session, space)
            if row is None or await _has_own(session, row.community_id, space, user):
                return
            processors = await suggesting.processors(session, row.community_id, space)
        email = await adapter.verified_email(space, user) if processors else ""
        if not email:
            return
        for processor in processors:
            customers = await (await self._gateways.of(processor)).customers_with(email)
            async with self._db.reading() as session:
                found = await suggesting.guest_of(session, row.community_id, space, processor, customers)
            if found is not None:
                guest, plan = found
                made = await self._linking.suggest(row.community_id, guest.identity, cause=cause)
                await adapter.send(Person(space, user), await self._question(row, plan, made))
                return

    async def _question(self, row: SpaceRow, plan: str, made: LinkCode) -> Message:
        async with self._db.reading() as session:
            community = (await session.get_one(CommunityRow, row.community_id)).name
        return Message(
            f"{community}: is this yours?",
            (
                "Somebody who gave your e-mail address paid for ",
                Bold(plan),
                " before joining. If that was you, type ",
                Code(f"/claim code:{made.code}"),
                " and it opens for this account. The code works once, until ",
                Moment(made.expires_at, MomentStyle.DATE_TIME),
                ". If it was not you, there is nothing to do.",
            ),
        )


async def _has_own(session: Session, community: CommunityId, space: Space, user: PlatformUserId) -> bool:
    """Say whether the account has bought or was given something itself: it cannot become another member's then."""
    account = await accounts.find(session, community, Identity(space.platform, space.realm, user, ""))
    return account is not None and await linking.has_business(session, community, account.member_id)
