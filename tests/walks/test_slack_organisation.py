"""On Enterprise a payer from elsewhere in the organisation is invited by e-mail, straight into what they paid for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.slack.person import Person
from sandbox.slack.plans import Plan
from sandbox.slack.workspaces import Workspace
from sandbox.town import Town
from tests.walks.club import Club, club_of, found_workspace
from tests.walks.stage import open_stage

LOBBY = "Lobby"


def with_admin_token(town: Town) -> dict[str, str]:
    """Return what prepares an organisation of two workspaces whose owner lets us invite."""
    ann, _, _ = found_workspace(town, Plan.ENTERPRISE)
    lobby = town.slack.people.workspace(ann, LOBBY, Plan.ENTERPRISE, "Ann's empire")
    return {"SLACK_ADMIN_TOKEN": town.slack.people.user_token(ann, lobby, "admin.users:write", "users:read", "users:read.email")}


@pytest.fixture
async def club(walk_sqlite: str, record: Path | None) -> AsyncIterator[Club]:
    async with open_stage(walk_sqlite, record=record, prepare=with_admin_token) as stage:
        yield await club_of(stage)


async def colleague_who_paid(club: Club) -> Person:
    """Somebody of the organisation, outside the workspace, who signs in with the account they have and pays."""
    lobby = lobby_of(club)
    ben = club.stage.town.slack.people.person("ben")
    club.stage.town.slack.people.join(ben, lobby)
    link = await club.sells(interval='"30 days"')
    elsewhere = Club(club.stage, club.creator, lobby, club.gold)
    words = await elsewhere.buys(ben, link)
    assert "paid" in words.casefold(), words
    return ben


def lobby_of(club: Club) -> Workspace:
    return next(one for one in club.stage.town.slack.model.workspaces.values() if one.name == LOBBY)


async def test_a_colleague_who_pays_is_invited_comes_in_by_that_and_is_out_again_at_the_end(club: Club) -> None:
    ben = await colleague_who_paid(club)
    assert club.workspace.invitations.keys() == {ben.email}
    assert club.workspace.user_of(ben.account) is None, "nobody is inside before they accept"

    ben.accept_invitation(club.workspace)
    await club.stage.settled()
    assert ben.reads(club.gold)
    assert "active" in (await club.command("status", by=ben)).words.casefold()

    await club.stage.advance(days=31)
    assert not ben.reads(club.gold)
    assert ben.reads(club.workspace.general), "the account is the organisation's, and stays"


async def test_an_invitation_is_sent_once_however_often_it_is_looked_after(club: Club) -> None:
    await colleague_who_paid(club)
    await club.stage.advance(days=2)
    calls = [args for method, args in club.stage.town.slack.rest.calls if method == "admin.users.invite"]
    assert len(calls) == 1
