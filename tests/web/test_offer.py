from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import Refusal
from core.ids import PlatformName
from core.payments import IntervalUnit
from core.platform import ResourceKind
from storage.plans import ResourceView
from tests.web.fakes import ANN, HARBOUR, FakeInvite, plan
from tests.web.site import Site, Visitor


async def test_a_stranger_sees_the_community_the_plan_the_price_and_what_they_get(site: Site, fan: Visitor) -> None:
    site.invites.sell(plan=plan(description="Everything behind the scenes"))
    page = await fan.get("/j/gold")
    assert page.status == 200
    for word in ("<title>Gold in Ann&#39;s den</title>", "9.99 USD</strong> per month", "Everything behind the scenes", "role in", "Lodge"):
        assert word in page.text


async def test_a_stranger_is_asked_to_sign_in_before_anything_else(fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    assert "Continue with Lodge" in page.text
    assert page.has_form("/j/gold/continue")
    assert not page.has_form("/j/gold/checkout")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (IntervalUnit.WEEK, "Renews every week."),
        (IntervalUnit.MONTH, "Renews every month."),
        (IntervalUnit.YEAR, "Renews every year."),
        (IntervalUnit.DAYS, "Paid once for 1 day. It does not renew."),
        (IntervalUnit.ONCE, "Paid once, yours for life."),
    ],
)
async def test_the_page_says_what_happens_after_the_first_payment(site: Site, fan: Visitor, interval: IntervalUnit, words: str) -> None:
    site.invites.sell(plan=plan(interval=interval))
    assert words in (await fan.get("/j/gold")).text


@pytest.mark.parametrize(("days", "words"), [(0, ""), (1, "Your first day is free"), (14, "Your first 14 days are free")])
async def test_a_trial_is_named_only_where_there_is_one(site: Site, fan: Visitor, days: int, words: str) -> None:
    site.invites.sell(plan=plan(trial_days=days))
    page = (await fan.get("/j/gold")).text
    assert words in page
    assert (" free" in page) is (days > 0)


async def test_the_end_of_a_link_is_shown_in_words_and_utc(site: Site, fan: Visitor) -> None:
    site.invites.sell(invite=FakeInvite("gold", datetime(2026, 12, 2, 9, 5, tzinfo=UTC)))
    assert "This link works until 2 December 2026, 09:05 UTC." in (await fan.get("/j/gold")).text


async def test_a_plan_of_two_platforms_names_the_place_of_each_thing(site: Site, fan: Visitor) -> None:
    gold = plan()
    quay = ResourceView("2", "quay", ResourceKind.USER_GROUP, HARBOUR, "Ann & co", "")
    site.invites.sell(plan=type(gold)(**{name: getattr(gold, name) for name in gold.__slots__} | {"resources": (*gold.resources, quay)}))
    page = (await fan.get("/j/gold")).text
    assert "role in <bdi>Ann&#39;s den</bdi> on Lodge" in page
    assert "group in <bdi>Ann &amp; co</bdi> on Harbour" in page


async def test_a_personal_link_goes_straight_to_the_confirmation(site: Site, fan: Visitor) -> None:
    site.invites.sell(bound=ANN)
    page = await fan.get("/j/gold")
    assert "@ann" in page.text
    assert "for that account only" in page.text
    assert page.has_form("/j/gold/checkout")
    assert not page.has_form("/j/gold/continue")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invite_unknown", 404),
        ("invite_expired", 410),
        ("invite_used_up", 410),
        ("invite_revoked", 410),
        ("plan_archived", 410),
        ("plan_broken", 409),
        ("a_code_of_tomorrow", 409),
    ],
)
async def test_a_link_that_does_not_sell_says_why_and_what_to_do(site: Site, fan: Visitor, code: str, status: int) -> None:
    site.invites.links["gold"] = Refusal(code, "This is why. Do that next.")
    page = await fan.get("/j/gold")
    assert page.status == status
    assert "This is why. Do that next." in page.text
    assert "<form" not in page.text


async def test_each_refusal_has_a_heading_of_its_own(site: Site, fan: Visitor) -> None:
    titles = set()
    codes = ("invite_unknown", "invite_expired", "invite_used_up", "invite_revoked", "plan_archived", "plan_broken")
    for code in codes:
        site.invites.links["gold"] = Refusal(code, "Why.")
        text = (await fan.get("/j/gold")).text
        titles.add(text.partition("<h1>")[2].partition("</h1>")[0])
    assert len(titles) == len(codes)


async def test_a_link_of_a_platform_that_is_switched_off_says_so_and_charges_nothing(site: Site, fan: Visitor) -> None:
    gold = replace(plan(), resources=(replace(plan().resources[0], platform=PlatformName("elsewhere")),))
    site.invites.sell(platform="elsewhere", plan=gold)
    page = await fan.get("/j/gold")
    assert page.status == 503
    assert "Nothing was charged" in page.text


async def test_a_note_is_one_of_ours_or_none(fan: Visitor) -> None:
    assert "nothing was linked" in (await fan.get("/j/gold?note=denied")).text
    assert "pay me" not in (await fan.get("/j/gold?note=pay+me")).text


async def test_looking_at_an_offer_changes_nothing(site: Site, fan: Visitor) -> None:
    for _ in range(3):
        await fan.get("/j/gold")
    assert not site.checkouts.started
    assert not site.platform.exchanged
