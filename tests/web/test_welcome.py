from typing import Any

import pytest

from core.ids import PlatformName
from core.platform import Space
from tests.web.fakes import DEN, HARBOUR, LODGE, FakeTip, FakeWelcome
from tests.web.site import Answer, Site, Visitor


async def welcomed(site: Site, fan: Visitor, query: str = "", **facts: Any) -> Answer:  # noqa: ANN401 - whatever the fake takes
    site.statuses.orders["order"] = FakeWelcome(**facts)
    return await fan.get(f"/welcome/order{query}")


async def test_a_payer_is_told_that_they_are_being_let_in_and_the_page_looks_again(site: Site, fan: Visitor) -> None:
    page = await welcomed(site, fan)
    assert "You are paid. We are letting you in" in page.text
    assert page.headers["Refresh"] == "1; url=/welcome/order?look=1"


async def test_the_page_looks_less_often_the_longer_it_takes_and_stops_at_last(site: Site, fan: Visitor) -> None:
    pauses = []
    page = await welcomed(site, fan)
    while "Refresh" in page.headers:
        pause, _, where = page.headers["Refresh"].partition("; url=")
        pauses.append(int(pause))
        page = await fan.get(where)
    assert pauses == sorted(pauses)
    assert 20 * 60 <= sum(pauses) <= 40 * 60
    assert "Check again" in page.text


async def test_whoever_wants_the_page_to_stand_still_can_have_it(site: Site, fan: Visitor) -> None:
    assert 'href="?still"' in (await welcomed(site, fan)).text
    page = await welcomed(site, fan, "?still")
    assert "Refresh" not in page.headers
    assert "Check again" in page.text


async def test_inside_there_is_a_button_into_every_space_and_nothing_to_wait_for(site: Site, fan: Visitor) -> None:
    spaces = ((LODGE, DEN), (HARBOUR, Space(HARBOUR, "W1", "quay")), (PlatformName("gone"), DEN))
    page = await welcomed(site, fan, inside=True, spaces=spaces)
    assert "<h1>You are in</h1>" in page.text
    assert 'href="https://lodge.example/spaces/den"' in page.text
    assert "Open <bdi>Ann&#39;s den</bdi> on Harbour" in page.text
    assert "Refresh" not in page.headers


async def test_who_must_come_by_themselves_gets_the_invite_link_and_the_reason(site: Site, fan: Visitor) -> None:
    page = await welcomed(site, fan, invite_url="https://lodge.example/i/abc", waiting="Lodge did not let us bring you in.")
    assert 'href="https://lodge.example/i/abc"' in page.text
    assert "Lodge did not let us bring you in." in page.text
    assert "Refresh" in page.headers


async def test_what_could_not_be_delivered_is_said_here(site: Site, fan: Visitor) -> None:
    page = await welcomed(site, fan, inside=True, notices=("Welcome to the den!", "Read the rules."))
    assert "Welcome to the den!" in page.text
    assert "Read the rules." in page.text


@pytest.mark.parametrize(
    ("facts", "heading", "button", "updates"),
    [
        (
            {"paid": False, "state": "open", "checkout_url": "https://checkout.stripe.example/1"},
            "Waiting for your payment",
            "https://checkout.stripe.example/1",
            True,
        ),
        ({"paid": False, "state": "open"}, "Waiting for your payment", "/j/gold", True),
        ({"paid": False, "state": "pending"}, "Your payment is on its way", "", True),
        ({"paid": False, "state": "failed"}, "Your payment did not arrive", "/j/gold", False),
        ({"paid": False, "state": "expired"}, "This checkout has closed", "/j/gold", False),
        ({"paid": False, "state": "expired", "invite_code": ""}, "This checkout has closed", "", False),
        ({"paid": True, "state": "ended"}, "This membership has ended", "/j/gold", False),
    ],
)
async def test_every_way_an_order_can_stand_says_what_to_do(
    site: Site, fan: Visitor, facts: dict[str, Any], heading: str, button: str, *, updates: bool
) -> None:
    page = await welcomed(site, fan, **facts)
    assert f"<h1>{heading}</h1>" in page.text
    assert ('class="button"' in page.text) is bool(button)
    assert f'href="{button}"' in page.text or not button
    assert ("Refresh" in page.headers) is updates
    assert "letting you in" not in page.text


async def test_an_unknown_order_is_not_found_and_says_so(fan: Visitor) -> None:
    page = await fan.get("/welcome/nothing")
    assert page.status == 404
    assert "There is no such order." in page.text


async def test_the_welcome_page_never_lets_anybody_in(site: Site, fan: Visitor) -> None:
    for query in ("", "?session_id=cs_1", "?paid=1&inside=1"):
        page = await welcomed(site, fan, query, paid=False, state="open")
        assert "<h1>Waiting for your payment</h1>" in page.text
    assert (await fan.request("POST", "/welcome/order")).status == 405


@pytest.mark.parametrize("look", ["-1", "x", "1e9", "99999999999999", "%C2%B2", "%00", ""])
async def test_a_look_nobody_counted_is_the_first(site: Site, fan: Visitor, look: str) -> None:
    page = await welcomed(site, fan, f"?look={look}")
    assert page.status == 200
    assert page.headers["Refresh"].endswith("?look=1")


@pytest.mark.parametrize(
    ("state", "words", "updates"),
    [
        ("paid", "Your tip of <strong>5.00 USD</strong> has arrived.", False),
        ("open", "have not heard of your payment of <strong>5.00 USD</strong> yet", True),
        ("pending", "is on its way", True),
        ("refunded", "on its way back to you", False),
        ("expired", "Nothing was charged.", False),
    ],
)
async def test_a_tip_is_thanked_for_as_it_stands(site: Site, fan: Visitor, state: str, words: str, *, updates: bool) -> None:
    site.tips.tips["tip"] = FakeTip(state=state)
    page = await fan.get("/tip/tip")
    assert page.status == 200
    assert words in page.text
    assert ("Refresh" in page.headers) is updates


async def test_an_unknown_tip_is_not_found(fan: Visitor) -> None:
    page = await fan.get("/tip/nothing")
    assert (page.status, "There is no such tip." in page.text) == (404, True)
