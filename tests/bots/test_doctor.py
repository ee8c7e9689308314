import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from sqlmodel import select

from bots.bootstrap import open_doorman
from bots.doctor import examine, table
from bots.foundation import open_database, prepare
from bots.sweeping import confirm
from core.dispatch import Lane, platform_lane
from core.errors import PermanentError, Refusal
from core.events import NoticeKind
from core.ids import AccountId, CauseId, GrantId, MemberId, PlatformUserId, RandomIds
from core.platform import Resource
from membership.health import Finding
from sandbox.clock import VirtualClock
from sandbox.memory.world import NAME
from sandbox.stripe.emulator import StripeEmulator
from storage.accounts import AccountRow
from storage.communities import CommunityRow
from storage.database import Session
from storage.grants import GrantRow
from storage.inbox import InboxRow, WorkStatus
from storage.members import MemberRow
from storage.outbox import OutboxKind, OutboxRow
from storage.resources import ResourceRow
from storage.stripe_accounts import ENVIRONMENT, StripeAccountRow
from tests.bots.test_bootstrap import Installation


@pytest.fixture
async def installation(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Installation]:
    stripe = StripeEmulator(clock, seed=3)
    async with stripe.serve():
        yield Installation(tmp_path, clock, stripe)


@pytest.fixture
async def role(installation: Installation, tmp_path: Path, migrated_sqlite: Path) -> Resource:
    """A role that is sold in a community that is set up; the program has run and is closed."""
    shutil.copyfile(migrated_sqlite, tmp_path / "doorman.db")
    role = installation.world.thing(installation.space, "Gold member")
    given = {"name": "Gold", "price": "5 USD", "interval": "month", "role": role.external_id}
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        await doorman.dispatcher.settled()
        await installation.adapter.ask(installation.space, installation.creator, "doorman plan create", **given)
        await doorman.dispatcher.settled()
    return role


async def looked(installation: Installation, **changes: str) -> list[Finding]:
    return await examine(installation.configuration(**changes), clock=installation.clock)


def wrong(findings: list[Finding]) -> list[str]:
    return [f"{finding.what}: {finding.text}" for finding in findings if not finding.well]


async def change(installation: Installation, what: object) -> None:
    async with open_database(installation.configuration()) as db, db.transaction() as session:
        await what(session)  # type: ignore[operator]


@pytest.mark.usefixtures("role")
async def test_a_healthy_installation_has_nothing_to_mend(installation: Installation) -> None:
    findings = await looked(installation)
    assert wrong(findings) == []
    assert [finding.what for finding in findings] == ["Settings", "Database", "Stripe", "Cleo's place", "Work"]


async def test_looking_changes_nothing(installation: Installation, tmp_path: Path) -> None:
    (finding,) = wrong(await looked(installation))
    assert finding == f"Database: There is no database {tmp_path / 'doorman.db'} yet. Run: doorman migrate"
    async with open_database(installation.configuration()) as db, db.reading() as session:
        await session.connection()
    (finding,) = wrong(await looked(installation))
    assert finding == "Database: It is not up to date. Run: doorman migrate"
    async with open_database(installation.configuration()) as db, db.reading() as session:
        tables = (await (await session.connection()).exec_driver_sql("SELECT name FROM sqlite_master")).all()
    assert tables == []


async def test_before_there_is_a_server_the_token_is_tried_by_itself(installation: Installation) -> None:
    assert Finding("Memory", well=True, text="Signed in as the bot. Add it to a space.") in await looked(installation)
    installation.adapter.down = PermanentError("The token is refused. Put the right one there.")
    assert "Memory: The token is refused. Put the right one there." in wrong(await looked(installation))


async def test_right_after_migrating_there_is_nothing_to_mend(installation: Installation) -> None:
    async with open_database(installation.configuration()) as db:
        await prepare(db, installation.clock, RandomIds(), migrate=True)
    assert wrong(await looked(installation)) == []


async def test_a_role_that_can_no_longer_be_given_is_named(installation: Installation, role: Resource) -> None:
    installation.world.places[installation.space.external_id].things[role.external_id].reachable = False
    assert wrong(await looked(installation)) == ["Cleo's place: Gold member: “Gold member” stands above the bot. Put the bot above it."]


@pytest.mark.usefixtures("role")
async def test_a_missing_permission_is_named(installation: Installation) -> None:
    installation.world.places[installation.space.external_id].may_manage = False
    assert "Cleo's place: The bot may not manage this space. Give it that permission." in wrong(await looked(installation))


@pytest.mark.usefixtures("role")
async def test_a_key_that_is_refused_is_said_without_showing_it(installation: Installation) -> None:
    installation.environment["STRIPE_API_KEY"] = "sk_test_canary0123456789"
    (finding,) = wrong(await looked(installation))
    assert finding.startswith("Stripe: The account cannot be read:")
    assert "canary" not in finding


@pytest.mark.usefixtures("role")
async def test_a_key_of_another_account_is_said_to_be_one(installation: Installation) -> None:
    async def belong_elsewhere(session: Session) -> None:
        row = await session.get_one(StripeAccountRow, ENVIRONMENT)
        row.external_id = "acct_another"
        session.add(row)

    await change(installation, belong_elsewhere)
    (finding,) = wrong(await looked(installation))
    assert finding.startswith("Stripe: The Stripe key is of acct_")
    assert "acct_another (test)" in finding


@pytest.mark.usefixtures("role")
async def test_a_clock_that_is_off_is_named(installation: Installation) -> None:
    ahead = VirtualClock(installation.clock.now() + timedelta(minutes=5))
    (finding,) = wrong(await examine(installation.configuration(), clock=ahead))
    assert re.fullmatch(r"Clock: It is (299|300|301) s off Stripe's, so sweeps stop themselves. Have the machine's clock set.", finding)


@pytest.mark.usefixtures("role")
async def test_what_was_given_up_is_counted_with_its_reason(installation: Installation) -> None:
    async def bury(session: Session) -> None:
        row = (await session.exec(select(InboxRow).limit(1))).one()
        row.status, row.error = WorkStatus.DEAD, "the reason"
        session.add(row)

    await change(installation, bury)
    assert wrong(await looked(installation)) == ["Given up: 1 of deliveries and commands; the latest says: the reason"]


@pytest.mark.usefixtures("role")
async def test_what_fails_again_and_again_is_counted_with_what_it_says(installation: Installation) -> None:
    async def hold_up(session: Session) -> None:
        (row,) = (await session.exec(select(InboxRow).limit(1))).all()
        (work,) = (await session.exec(select(OutboxRow).limit(1))).all()
        for one in (row, work):
            one.status, one.error = WorkStatus.PENDING, f"the key may not read {type(one).__name__}"
            session.add(one)

    await change(installation, hold_up)
    assert wrong(await looked(installation)) == []
    installation.clock.advance(timedelta(minutes=6))
    assert [line for line in wrong(await looked(installation)) if "Clock" not in line] == [
        "Waiting: 1 of deliveries and commands failed for over 5 minutes and will be tried again: the key may not read InboxRow",
        "Waiting: 1 of follow-up work failed for over 5 minutes and will be tried again: the key may not read OutboxRow",
    ]


@pytest.mark.usefixtures("role")
async def test_a_stopped_sweep_says_how_to_go_on(installation: Installation) -> None:
    async def stop(session: Session) -> None:
        row = (await session.exec(select(CommunityRow))).one()
        row.stopped_at, row.stopped_reason = installation.clock.now(), "Too many at once."
        session.add(row)

    await change(installation, stop)
    (finding,) = wrong(await looked(installation))
    assert finding.startswith("Sweep: Cleo's place is stopped: Too many at once. To go on: doorman sweep --confirm ")


@pytest.mark.usefixtures("role")
async def test_a_community_nobody_knows_cannot_be_confirmed(installation: Installation) -> None:
    with pytest.raises(Refusal, match=r"There is no community nonsense\. doorman doctor shows which are stopped\.") as refused:
        await confirm(installation.configuration(), "nonsense")
    assert refused.value.code == "unknown_community"


@pytest.mark.usefixtures("role")
async def test_a_sweep_that_is_not_stopped_needs_no_confirming_and_one_that_is_goes_on(installation: Installation) -> None:
    communities: list[CommunityRow] = []

    async def look(session: Session) -> None:
        communities[:] = await session.exec(select(CommunityRow))

    async def stop(session: Session) -> None:
        row = (await session.exec(select(CommunityRow))).one()
        row.stopped_at, row.stopped_reason = installation.clock.now(), "Too many at once."
        session.add(row)

    await change(installation, look)
    with pytest.raises(
        Refusal, match=r"Cleo's place is not stopped: there is nothing to confirm\. doorman doctor shows what is"
    ) as refused:
        await confirm(installation.configuration(), communities[0].id)
    assert refused.value.code == "not_stopped"
    await change(installation, stop)
    assert await confirm(installation.configuration(), communities[0].id) == "Cleo's place"
    await change(installation, look)
    assert communities[0].confirmed_at is not None


@pytest.mark.usefixtures("role")
async def test_a_creator_who_was_not_told_is_named(installation: Installation) -> None:
    async def fail(session: Session) -> None:
        community = (await session.exec(select(CommunityRow))).one()
        now = installation.clock.now()
        session.add(
            OutboxRow(
                id="lost", community_id=community.id, kind=OutboxKind.NOTICE, lane=Lane("work:00"), subject="",
                cause_id=CauseId("x"), payload={"kind": NoticeKind.RESOURCE_BROKEN, "facts": {}}, status=WorkStatus.DONE,
                undelivered=True, created_at=now, due_at=now,
            )
        )  # fmt: skip

    await change(installation, fail)
    assert wrong(await looked(installation)) == [
        "Notices: 1 for the creator of Cleo's place could not be delivered. Have them run /doorman setup."
    ]


def test_the_table_shows_names_as_they_are() -> None:
    console = Console(width=200)
    with console.capture() as said:
        console.print(table([Finding("[red]Ann[/red]", well=False, text="[bold]mend it[/bold]")]))
    assert said.get().split() == ["!!", "[red]Ann[/red]", "[bold]mend", "it[/bold]"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_link_is_folded_and_not_cut_off(width: int) -> None:
    link = f"https://chat.example/oauth2/authorize?{'a=1&' * 50}end"
    console = Console(width=width)
    with console.capture() as said:
        console.print(table([Finding("Memory", well=True, text=f"Signed in. Add it to a space: {link}")]))
    assert link in "".join(line.removeprefix("ok").strip() for line in said.get().splitlines())


@pytest.mark.usefixtures("role")
async def test_what_is_under_way_is_said_with_how_much_is_left(installation: Installation) -> None:
    async def owe(session: Session) -> None:
        resource = (await session.exec(select(ResourceRow))).one()
        community, now = resource.community_id, installation.clock.now()
        member, account = MemberId("m"), AccountId("a")
        session.add(MemberRow(id=member, community_id=community, created_at=now))
        await session.flush()
        session.add(AccountRow(id=account, community_id=community, member_id=member, platform=NAME, external_id=PlatformUserId("9"),
                               name="Fay", created_at=now))  # fmt: skip
        await session.flush()
        session.add(GrantRow(id=GrantId("g"), community_id=community, member_id=member, account_id=account, resource_id=resource.id,
                             lane=platform_lane(NAME, ""), wanted=True, due_at=now, changed_at=now, cause_id=CauseId("x")))  # fmt: skip

    await change(installation, owe)
    begins = "Cleo's place: 1 change is left: 1 to give, 0 to take away. They begin in a moment."
    assert Finding("Under way", well=True, text=begins) in await looked(installation)
    installation.clock.advance(timedelta(minutes=6))
    assert (
        "Under way: Cleo's place: 1 change is left: 1 to give, 0 to take away. None was done in the last 5 minutes. I keep trying."
        in wrong(await looked(installation))
    )
