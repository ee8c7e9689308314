"""Make what is desired on the grant rows follow the member's reasons. No call goes out from here."""

from collections.abc import Iterable

from core.clock import Clock
from core.entitlement import desired
from core.ids import AccountId, CauseId, CommunityId, GrantId, Ids, MemberId, ResourceId
from core.reconcile import Change, changes
from membership.seat import promote
from storage import accounts, entitlements, grants, resources
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.database import Session, will_wake
from storage.grants import GrantRow, GrantStatus
from storage.resources import ResourceRow
from storage.spaces import SpaceRow

Places = dict[ResourceId, tuple[ResourceRow, SpaceRow]]


class Reconciler:
    """Decides, for one member at a time, which resources which account should hold."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def reconcile(self, session: Session, community: CommunityId, member: MemberId, *, cause: CauseId) -> int:
        """Write what is desired for a member and return how many grants changed; their lanes wake after the commit."""
        trail = Trail(self._ids, self._clock.now(), cause)
        reasons = desired(await entitlements.reasons(session, member))
        current = {(row.account_id, row.resource_id): row for row in await grants.rows_of_member(session, member)}
        places = await resources.with_spaces(session, {*reasons, *(resource for _, resource in current)})
        await promote(session, member, trail)
        people = await accounts.active_of_member(session, member)
        wanted = _wanted(reasons, people, places)
        found = changes(wanted, {key: row.wanted for key, row in current.items()})
        for change in found:
            row = current.get((change.account, change.resource))
            await self._write(session, community, member, change, row, places, trail)
        return len(found)

    async def _write(
        self,
        session: Session,
        community: CommunityId,
        member: MemberId,
        change: Change,
        row: GrantRow | None,
        places: Places,
        trail: Trail,
    ) -> None:
        _, space = places[change.resource]
        before = row.facts if row else {}
        if row is None:
            row = GrantRow(
                id=GrantId(trail.ids.new()), community_id=community, member_id=member, account_id=change.account,
                resource_id=change.resource, lane=space.lane, wanted=change.wanted, due_at=trail.at, changed_at=trail.at,
                cause_id=trail.cause,
            )  # fmt: skip
        row.wanted, row.status, row.due_at, row.attempts = change.wanted, GrantStatus.PENDING, trail.at, 0
        row.error, row.error_code, row.remedy = "", "", None
        row.invited_at = None if change.wanted else row.invited_at  # an older invite is withdrawn before another is made
        row.version += 1
        row.changed_at, row.cause_id = trail.at, trail.cause
        session.add(row)
        record(session, trail, community, "grant.wanted" if change.wanted else "grant.unwanted", ("grant", row.id), member=member,
               before=before, after={**row.facts, "resource": row.resource_id, "account": row.account_id})  # fmt: skip
        will_wake(session, space.lane)


def _wanted(reasons: Iterable[ResourceId], people: Iterable[AccountRow], places: Places) -> set[tuple[AccountId, ResourceId]]:
    """Pair each account with what is desired in the spaces it can be in."""
    accounts_of = list(people)
    return {
        (account.id, resource)
        for resource in reasons
        for account in accounts_of
        if (account.platform, account.realm) == (places[resource][1].platform, places[resource][1].realm)
    }
