"""On Enterprise a payer from elsewhere in the organisation is invited by e-mail, straight into what they paid for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.slack.endpoints.call import Endpoint
from sandbox.slack.person import Person
from sandbox.slack.plans import Plan
from sandbox.slack.rest import ENDPOINTS
from sandbox.slack.workspaces import Workspace
from sandbox.town import Town
from tests.walks.club import Club, club_of, found_workspace, words_to
from tests.walks.stage import Stage, open_stage

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


async def test_one_installation_serves_every_workspace_the_organisation_chose(sqlite_stage: Stage) -> None:
    town = sqlite_stage.town
    ann, workspace, gold = found_workspace(town, Plan.ENTERPRISE)
    lobby = town.slack.people.workspace(ann, LOBBY, Plan.ENTERPRISE, "Ann's empire")
    town.slack.model.app.organisation = True
    assert workspace.enterprise is not None
    landing = await ann.install(f"{town.product_url}/slack/install", workspace.enterprise)
    await sqlite_stage.settled()
    assert workspace.name in landing.words
    assert town.slack.model.tokens.bot_token(workspace.id) is None, "there is no token but the organisation's"

    club, other = (
        Club(sqlite_stage, ann, workspace, gold),
        Club(sqlite_stage, ann, lobby, ann.create_channel(lobby, "silver", private=True)),
    )
    for place in (club, other):
        ben = place.fan(f"ben-in-{place.workspace.name.split()[0].lower()}")
        await place.buys(ben, await place.sells(interval='"30 days"'))
        assert ben.reads(place.gold), place.workspace.name
        assert "You're in" in words_to(ben, place.workspace)
    await sqlite_stage.advance(days=31)
    assert len(club.gold.members) == len(other.gold.members) == 2, "whoever made the channel, and the app"


async def test_an_organisation_that_chose_no_workspace_yet_is_told_where_to(sqlite_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    town = sqlite_stage.town
    ann, workspace, _ = found_workspace(town, Plan.ENTERPRISE)
    town.slack.model.app.organisation = True
    monkeypatch.setitem(ENDPOINTS, "auth.teams.list", Endpoint("auth.teams.list", "2", lambda _: {"teams": []}))
    landing = await ann.install(f"{town.product_url}/slack/install", workspace.enterprise)
    assert "in none of its workspaces yet" in landing.words
    assert "Add it to one" in landing.words
