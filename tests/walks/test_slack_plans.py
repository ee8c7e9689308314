"""What each Slack plan lets us do when a membership ends: nobody reads on unpaid, or the owner is asked and told exactly why."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from sandbox.browser import Browser
from sandbox.slack.person import Person
from sandbox.slack.plans import Plan, Role
from sandbox.slack.usergroups import UserGroup
from sandbox.town import Town
from tests.walks.club import Club, club_of, found_workspace, open_club, words_to
from tests.walks.stage import Stage, open_stage

PLANS = [Plan.FREE, Plan.ENTERPRISE, *(pytest.param(plan, marks=pytest.mark.long) for plan in (Plan.PRO, Plan.BUSINESS))]
FORBIDDEN = "Slack does not let the app remove people from #gold. A workspace owner changes that under Workspace settings"


def gold_group(club: Club) -> UserGroup:
    """Make a user group that the app may change."""
    club.workspace.preferences.manage_groups = Role.MEMBER
    return club.creator.create_group(club.workspace, "Gold people", "gold-people")


async def paid_member(club: Club, *opens: str) -> Person:
    """Let somebody pay for 30 days and read the channel."""
    ben = club.fan("ben")
    await club.buys(ben, await club.sells(*opens, interval='"30 days"'))
    assert ben.reads(club.gold)
    return ben


@pytest.mark.parametrize("plan", PLANS)
async def test_on_every_plan_a_member_who_pays_reads_and_one_whose_time_is_over_does_not(sqlite_stage: Stage, plan: Plan) -> None:
    club = await open_club(sqlite_stage, plan)
    group = gold_group(club) if plan.paid else None
    ben = await paid_member(club, *([f"<!subteam^{group.id}|@gold-people>"] if group else []))
    here = ben.id(club.workspace)
    assert group is None or (group.users == [here] and group.disabled is None)
    await sqlite_stage.advance(days=31)
    assert not ben.reads(club.gold)
    assert ben.reads(club.workspace.general), "what was not sold stays theirs"
    assert group is None or group.disabled is not None, "a group cannot be emptied, so it is off once its last member has gone"
    assert "Nothing to do" in (await club.command("tasks")).words


@pytest.mark.parametrize("plan", PLANS)
async def test_where_a_setting_forbids_it_the_owner_is_asked_until_the_person_is_out(sqlite_stage: Stage, plan: Plan) -> None:
    club = await open_club(sqlite_stage, plan)
    ben = await paid_member(club)
    club.workspace.preferences.remove_from_private = Role.ADMIN
    await sqlite_stage.advance(days=31)
    assert ben.reads(club.gold), "nothing but the owner's own hand can take them out"
    tasks = (await club.command("tasks")).words
    assert f"<@{ben.id(club.workspace)}>" in tasks
    assert FORBIDDEN in tasks
    assert FORBIDDEN in club.heard()
    assert club.heard().count("Something only you can do") == 1
    club.creator.remove_from_channel(club.gold, ben)
    await sqlite_stage.advance(hours=2)
    await sqlite_stage.advance(minutes=10)
    assert "Nothing to do" in (await club.command("tasks")).words


async def test_an_owner_who_does_not_act_is_told_again_at_the_deadline(sqlite_stage: Stage) -> None:
    club = await open_club(sqlite_stage)
    ben = await paid_member(club)
    club.workspace.preferences.remove_from_private = Role.ADMIN
    await sqlite_stage.advance(days=31)
    assert "Still to do by you" not in club.heard()
    await sqlite_stage.advance(days=3, hours=1)
    assert "Still to do by you" in club.heard()
    club.workspace.preferences.remove_from_private = Role.MEMBER
    await sqlite_stage.advance(hours=2)
    assert not ben.reads(club.gold), "once the setting lets us, we do it ourselves"
    await sqlite_stage.advance(minutes=10)
    assert "Nothing to do" in (await club.command("tasks")).words


def with_scim(plan: Plan) -> Callable[[Town], dict[str, str]]:
    """Return what prepares a workspace whose owner lets us end accounts."""

    def prepare(town: Town) -> dict[str, str]:
        ann, workspace, _ = found_workspace(town, plan)
        return {"SLACK_SCIM_TOKEN": town.slack.people.user_token(ann, workspace, "admin")}

    return prepare


@pytest.fixture(params=[Plan.BUSINESS, Plan.ENTERPRISE])
async def scim_club(walk_sqlite: str, record: Path | None, request: pytest.FixtureRequest) -> AsyncIterator[Club]:
    """A workspace whose owner lets us end accounts, on a plan that has that."""
    opening: AbstractAsyncContextManager[Stage] = open_stage(walk_sqlite, record=record, prepare=with_scim(request.param))
    async with opening as stage:
        yield await club_of(stage)


async def test_where_removing_is_forbidden_and_accounts_may_be_ended_the_account_goes(scim_club: Club) -> None:
    ben = await paid_member(scim_club)
    scim_club.workspace.preferences.remove_from_private = Role.ADMIN
    await scim_club.stage.advance(days=31)
    assert not ben.reads(scim_club.gold)
    assert scim_club.workspace.users[ben.id(scim_club.workspace)].deleted
    assert "Nothing to do" in (await scim_club.command("tasks")).words


@pytest.mark.parametrize("by", ["us", "the workspace"])
async def test_whoever_pays_again_gets_the_account_back_when_it_was_we_who_ended_it(scim_club: Club, by: str) -> None:
    ben = await paid_member(scim_club)
    link = (await scim_club.command("join", by=ben)).button("Go on to payment")["url"]
    if by == "us":
        scim_club.workspace.preferences.remove_from_private = Role.ADMIN
    await scim_club.stage.advance(days=31)
    if by != "us":
        scim_club.creator.deactivate(scim_club.workspace, ben)
    assert scim_club.workspace.users[ben.id(scim_club.workspace)].deleted

    async with Browser() as browser:
        assert "You join as @" in await browser.open(link)
        checkout = await browser.press("Continue to payment", follow=False)
    await scim_club.stage.town.cashiers.pay(checkout)
    await scim_club.stage.settled()

    assert ben.reads(scim_club.gold) is (by == "us")
    if by == "us":
        await scim_club.stage.advance(days=31)
        assert not ben.reads(scim_club.gold), "and its end closes the door again"


async def test_whoever_runs_the_workspace_keeps_their_account_and_the_owner_is_asked(scim_club: Club) -> None:
    ben = await paid_member(scim_club)
    scim_club.creator.promote(scim_club.workspace, ben)
    scim_club.workspace.preferences.remove_from_private = Role.OWNER
    await scim_club.stage.advance(days=31)
    assert not scim_club.workspace.users[ben.id(scim_club.workspace)].deleted
    assert FORBIDDEN in (await scim_club.command("tasks")).words


async def test_whom_others_added_stays_and_is_reported_once(sqlite_stage: Stage) -> None:
    club = await open_club(sqlite_stage)
    ben = await paid_member(club)
    zoe, dan = club.fan("zoe"), club.fan("dan")
    for guest in (zoe, dan):
        ben.add_to_channel(club.gold, guest)
    await sqlite_stage.advance(hours=1)
    await sqlite_stage.advance(days=32)
    assert not ben.reads(club.gold)
    assert zoe.reads(club.gold), "only whom we let in do we take out"
    assert dan.reads(club.gold)
    heard = club.heard()
    for guest in (zoe, dan):
        assert heard.count(f"<@{guest.id(club.workspace)}>") == 1, heard
    assert f"<@{club.creator.id(club.workspace)}>" not in heard, "who made the channel needs no ticket"
    assert words_to(zoe, club.workspace) == ""


async def test_a_public_channel_is_sold_once_it_is_private_and_no_more_when_it_is_public_again(sqlite_stage: Stage) -> None:
    club = await open_club(sqlite_stage)
    club.gold.private = False
    club.creator.add_app(club.gold)
    making = 'plan create Gold "9.99 USD" month #gold'
    said = (await club.command(making)).words
    assert "Anybody in the workspace can read #gold" in said
    assert "Change to a private channel" in said
    assert "No plans yet" in (await club.command("plan list")).words

    club.gold.private = True
    assert "is ready to sell" in (await club.command(making)).words
    club.gold.private = False
    club.creator.rename_channel(club.gold, "gold-for-all")
    await sqlite_stage.settled()
    assert "Anybody in the workspace can read #gold-for-all" in club.heard(), (
        "a look at what is sold says so, and the plan stops being sold"
    )
