"""Being let into a space from a page: with a state of ours, once, and into the community whose link it was."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import Refusal
from core.ids import CauseId, PlatformUserId
from core.platform import Space
from sandbox.clock import VirtualClock
from tests.web.fakes import DEN, HARBOUR, PIER, plan
from tests.web.site import Answer, Site, Visitor
from web.round_trip import STATE_LIFE

CAUSE = CauseId("a test")


async def code_of_den(site: Site) -> str:
    """Return an attach code of a community on the other platform."""
    home = await site.communities.welcome(DEN, "Ann's den", PlatformUserId("ann"), cause=CAUSE)
    return (await site.attachments.code(home.community_id, DEN, actor="lodge:ann", cause=CAUSE)).code


async def away(fan: Visitor, query: str = "") -> str:
    """Set off and return the state that was sent along."""
    answer = await fan.get(f"/harbour/install{query}")
    assert answer.status == 303
    assert answer.location.startswith("https://harbour.example/install?")
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def sell_on_harbour(site: Site) -> None:
    """Sell where spaces let us in from a page, so that nothing but the purpose tells a sign-in from an installation."""
    quay = replace(plan(), resources=(replace(plan().resources[0], platform=HARBOUR),))
    site.invites.sell("quay", platform=HARBOUR, plan=quay)


async def back(fan: Visitor, state: str, code: str = "let-in") -> Answer:
    return await fan.get(f"/harbour/oauth_redirect?code={code}&state={state}")


async def name_at(site: Site, space: Space) -> str:
    return (await site.communities.of_space(space)).community_name


async def test_a_space_that_lets_us_in_is_a_community_of_its_own(site: Site, fan: Visitor) -> None:
    answer = await back(fan, await away(fan))
    assert (answer.status, await name_at(site, PIER)) == (200, "The pier")
    assert "I am in <bdi>The pier</bdi>" in answer.text
    assert "<code>/doorman plan create</code>" in answer.text


async def test_the_link_of_another_community_brings_the_space_into_it(site: Site, fan: Visitor) -> None:
    answer = await back(fan, await away(fan, f"?attach={await code_of_den(site)}"))
    assert answer.status == 200
    assert await name_at(site, PIER) == "Ann's den"
    assert "<bdi>Ann&#39;s den</bdi></strong> now" in answer.text


async def test_a_link_that_was_used_does_not_even_set_off(site: Site, fan: Visitor) -> None:
    code = await code_of_den(site)
    await back(fan, await away(fan, f"?attach={code}"))
    answer = await fan.get(f"/harbour/install?attach={code}")
    assert (answer.status, "Location" in answer.headers) == (410, False)
    assert "Get one with /doorman setup attach:True" in answer.text


async def test_being_let_in_once_more_with_a_new_link_changes_nothing(site: Site, fan: Visitor) -> None:
    await back(fan, await away(fan, f"?attach={await code_of_den(site)}"))
    answer = await back(fan, await away(fan, f"?attach={await code_of_den(site)}"))
    assert (answer.status, await name_at(site, PIER)) == (200, "Ann's den")


async def test_a_no_on_the_platform_installs_nothing(fan: Visitor) -> None:
    state = await away(fan)
    answer = await fan.get(f"/harbour/oauth_redirect?error=access_denied&state={state}")
    assert answer.status == 403
    assert "Nothing was installed" in answer.text


@pytest.mark.parametrize("how", ["made up", "another browser", "used", "a sign-in's", "late"])
async def test_a_callback_that_answers_no_question_of_ours_is_refused(site: Site, fan: Visitor, clock: VirtualClock, how: str) -> None:
    state = await away(fan)
    asker = fan
    match how:
        case "made up":
            state = "x" * 43
        case "used":
            await fan.get(f"/harbour/oauth_redirect?error=access_denied&state={state}")
        case "a sign-in's":
            sell_on_harbour(site)
            state = (await fan.submit(await fan.get("/j/quay"), "/j/quay/continue")).state
        case "late":
            clock.advance(STATE_LIFE)
        case _:
            async with site.visitor() as other:
                assert (await back(other, state)).status == 400
    if how != "another browser":
        assert (await back(asker, state)).status == 400
    assert not await exists(site)


async def test_a_sign_in_does_not_take_the_state_of_an_install(fan: Visitor) -> None:
    answer = await fan.get(f"/oauth/{HARBOUR}/callback?code=code-of-ben&state={await away(fan)}")
    assert answer.status == 400
    assert "Nothing was linked" in answer.text


async def test_a_refused_code_installs_nothing(site: Site, fan: Visitor) -> None:
    answer = await back(fan, await away(fan), "forged")
    assert answer.status == 400
    assert not await exists(site)


async def test_a_platform_that_is_let_in_elsewhere_has_no_such_page(fan: Visitor) -> None:
    assert (await fan.get("/lodge/install")).status == 404
    assert (await fan.get("/lodge/oauth_redirect?code=1&state=2")).status == 404


async def exists(site: Site) -> bool:
    try:
        await site.communities.of_space(PIER)
    except Refusal:
        return False
    return True
