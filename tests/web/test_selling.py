"""Pages of what is sold: several prices, amounts people choose, seats, approval, and gifts."""

from dataclasses import replace

import pytest

from core.errors import Refusal
from core.ids import PlatformUserId, PriceId
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.people import Identity
from storage.plans import PlanView, PriceView
from storage.states import hashed
from tests.web.fakes import LODGE, FakeGift, plan
from tests.web.site import Answer, Site, Visitor

PAY, BEN = "/j/gold/checkout", Identity(LODGE, "", PlatformUserId("8"), "ben")
MONTHLY = PriceView(PriceId("price"), Money(999, "USD"), Interval(IntervalUnit.MONTH))
YEARLY = PriceView(PriceId("year"), Money(9900, "USD"), Interval(IntervalUnit.YEAR))
FREE = PriceView(PriceId("free"), Money(2000, "USD"), Interval(IntervalUnit.ONCE), Money(500, "USD"))


def several(*prices: PriceView, **changed: object) -> PlanView:
    return replace(plan(), prices=prices or (MONTHLY, YEARLY), **changed)  # type: ignore[arg-type]


async def pays(fan: Visitor, **typed: str) -> Answer:
    page = await fan.sign_in()
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    return await fan.request("POST", PAY, data={**page.form(PAY), **typed}, headers=headers)


async def test_the_page_offers_every_price_and_the_checkout_is_of_the_one_that_is_chosen(site: Site, fan: Visitor) -> None:
    site.invites.sell(plan=several())
    page = (await fan.sign_in()).text
    assert "<strong>9.99 USD</strong> per month" in page
    assert "<strong>99.00 USD</strong> per year" in page
    assert 'type="radio" name="price" value="price" checked' in page
    assert (await pays(fan, price="year")).status == 303
    assert site.checkouts.chosen == [("year", None)]


async def test_one_price_needs_no_choice(site: Site, fan: Visitor) -> None:
    page = await fan.sign_in()
    assert 'type="radio"' not in page.text
    await fan.submit(page, PAY)
    assert site.checkouts.chosen == [("price", None)]


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ({"price": "free", "amount": "7.50"}, ("free", Money(750, "USD"))),
        ({"price": "free", "amount": " "}, ("free", None)),
        ({"price": "free"}, ("free", None)),
        ({"price": "price", "amount": "1"}, ("price", None)),
    ],
)
async def test_what_the_payer_likes_to_pay_counts_where_they_may_choose(
    site: Site, fan: Visitor, typed: dict[str, str], chosen: tuple[str, Money | None]
) -> None:
    site.invites.sell(plan=several(MONTHLY, FREE))
    assert (await pays(fan, **typed)).status == 303
    assert site.checkouts.chosen == [chosen]


async def test_an_amount_nobody_can_read_is_refused_with_an_example(site: Site, fan: Visitor) -> None:
    site.invites.sell(plan=several(FREE))
    answer = await pays(fan, price="free", amount="a lot")
    assert answer.status == 409
    assert "Write it like 9.99 USD" in answer.text
    assert site.checkouts.started == []


async def test_a_floor_is_said_and_the_suggestion_filled_in(site: Site, fan: Visitor) -> None:
    site.invites.sell(plan=several(FREE))
    page = (await fan.sign_in()).text
    assert "<strong>5.00 USD</strong> or more once, for life: you choose" in page
    assert 'name="amount" inputmode="decimal" autocomplete="off" value="20.00 USD"' in page


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"seats": 10, "seats_left": 3}, "3 seats left."),
        ({"seats": 10, "seats_left": 1}, "1 seat left."),
        ({"seats": 10, "seats_left": 0}, "Sold out. You can get in line"),
        ({"approval": True}, "Its owner looks at everybody who asks before they pay."),
        ({"trial_days": 7, "trial_card": False}, "No card is asked for."),
        ({"trial_days": 7}, "Cancel before they end and you pay nothing."),
    ],
)
async def test_the_page_says_what_one_should_know_first(site: Site, fan: Visitor, changed: dict[str, object], says: str) -> None:
    site.invites.sell(plan=several(**changed))
    assert says in (await fan.get("/j/gold")).text


async def test_sold_out_leads_to_the_line(site: Site, fan: Visitor) -> None:
    site.checkouts.answer = Refusal("sold_out", "“Gold” is sold out: all 10 seats are taken. Nothing was charged.")
    sold_out = await fan.submit(await fan.sign_in(), PAY)
    assert (sold_out.status, "all 10 seats are taken" in sold_out.text) == (409, True)
    waits = await fan.submit(sold_out, "/j/gold/wait")
    assert (waits.status, "You are number 3 in line" in waits.text) == (200, True)
    assert site.waitlist.joined == [("gold", BEN)]


async def test_nobody_gets_in_line_before_we_know_who_they_are(site: Site, fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    answer = await fan.request("POST", "/j/gold/wait", data=page.form("/j/gold/continue"))
    assert (answer.status, answer.location) == (303, "/j/gold?note=again")
    assert site.waitlist.joined == []


async def test_whoever_must_be_accepted_first_is_told_so(site: Site, fan: Visitor) -> None:
    site.checkouts.answer = Refusal("asked_first", "Ann's den looks at everybody who asks. Your question is there.")
    asked = await fan.submit(await fan.sign_in(), PAY)
    assert (asked.status, "You have asked to be let in" in asked.text) == (409, True)


async def test_a_gift_is_taken_by_signing_in(site: Site, fan: Visitor) -> None:
    site.gifts.gifts["secret"] = FakeGift()
    page = await fan.get("/gift/secret")
    assert "Cleo" in page.text
    away = await fan.submit(page, "/gift/secret/continue/lodge")
    assert "secret" not in away.location
    back = await fan.get(f"/oauth/{LODGE}/callback?code=code-of-ben&state={away.state}")
    assert (back.status, back.location) == (303, "/linked?note=gift")
    assert site.gifts.taken == [(hashed("secret"), BEN)]
    assert "The gift is yours" in (await fan.get(back.location)).text


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("open", "not paid yet"),
        ("pending", "not paid yet"),
        ("taken", "has been taken"),
        ("refunded", "is no more"),
        ("expired", "is no more"),
    ],
)
async def test_a_gift_that_cannot_be_taken_says_why(site: Site, fan: Visitor, status: str, says: str) -> None:
    site.gifts.gifts["secret"] = FakeGift(status)
    page = await fan.get("/gift/secret")
    assert says in page.text
    assert not page.has_form("/gift/secret/continue/lodge")


@pytest.mark.parametrize("status", ["open", "pending", "paid", "taken", "failed", "expired", "refunded"])
async def test_the_giver_sees_how_their_gift_stands(site: Site, fan: Visitor, status: str) -> None:
    site.gifts.gifts["gift"] = FakeGift(status)
    page = await fan.get("/given/gift")
    assert page.status == 200
    assert ("Refresh" in page.headers) == (status in {"open", "pending"})
