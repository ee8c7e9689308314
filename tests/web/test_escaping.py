from collections.abc import Callable, Coroutine
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from core.errors import Refusal
from core.ids import PlatformUserId
from core.people import Identity
from core.platform import LinkedAccount
from tests.web.fakes import LODGE, FakeGift, FakeTip, FakeWelcome, plan
from tests.web.site import Site, Visitor

CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</main><iframe src=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "${7*7}<%= 7 %>",
    "javascript:alert(1)",
    "&lt;b&gt; & <b>",
    "\u202etxt.exe\u2066",
    "<a href=javascript:alert(1)>@everyone</a>",
    "line\r\nSet-Cookie: evil=1",
    "🏴\u0000\ufeff",
]


class Tags(HTMLParser):
    """The tags and attributes of a page, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))


Show = Callable[[Site, Visitor, str], Coroutine[None, None, str]]


async def offered(site: Site, fan: Visitor, text: str) -> str:
    gold = replace(plan(description=text), name=text)
    gold = replace(gold, resources=(replace(gold.resources[0], name=text, space_name=text),))
    site.invites.sell(plan=gold, community_name=text)
    return (await fan.get("/j/gold")).text


async def bound(site: Site, fan: Visitor, text: str) -> str:
    site.invites.sell(bound=Identity(LODGE, "", PlatformUserId("7"), text))
    return (await fan.get("/j/gold")).text


async def signed_in(site: Site, fan: Visitor, text: str) -> str:
    site.platform.people["code-of-ben"] = LinkedAccount(PlatformUserId("8"), "", text, None, None)
    return (await fan.sign_in()).text


async def already(site: Site, fan: Visitor, text: str) -> str:
    site.invites.sell(community_name=text, bound=Identity(LODGE, "", PlatformUserId("7"), text))
    site.checkouts.answer = Refusal("already_member", text)
    return (await fan.submit(await fan.get("/j/gold"), "/j/gold/checkout")).text


async def refused(site: Site, fan: Visitor, text: str) -> str:
    site.invites.links["gold"] = Refusal("invite_expired", text)
    return (await fan.get("/j/gold")).text


async def welcomed(site: Site, fan: Visitor, text: str) -> str:
    site.statuses.orders["order"] = FakeWelcome(community_name=text, plan_name=text, waiting=text, notices=(text,), invite_code=text)
    return (await fan.get("/welcome/order")).text


async def expired(site: Site, fan: Visitor, text: str) -> str:
    site.statuses.orders["order"] = FakeWelcome(invite_code=text, paid=False, state="expired")
    return (await fan.get("/welcome/order")).text


async def tipped(site: Site, fan: Visitor, text: str) -> str:
    site.tips.tips["tip"] = FakeTip(community_name=text, state="expired")
    return (await fan.get("/tip/tip")).text


async def sold_out(site: Site, fan: Visitor, text: str) -> str:
    page = await fan.sign_in()
    site.invites.sell(community_name=text, plan=replace(plan(), name=text))
    site.checkouts.answer = Refusal("sold_out", text)
    return (await fan.submit(page, "/j/gold/checkout")).text


async def gift(site: Site, fan: Visitor, text: str) -> str:
    site.gifts.gifts["gift"] = FakeGift(community_name=text, plan_name=text, giver=text, lasts=text)
    return (await fan.get("/gift/gift")).text


async def given(site: Site, fan: Visitor, text: str) -> str:
    site.gifts.gifts["gift"] = FakeGift("taken", community_name=text, plan_name=text, lasts=text)
    return (await fan.get("/given/gift")).text


@pytest.mark.parametrize("show", [offered, bound, signed_in, already, refused, welcomed, expired, tipped, sold_out, gift, given])
async def test_what_people_write_is_shown_and_never_obeyed(site: Site, fan: Visitor, show: Show) -> None:
    plain = Tags(await show(site, fan, "word")).found
    for text in CORPUS:
        assert Tags(await show(site, fan, text)).found == plain, f"{text!r} brings a tag or an attribute along"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,<script>", "//evil.example"])
@pytest.mark.parametrize("field", ["invite_url", "checkout_url"])
async def test_an_address_that_is_no_page_is_never_put_behind_a_button(site: Site, fan: Visitor, url: str, field: str) -> None:
    paid = field == "invite_url"
    urls = {"invite_url": "", "checkout_url": ""} | {field: url}
    site.statuses.orders["order"] = FakeWelcome(
        paid=paid, state="paid" if paid else "open", invite_url=urls["invite_url"], checkout_url=urls["checkout_url"]
    )
    page = await fan.get("/welcome/order")
    assert page.status == 500
    assert url not in page.text


async def test_a_name_that_turns_the_writing_around_turns_only_itself(site: Site, fan: Visitor) -> None:
    page = await bound(site, fan, "\u202enimda")
    assert "<bdi>@\u202enimda</bdi>" in page
