"""The app is removed, or its token revoked: the space ends, the creator hears of it, and adding the app again gives everything back."""

import pytest

from sandbox.slack import installation
from sandbox.slack.person import Person
from tests.walks.club import Club, found_workspace, open_club
from tests.walks.shop import open_shop
from tests.walks.stage import Stage


async def paid_club(stage: Stage) -> tuple[Club, Person]:
    """Return a workspace with a member who has paid."""
    club = await open_club(stage)
    ben = club.fan("ben")
    await club.buys(ben, await club.sells())
    assert ben.reads(club.gold)
    return club, ben


@pytest.mark.parametrize("how", ["uninstalled", "tokens revoked"])
async def test_a_workspace_without_the_app_is_sold_nothing_and_gets_everything_back(sqlite_stage: Stage, how: str) -> None:
    club, ben = await paid_club(sqlite_stage)
    if how == "uninstalled":
        club.creator.uninstall(club.workspace)
    else:
        token = sqlite_stage.town.slack.model.tokens.bot_token(club.workspace.id)
        assert token is not None
        installation.revoke(sqlite_stage.town.slack.model, club.workspace, token)
    await sqlite_stage.settled()
    club.creator.remove_from_channel(club.gold, ben)
    await sqlite_stage.advance(hours=2)
    assert not ben.reads(club.gold)
    await club.installs()
    club.creator.add_app(club.gold)
    await sqlite_stage.settled()
    await sqlite_stage.advance(hours=2)
    assert ben.reads(club.gold)


async def test_the_creator_hears_of_a_lost_workspace_where_the_community_still_is(sqlite_stage: Stage) -> None:
    shop = await open_shop(sqlite_stage, "Gold")
    club = Club(sqlite_stage, *found_workspace(sqlite_stage.town))
    attach = await shop.command("doorman setup", attach=True)
    await club.installs(attach.button("Add Slack")["url"])
    club.creator.uninstall(club.workspace)
    await sqlite_stage.settled()
    assert "I can no longer let people in" in shop.heard()
    assert "Ann's club" in shop.heard()
