from datetime import timedelta

import pytest

from core.errors import PermanentError, Refusal, TransientError
from core.ids import PlatformUserId
from core.people import Identity
from core.platform import LinkedAccount
from sandbox.clock import VirtualClock
from tests.web.fakes import ANN, LODGE
from tests.web.site import Site, Visitor

PAY, BEN = "/j/gold/checkout", Identity(LODGE, "", PlatformUserId("8"), "ben")


async def test_paying_leads_to_the_checkout_as_the_proven_account(site: Site, fan: Visitor) -> None:
    away = await fan.submit(await fan.sign_in(), PAY)
    assert (away.status, away.location) == (303, "https://checkout.stripe.example/c/pay/cs_1")
    assert site.checkouts.started == [("gold", BEN)]


async def test_a_personal_link_pays_for_the_account_it_is_bound_to_and_no_other(site: Site, fan: Visitor) -> None:
    await fan.sign_in()
    site.invites.sell("anns", bound=ANN)
    away = await fan.submit(await fan.get("/j/anns"), "/j/anns/checkout")
    assert away.status == 303
    assert site.checkouts.started == [("anns", ANN)]


async def test_nobody_pays_before_we_know_who_they_are(site: Site, fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    answer = await fan.request("POST", PAY, data=page.form("/j/gold/continue"))
    assert (answer.status, answer.location) == (303, "/j/gold?note=again")
    assert not site.checkouts.started


async def test_a_proof_that_ran_out_is_asked_for_again(site: Site, fan: Visitor, clock: VirtualClock) -> None:
    page = await fan.sign_in()
    clock.advance(timedelta(minutes=30))
    answer = await fan.submit(page, PAY)
    assert answer.location == "/j/gold?note=again"
    assert "sign in once more" in (await fan.get(answer.location)).text
    assert not site.checkouts.started


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("action", ["checkout", "continue"])
async def test_a_form_from_elsewhere_is_refused_even_with_the_right_token(
    site: Site, fan: Visitor, headers: dict[str, str], action: str
) -> None:
    page = await fan.submit(await fan.sign_in(), f"/j/gold/{action}", headers=headers)
    assert page.status == 403
    assert "Open your link again" in page.text
    assert not site.checkouts.started


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
@pytest.mark.parametrize("action", ["checkout", "continue", "portal"])
async def test_a_form_without_our_token_is_refused(site: Site, fan: Visitor, token: str | None, action: str) -> None:
    await fan.sign_in()
    answer = await fan.request("POST", f"/j/gold/{action}", data={} if token is None else {"token": token, "more": "1"})
    assert answer.status == 403
    assert not site.checkouts.started
    assert not site.checkouts.portals


async def test_the_token_of_one_browser_is_worth_nothing_in_another(site: Site, fan: Visitor) -> None:
    async with site.visitor() as attacker:
        lure = (await attacker.sign_in()).form(PAY)
    await fan.sign_in()
    assert (await fan.request("POST", PAY, data=lure)).status == 403


async def test_a_page_from_before_the_sign_in_as_somebody_else_pays_for_nobody(site: Site, fan: Visitor) -> None:
    as_ben = await fan.sign_in()
    site.platform.people["code-of-cas"] = LinkedAccount(PlatformUserId("9"), "", "cas", None, None)
    away = await fan.submit(as_ben, "/j/gold/continue")
    await fan.get(f"/oauth/{LODGE}/callback?code=code-of-cas&state={away.state}")
    assert (await fan.submit(as_ben, PAY)).status == 403
    assert not site.checkouts.started


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
async def test_only_plain_forms_are_read(site: Site, fan: Visitor, content_type: str) -> None:
    page = await fan.sign_in()
    body = f"token={page.form(PAY)['token']}".encode()
    assert (await fan.request("POST", PAY, data=body, headers={"Content-Type": content_type})).status == 403
    assert not site.checkouts.started


async def test_a_browser_that_keeps_no_cookie_is_told_so(site: Site, fan: Visitor) -> None:
    form = (await fan.get("/j/gold")).form("/j/gold/continue")
    async with site.visitor() as forgetful:
        page = await forgetful.request("POST", "/j/gold/continue", data=form)
    assert page.status == 403
    assert "We need one cookie" in page.text
    assert "Allow cookies for this site, then open your link again." in page.text


async def test_a_form_of_another_site_is_stopped_and_says_how_to_go_on(site: Site, fan: Visitor) -> None:
    page = await fan.submit(await fan.sign_in(), PAY, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert page.status == 403
    assert "We stopped that" in page.text
    assert "That did not come from our page. Open your link again and use the button there." in page.text
    assert not site.checkouts.started


async def test_a_page_that_was_open_for_too_long_says_how_to_go_on(fan: Visitor) -> None:
    await fan.sign_in()
    page = await fan.request("POST", PAY, data={"token": "of yesterday"})
    assert page.status == 403
    assert "This page was open too long, or is from before you signed in. Open your link again." in page.text


async def test_a_cookie_that_is_not_of_ours_is_replaced(fan: Visitor) -> None:
    page = await fan.get("/j/gold", headers={"Cookie": "doorman=<script>"})
    assert len(page.cookies["doorman"]) == 43


@pytest.mark.parametrize("field", ["community_id", "user", "price", "plan", "code", "next", "return_url"])
async def test_fields_a_page_does_not_have_change_nothing(site: Site, fan: Visitor, field: str) -> None:
    page = await fan.sign_in()
    away = await fan.request("POST", PAY, data=page.form(PAY) | {field: "https://evil.example"})
    assert away.location == "https://checkout.stripe.example/c/pay/cs_1"
    assert site.checkouts.started == [("gold", BEN)]


async def test_a_member_is_told_so_and_led_to_the_portal(site: Site, fan: Visitor) -> None:
    site.checkouts.answer = Refusal("already_member", "You have “Gold” already. Nothing was charged.")
    page = await fan.submit(await fan.sign_in(), PAY)
    assert page.status == 409
    assert "You have “Gold” already. Nothing was charged." in page.text
    away = await fan.submit(page, "/j/gold/portal")
    assert (away.status, away.location) == (303, "https://billing.stripe.example/p/session/1")
    assert site.checkouts.portals == [("community", BEN, f"{site.base}/j/gold")]


async def test_a_member_whose_card_failed_is_led_to_the_portal_too(site: Site, fan: Visitor) -> None:
    site.checkouts.answer = Refusal("payment_waiting", "Put your card right in the portal.")
    page = await fan.submit(await fan.sign_in(), PAY)
    assert "A payment is waiting for you" in page.text
    assert page.has_form("/j/gold/portal")


async def test_a_personal_link_in_other_hands_opens_nobodys_portal(site: Site, fan: Visitor) -> None:
    site.invites.sell(bound=ANN)
    site.checkouts.answer = Refusal("already_member", "You have “Gold” already.")
    page = await fan.submit(await fan.get("/j/gold"), PAY)
    assert not page.has_form("/j/gold/portal")
    assert page.has_form("/j/gold/continue"), "but whoever proves to be that person may"
    token = page.form("/j/gold/continue")
    assert (await fan.request("POST", "/j/gold/portal", data=token)).location == "/j/gold?note=again"
    assert not site.checkouts.portals


async def test_the_portal_is_that_of_who_signed_in_and_not_of_whom_the_link_names(site: Site, fan: Visitor) -> None:
    await fan.sign_in()
    site.invites.sell("anns", bound=ANN)
    site.checkouts.answer = Refusal("already_member", "You have “Gold” already.")
    page = await fan.submit(await fan.get("/j/anns"), "/j/anns/checkout")
    assert not page.has_form("/j/anns/portal")
    await fan.request("POST", "/j/anns/portal", data=page.form("/j/anns/continue"))
    assert [who for _, who, _ in site.checkouts.portals] == [BEN]


@pytest.mark.parametrize("code", ["invite_expired", "invite_used_up", "plan_archived"])
async def test_a_link_that_ran_out_meanwhile_charges_nobody(site: Site, fan: Visitor, code: str) -> None:
    page = await fan.sign_in()
    site.checkouts.answer = Refusal(code, "It is over. Ask for a new one.")
    answer = await fan.submit(page, PAY)
    assert answer.status == 410
    assert "Ask for a new one." in answer.text


async def test_somebody_elses_link_is_refused(site: Site, fan: Visitor) -> None:
    site.checkouts.answer = Refusal("invite_not_yours", "This link is for @ann alone.")
    answer = await fan.submit(await fan.sign_in(), PAY)
    assert (answer.status, "for @ann alone" in answer.text) == (403, True)


@pytest.mark.parametrize(("error", "status"), [(TransientError("timeout"), 503), (PermanentError("no such price"), 502)])
async def test_a_processor_that_fails_is_no_charge_and_no_secret(site: Site, fan: Visitor, error: Exception, status: int) -> None:
    site.checkouts.answer = error
    page = await fan.submit(await fan.sign_in(), PAY)
    assert page.status == status
    assert "Nothing was charged" in page.text
    assert str(error) not in page.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "https:///x", ""])
async def test_no_redirect_leads_anywhere_but_to_a_page(site: Site, fan: Visitor, url: str) -> None:
    site.checkouts.answer = url
    answer = await fan.submit(await fan.sign_in(), PAY)
    assert answer.status == 500
    assert "Location" not in answer.headers


@pytest.mark.parametrize("code", ["//evil.example", "..%2f..%2fevil", "%5C%5Cevil.example", "a%0d%0aSet-Cookie:x=1", "%3Cscript%3E"])
async def test_no_code_makes_a_redirect_that_leaves_us(site: Site, fan: Visitor, code: str) -> None:
    for path in (f"/j/{code}", f"/j/{code}?note=denied&next=//evil.example", f"/oauth/{LODGE}/callback?state=x&next=//evil.example"):
        answer = await fan.get(path)
        assert answer.status in {400, 404}
        assert "Location" not in answer.headers
        assert "x" not in answer.cookies
    assert not site.checkouts.started
