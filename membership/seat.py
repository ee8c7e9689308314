"""Which account of a member sits on a seat (a platform and realm): the first, and later one in the place of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import Refusal
from core.ids import AccountId, ChangeId, MemberId
from core.people import Identity
from storage import account_changes, accounts, linking, members, states
from storage.account_changes import AccountChangeRow
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Session
from storage.outbox import add_reconcile

COOL_DOWN = timedelta(days=30)
"""Between two changes: what is paid by the month is used by one person in it."""
MOST_A_YEAR = 3
"""Changes: enough for whoever loses an account, or a job with its workspace; too few to pass a membership around."""
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Seated:
    """What became of an account. ``waits_for`` names the one that is taken out first; empty when it is in its place."""

    account: AccountId
    waits_for: str = ""


def next_change(made: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when a member may change their account again, None when they may now; ``made`` are their changes, oldest first. Pure."""
    recent = [moment for moment in made if moment > now - YEAR]
    ends = [recent[-1] + COOL_DOWN] if recent else []
    ends += [recent[-MOST_A_YEAR] + YEAR] if len(recent) >= MOST_A_YEAR else []
    latest = max(ends, default=now)
    return latest if latest > now else None


async def take(session: Session, community: CommunityRow, member: MemberId, new: Identity, trail: Trail) -> Seated:
    """Have ``new``, proven by the caller, be the member's account on its platform and realm.

    Refusals ``account_taken``, ``change_under_way``, ``change_too_soon``.
    """
    held = await linking.hold(session, community.id, new, member)
    if _account(held, new) is None:
        await accounts.add(session, community.id, member, new, trail.ids, trail.at, active=False)
        held = await linking.hold(session, community.id, new, member)  # whoever stored it: ours, or somebody's just before
    account = _account(held, new)
    if account is None:
        raise RuntimeError("an account that was just stored is not there")
    for each in sorted({member, account.member_id}):
        await members.hold(session, each)
    change = next((row for row in await account_changes.under_way(session, member, hold=True) if _seat(row) == _seat(account)), None)
    old = next((row for row in held if row.member_id == member and row.active and _seat(row) == _seat(account)), None)
    if account.member_id == member and (account.active or (change is not None and change.new_id == account.id)):
        return await _already(session, account, change)
    if account.member_id != member and await linking.has_business(session, community.id, account.member_id):
        raise Refusal(
            "account_taken",
            f"@{account.name} has a membership or payments of its own in {community.name}, and they cannot be joined to yours. "
            f"Use another account, or ask whoever runs {community.name}.",
        )
    if change is not None:
        raise Refusal(
            "change_under_way", "Your change to another account is under way: it waits until the one before is taken out. /status shows it."
        )
    return await _sit(session, community, member, account, old, trail)


async def _sit(
    session: Session, community: CommunityRow, member: MemberId, account: AccountRow, old: AccountRow | None, trail: Trail
) -> Seated:
    if old is not None:
        await _allowed(session, community, old, trail.at)
    before, account.member_id, account.active = account.member_id, member, old is None
    session.add(account)
    facts = {"platform": account.platform, "user": account.external_id}
    record(session, trail, community.id, "account.linked", ("account", account.id), member=member, before={"member": before}, after=facts)
    if old is not None:
        old.active = False
        session.add(old)
        change = AccountChangeRow(
            id=ChangeId(trail.ids.new()), community_id=community.id, member_id=member, platform=account.platform, realm=account.realm,
            old_id=old.id, new_id=account.id, at=trail.at,
        )  # fmt: skip
        session.add(change)
        record(session, trail, community.id, "account.change_begun", ("account", account.id), member=member, before={"account": old.id})
    await add_reconcile(session, trail, community.id, member)
    return Seated(account.id, old.name if old is not None else "")


async def _already(session: Session, account: AccountRow, change: AccountChangeRow | None) -> Seated:
    if account.active or change is None:
        return Seated(account.id)
    return Seated(account.id, (await session.get_one(AccountRow, change.old_id)).name)


async def _allowed(session: Session, community: CommunityRow, old: AccountRow, now: datetime) -> None:
    made = await account_changes.moments(session, old.member_id, old.platform, old.realm, now - YEAR)
    again = next_change(made, now)
    if again is None:
        return
    permit = await states.take(session, permit_hash(old))
    if permit is None or permit.expires_at <= now:
        raise Refusal(
            "change_too_soon",
            f"You changed your account here on {made[-1]:%-d %B %Y}. You can again on {again:%-d %B %Y}; "
            f"whoever runs {community.name} can allow it sooner with /doorman account.",
        )


def permit_hash(account: AccountRow) -> str:
    """Return under which name a creator's leave to change once more is kept; it is no secret, and nobody can show it from outside."""
    return f"change {account.member_id} {account.platform} {account.realm}"


async def promote(session: Session, member: MemberId, trail: Trail) -> None:
    """Put accounts that waited in their place, once the platform has said that those before them hold nothing of ours."""
    for change in await account_changes.under_way(session, member, hold=True):
        if not await account_changes.stripped(session, change.old_id):
            continue
        account = await session.get_one(AccountRow, change.new_id)
        account.active, change.done_at = True, trail.at
        session.add_all([account, change])
        await session.flush()
        record(session, trail, change.community_id, "account.changed", ("account", account.id), member=member,
               before={"account": change.old_id})  # fmt: skip


def _account(held: Sequence[AccountRow], who: Identity) -> AccountRow | None:
    return next((row for row in held if (row.platform, row.realm, row.external_id) == (who.platform, who.realm, who.user)), None)


def _seat(row: AccountRow | AccountChangeRow) -> tuple[str, str]:
    return row.platform, row.realm
