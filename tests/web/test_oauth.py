import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func
from sqlmodel import select

from core.errors import TransientError
from core.ids import PlatformUserId
from core.platform import LinkedAccount, ResourceKind
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.plans import ResourceView
from storage.states import BrowserRow, StateRow
from tests.web.fakes import BEN, HARBOUR, LODGE, plan
from tests.web.site import Answer, Site, Visitor

CALLBACK = f"/oauth/{LODGE}/callback"


async def rows(db: Database) -> tuple[int, int]:
    """How many round trips are under way, and how many browsers proved something."""
    async with db.reading() as session:
        states = (await session.exec(select(func.count()).select_from(StateRow))).one()
        browsers = (await session.exec(select(func.count()).select_from(BrowserRow))).one()
    return states, browsers


async def leave(fan: Visitor) -> Answer:
    return await fan.submit(await fan.get("/j/gold"), "/j/gold/continue")


async def test_continuing_leads_to_the_platform_with_our_exact_callback(site: Site, fan: Visitor) -> None:
    away = await leave(fan)
    assert away.status == 303
    assert away.location == site.platform.authorize_url(away.state, f"{site.base}{CALLBACK}")
    assert len(away.state) == 43, "256 bits"


async def test_the_state_is_stored_as_a_hash_bound_to_browser_platform_purpose_and_link(site: Site, fan: Visitor) -> None:
    away = await leave(fan)
    async with site.db.reading() as session:
        row = (await session.exec(select(StateRow))).one()
    assert away.state not in row.model_dump_json()
    assert fan.cookies["doorman"] not in row.model_dump_json()
    assert (row.platform, row.purpose, row.subject) == (LODGE, "join", "gold")
    assert row.expires_at - site.clock.now() == timedelta(minutes=10)


async def test_coming_back_proves_the_account_and_shows_whose_it_is(site: Site, fan: Visitor) -> None:
    page = await fan.sign_in()
    assert "You join as <strong><bdi>@ben</bdi></strong>" in page.text
    assert page.has_form("/j/gold/checkout")
    assert "Not you? Use another account" in page.text
    assert site.platform.exchanged == [("code-of-ben", f"{site.base}{CALLBACK}")]


async def test_the_token_that_brings_them_in_is_kept_and_nowhere_to_be_seen(site: Site, fan: Visitor) -> None:
    page = await fan.sign_in()
    assert await site.credentials.get(LODGE, ":8", "join") == BEN.token
    assert "join-token" not in page.text + str(page.headers) + str(fan.cookies)


async def test_an_account_without_a_token_is_proven_all_the_same(site: Site, fan: Visitor) -> None:
    site.platform.people["tokenless"] = LinkedAccount(PlatformUserId("9"), "W1", "cas", None, None)
    assert "@cas" in (await fan.sign_in(oauth_code="tokenless")).text
    assert await site.credentials.get(LODGE, "W1:9", "join") is None


async def test_signing_in_changes_the_cookie_and_the_old_one_is_worth_nothing(site: Site, fan: Visitor) -> None:
    await fan.get("/j/gold")
    before = fan.cookies["doorman"]
    await fan.sign_in()
    assert fan.cookies["doorman"] != before
    async with site.visitor() as thief:
        page = await thief.get("/j/gold", headers={"Cookie": f"doorman={before}"})
    assert "@ben" not in page.text


async def test_signing_in_again_replaces_the_account_and_ends_the_old_session(site: Site, fan: Visitor) -> None:
    site.platform.people["code-of-cas"] = LinkedAccount(PlatformUserId("9"), "", "cas", None, None)
    page = await fan.sign_in()
    before = fan.cookies["doorman"]
    away = await fan.submit(page, "/j/gold/continue")
    await fan.get(f"{CALLBACK}?code=code-of-cas&state={away.state}")
    assert "@cas" in (await fan.get("/j/gold")).text
    async with site.visitor() as thief:
        assert "@ben" not in (await thief.get("/j/gold", headers={"Cookie": f"doorman={before}"})).text
    assert await rows(site.db) == (0, 1)


async def test_a_proof_is_worth_half_an_hour(fan: Visitor, clock: VirtualClock) -> None:
    await fan.sign_in()
    clock.advance(timedelta(minutes=29, seconds=59))
    assert "@ben" in (await fan.get("/j/gold")).text
    clock.advance(timedelta(seconds=1))
    assert "Continue with Lodge" in (await fan.get("/j/gold")).text


async def test_a_proof_on_one_platform_is_none_on_another(site: Site, fan: Visitor) -> None:
    await fan.sign_in()
    quay = ResourceView("2", "quay", ResourceKind.USER_GROUP, HARBOUR, "Ann & co", "")
    site.invites.sell("quay", platform=HARBOUR, plan=replace(plan(), resources=(quay,)))
    page = await fan.get("/j/quay")
    assert "@ben" not in page.text


Forgery = Callable[[Site, Visitor, str], Coroutine[None, None, Answer]]


async def without_a_state(_site: Site, fan: Visitor, _state: str) -> Answer:
    return await fan.get(f"{CALLBACK}?code=code-of-ben")


async def with_an_invented_state(_site: Site, fan: Visitor, state: str) -> Answer:
    return await fan.get(f"{CALLBACK}?code=code-of-ben&state={state[:-1]}{'A' if state[-1] != 'A' else 'B'}")


async def with_an_endless_state(_site: Site, fan: Visitor, _state: str) -> Answer:
    return await fan.get(f"{CALLBACK}?code=code-of-ben&state={'A' * 4000}")


async def without_the_cookie(site: Site, _fan: Visitor, state: str) -> Answer:
    async with site.visitor() as other:
        return await other.get(f"{CALLBACK}?code=code-of-ben&state={state}")


async def in_another_browser(site: Site, _fan: Visitor, state: str) -> Answer:
    async with site.visitor() as other:
        await other.get("/j/gold")
        return await other.get(f"{CALLBACK}?code=code-of-ben&state={state}")


async def at_another_providers_callback(_site: Site, fan: Visitor, state: str) -> Answer:
    return await fan.get(f"/oauth/{HARBOUR}/callback?code=code-of-ben&state={state}")


async def denied_in_another_browser(site: Site, _fan: Visitor, state: str) -> Answer:
    async with site.visitor() as other:
        return await other.get(f"{CALLBACK}?error=access_denied&state={state}")


@pytest.mark.parametrize(
    "forge",
    [
        without_a_state,
        with_an_invented_state,
        with_an_endless_state,
        without_the_cookie,
        in_another_browser,
        at_another_providers_callback,
        denied_in_another_browser,
    ],
)
async def test_a_callback_that_does_not_answer_our_question_proves_nothing(site: Site, fan: Visitor, forge: Forgery) -> None:
    page = await forge(site, fan, (await leave(fan)).state)
    assert page.status == 400
    assert "Open your link and try again." in page.text
    assert not site.platform.exchanged, "the code is not even looked at"
    assert (await rows(site.db))[1] == 0


@pytest.mark.parametrize("forge", [without_the_cookie, in_another_browser, at_another_providers_callback])
async def test_a_state_shown_in_the_wrong_place_is_burnt(site: Site, fan: Visitor, forge: Forgery) -> None:
    state = (await leave(fan)).state
    await forge(site, fan, state)
    assert await rows(site.db) == (0, 0)
    assert (await fan.get(f"{CALLBACK}?code=code-of-ben&state={state}")).status == 400


async def test_a_state_works_once(site: Site, fan: Visitor) -> None:
    state = (await leave(fan)).state
    assert (await fan.get(f"{CALLBACK}?code=code-of-ben&state={state}")).status == 303
    assert (await fan.get(f"{CALLBACK}?code=code-of-ben&state={state}")).status == 400
    assert len(site.platform.exchanged) == 1


async def test_of_many_callbacks_at_once_with_one_state_one_is_taken(site: Site, fan: Visitor) -> None:
    state = (await leave(fan)).state
    answers = await asyncio.gather(*(fan.get(f"{CALLBACK}?code=code-of-ben&state={state}") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 7
    assert len(site.platform.exchanged) == 1


async def test_a_state_is_over_after_ten_minutes(site: Site, fan: Visitor, clock: VirtualClock) -> None:
    state = (await leave(fan)).state
    clock.advance(timedelta(minutes=10))
    assert (await fan.get(f"{CALLBACK}?code=code-of-ben&state={state}")).status == 400
    assert await rows(site.db) == (0, 0)


async def test_whoever_says_no_is_back_at_the_offer_with_a_kind_word(site: Site, fan: Visitor) -> None:
    state = (await leave(fan)).state
    back = await fan.get(f"{CALLBACK}?error=access_denied&error_description=No+%3Cb%3E&state={state}")
    assert (back.status, back.location) == (303, "/j/gold?note=denied")
    assert "nothing was charged" in (await fan.get(back.location)).text
    assert await rows(site.db) == (0, 0)


@pytest.mark.parametrize("query", ["code=of-nobody", "code=", "", "code=" + "x" * 4000])
async def test_a_refused_code_proves_nothing(site: Site, fan: Visitor, query: str) -> None:
    state = (await leave(fan)).state
    page = await fan.get(f"{CALLBACK}?{query}&state={state}")
    assert page.status == 400
    assert "Open your link and try again." in page.text
    assert await rows(site.db) == (0, 0)


async def test_a_platform_that_does_not_answer_is_said_so_and_nothing_is_left(site: Site, fan: Visitor) -> None:
    site.platform.people["slow"] = TransientError("no answer")
    state = (await leave(fan)).state
    page = await fan.get(f"{CALLBACK}?code=slow&state={state}")
    assert page.status == 503
    assert "Nothing was charged" in page.text
    assert await rows(site.db) == (0, 0)


async def test_a_platform_we_do_not_have_has_no_callback(fan: Visitor) -> None:
    assert (await fan.get("/oauth/nowhere/callback?code=1&state=2")).status == 404
