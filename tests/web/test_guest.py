"""Paying before one has an account: the browser is the proof, until an account takes its place."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from core.ids import CauseId, PlatformName, PlatformUserId
from core.people import GUEST, Identity
from core.platform import LinkedAccount
from sandbox.clock import VirtualClock
from storage import accounts
from storage.accounts import AccountRow
from storage.states import BrowserRow, StateRow, hashed
from tests.membership.town import Town
from tests.web.fakes import ANN, HARBOUR, LODGE, FakeWay, FakeWelcome, plan
from tests.web.site import Answer, Site, Visitor

LINK = "https://lodge.example/shared/abc"
CAUSE = CauseId("a test")


@pytest.fixture
async def town(site: Site, clock: VirtualClock) -> Town:
    """The community of the link on sale, on a platform where only those inside can sign in."""
    built = Town(site.db, clock.now(), platform=LODGE)
    await built.build()
    site.platform.strangers_sign_in = False  # type: ignore[misc]  # of this one alone
    site.invites.sell(community_id=built.id)
    return built


async def paid_first(fan: Visitor) -> Answer:
    """Take the way of those who are not inside yet, up to the offer as a guest sees it."""
    back = await fan.submit(await fan.get("/j/gold"), "/j/gold/guest")
    assert (back.status, back.location) == (303, "/j/gold")
    return await fan.get("/j/gold")


async def guest_of(site: Site) -> Identity:
    async with site.db.reading() as session:
        row = (await session.exec(select(BrowserRow))).one()
    return Identity(row.platform, row.realm, row.user, row.name)


async def order_of(site: Site, town: Town) -> tuple[str, Identity]:
    """Store that the one guest there is has paid, and return the path of the order's page."""
    who = await guest_of(site)
    async with site.db.transaction() as session:
        account = await accounts.ensure(session, town.id, who, site.ids, site.clock.now())
    order = await town.order(account.member_id, account_id=account.id)
    site.statuses.orders[order] = FakeWelcome(payer=who, ways=(FakeWay(invite_link=LINK),), spaces=())
    return f"/welcome/{order}", who


async def accounts_of(site: Site, town: Town, who: Identity) -> set[tuple[PlatformName, str]]:
    async with site.db.reading() as session:
        account = await accounts.find(session, town.id, who)
        assert account is not None
        rows = (await session.exec(select(AccountRow).where(AccountRow.member_id == account.member_id))).all()
    return {(row.platform, row.external_id) for row in rows}


@pytest.mark.usefixtures("town")
async def test_where_only_those_inside_can_sign_in_there_are_two_ways(fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    assert "Continue with Lodge" in page.text
    assert "Pay first, join after" in page.text


async def test_where_strangers_can_sign_in_nobody_is_a_guest(site: Site, fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    assert "Pay first" not in page.text
    token = page.form("/j/gold/continue")
    answer = await fan.request("POST", "/j/gold/guest", data=token, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 404
    site.invites.sell("mine", bound=ANN)
    assert "Pay first" not in (await fan.get("/j/mine")).text


async def test_a_guest_pays_like_anybody(site: Site, town: Town, fan: Visitor) -> None:
    page = await paid_first(fan)
    assert "You pay first and join after." in page.text
    away = await fan.submit(page, "/j/gold/checkout")
    assert away.location == site.checkouts.answer
    ((code, who),) = site.checkouts.started
    assert (code, who.platform, who.realm, who.name, len(who.user)) == ("gold", GUEST, "", "Guest", 22)
    assert town.id not in who.user


@pytest.mark.usefixtures("town")
async def test_a_guest_is_known_for_thirty_days_and_has_a_cookie_of_their_own(site: Site, fan: Visitor, clock: VirtualClock) -> None:
    page = await fan.get("/j/gold")
    before = fan.cookies["doorman"]
    back = await fan.submit(page, "/j/gold/guest")
    assert "Max-Age=2592000" in back.headers["Set-Cookie"]
    assert fan.cookies["doorman"] != before
    who = await guest_of(site)
    clock.advance(timedelta(days=30, seconds=-1))
    await fan.submit(await fan.get("/j/gold"), "/j/gold/checkout")
    assert site.checkouts.started == [("gold", who)]
    clock.advance(timedelta(seconds=1))
    assert "Pay first, join after" in (await fan.get("/j/gold")).text


@pytest.mark.usefixtures("town")
async def test_a_guest_stays_the_same_guest(site: Site, fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    form = page.form("/j/gold/guest")
    await fan.submit(page, "/j/gold/guest")
    who = await guest_of(site)
    answer = await fan.request("POST", "/j/gold/guest", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 403, "the page from before is worth nothing any more"
    assert await guest_of(site) == who


@pytest.mark.usefixtures("town")
async def test_a_guest_is_nobody_where_strangers_can_sign_in(site: Site, fan: Visitor) -> None:
    await paid_first(fan)
    quay = replace(plan(), resources=(replace(plan().resources[0], platform=HARBOUR),))
    site.invites.sell("quay", platform=HARBOUR, plan=quay)
    assert "Continue with Harbour" in (await fan.get("/j/quay")).text
    assert not (await fan.get("/j/quay")).has_form("/j/quay/checkout")


async def test_the_page_of_the_order_shows_the_way_in_and_then_takes_the_account(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    page = await fan.get(path)
    assert "You are paid. One step is yours" in page.text
    assert f'href="{LINK}"' in page.text
    assert "Refresh" not in page.headers, "nothing happens by itself here"
    assert "I have joined: continue with Lodge" in page.text
    away = await fan.submit(page, f"{path}/continue/lodge")
    back = await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
    assert (back.status, back.location) == (303, path)
    assert await accounts_of(site, town, who) == {(GUEST, who.user), (LODGE, "8")}


async def test_whoever_pays_with_one_account_can_add_one_elsewhere_from_the_order(site: Site, fan: Visitor) -> None:
    await fan.sign_in()
    ben = Identity(LODGE, "", PlatformUserId("8"), "ben")
    site.statuses.orders["order"] = FakeWelcome(payer=ben, inside=True, ways=(FakeWay(HARBOUR, "The pier"),))
    page = await fan.get("/welcome/order")
    assert "<h1>You are in</h1>" in page.text
    assert "Also yours" in page.text
    assert ">Continue with Harbour<" in page.text
    assert "Ask whoever sold you this" not in page.text


async def test_commands_are_shown_as_they_are_typed_in_each_place(
    site: Site, town: Town, fan: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.harbour, "prefix", "/pier", raising=False)
    await paid_first(fan)
    path, who = await order_of(site, town)
    ways = (FakeWay(), FakeWay(HARBOUR, "The pier"))
    site.statuses.orders[path.rpartition("/")[2]] = FakeWelcome(payer=who, ways=ways, spaces=())
    page = await fan.get(path)
    assert "Type /status or /manage in <bdi>Ann&#39;s den</bdi> on Lodge to" in page.text
    assert "Type /pier status or /pier manage in <bdi>Ann&#39;s den</bdi> on Harbour to" in page.text
    page = await fan.submit(page, f"{path}/claim")
    assert ["<code>/claim " in page.text, "<code>/pier claim " in page.text, "<code>/doorman" in page.text] == [True, True, False]


async def test_without_a_stored_link_the_page_says_whom_to_ask(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    site.statuses.orders[path.rpartition("/")[2]] = FakeWelcome(payer=who, ways=(FakeWay(),), spaces=())
    assert "Ask whoever sold you this for the way into" in (await fan.get(path)).text


async def test_only_the_browser_that_paid_can_go_on_from_the_order(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    async with site.visitor() as other:
        page = await other.get(path)
        assert f'href="{LINK}"' in page.text
        assert "I have joined" not in page.text
        assert "form-action 'none'" in page.headers["Content-Security-Policy"]
        form = (await other.get("/j/gold")).form("/j/gold/continue")
        for action in ("claim", "continue/lodge"):
            answer = await other.request("POST", f"{path}/{action}", data=form, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status == 404
            assert "Open the order's page in the one you paid with" in answer.text.replace("&#39;", "'")
    assert await accounts_of(site, town, who) == {(GUEST, who.user)}


async def test_another_guest_cannot_claim_the_order(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    async with site.visitor() as thief:
        form = (await paid_first(thief)).form("/j/gold/checkout")
        answer = await thief.request("POST", f"{path}/claim", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status == 404
        away = await thief.request("POST", f"{path}/continue/lodge", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        back = await thief.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
        assert back.status == 404
    assert await accounts_of(site, town, who) == {(GUEST, who.user)}


async def test_a_code_to_type_inside_does_the_same(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    page = await fan.submit(await fan.get(path), f"{path}/claim")
    code = page.text.partition("/claim ")[2].partition("<")[0]
    assert len(code) == 43
    made = Identity(LODGE, "", PlatformUserId("8"), "ben")
    await site.linking.redeem_hashed(hashed(code), made, cause=CAUSE)
    assert (LODGE, "8") in await accounts_of(site, town, who)
    async with site.db.reading() as session:
        assert not [row for row in (await session.exec(select(StateRow))).all() if row.purpose == "link_code"]


async def test_a_no_on_the_platform_leads_back_to_the_order(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    away = await fan.submit(await fan.get(path), f"{path}/continue/lodge")
    back = await fan.get(f"/oauth/lodge/callback?error=access_denied&state={away.state}")
    assert (back.status, back.location) == (303, path)
    assert await accounts_of(site, town, who) == {(GUEST, who.user)}


async def test_a_guest_who_signs_in_at_an_offer_takes_along_what_they_paid_for(site: Site, town: Town, fan: Visitor) -> None:
    page = await paid_first(fan)
    _, who = await order_of(site, town)
    away = await fan.submit(page, "/j/gold/continue/lodge")
    back = await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
    assert back.location == "/j/gold"
    assert "@ben" in (await fan.get("/j/gold")).text
    assert (LODGE, "8") in await accounts_of(site, town, who)


async def test_a_guest_who_bought_nothing_signs_in_like_anybody(site: Site, town: Town, fan: Visitor) -> None:
    page = await paid_first(fan)
    away = await fan.submit(page, "/j/gold/continue/lodge")
    await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
    assert "@ben" in (await fan.get("/j/gold")).text
    async with site.db.reading() as session:
        assert await accounts.find(session, town.id, Identity(LODGE, "", PlatformUserId("8"), "ben")) is None


async def test_an_account_of_another_place_is_refused_and_the_guest_stays(site: Site, town: Town, fan: Visitor) -> None:
    await paid_first(fan)
    path, who = await order_of(site, town)
    site.platform.people["elsewhere"] = LinkedAccount(PlatformUserId("9"), "W9", "cas", None, None)
    away = await fan.submit(await fan.get(path), f"{path}/continue/lodge")
    page = await fan.get(f"/oauth/lodge/callback?code=elsewhere&state={away.state}")
    assert page.status == 409
    assert "That account is of another place" in page.text
    assert "I have joined" in (await fan.get(path)).text
    assert await accounts_of(site, town, who) == {(GUEST, who.user)}
