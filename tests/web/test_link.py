"""A page that adds an account to a membership: the code proves the one side, signing in the other."""

import pytest
from sqlmodel import select

from core.ids import CauseId, MemberId, PlatformUserId, SpaceId
from core.people import Identity
from core.platform import LinkedAccount
from membership.linking import CODE_LIFE
from sandbox.clock import VirtualClock
from storage.accounts import AccountRow
from storage.spaces import SpaceRow
from storage.states import BrowserRow, StateRow
from tests.membership.town import Town
from tests.web.fakes import HARBOUR, LODGE
from tests.web.site import Answer, Site, Visitor

CAUSE = CauseId("a test")


class Twofold(Town):
    """A community in a lodge and a harbour, and one member who is in the lodge."""

    site: Site
    ann: MemberId

    async def build(self) -> None:
        await super().build()
        harbour = SpaceRow(
            id=SpaceId("harbour"), community_id=self.id, platform=HARBOUR, realm="W1", external_id="W1", name="The pier",
            installer=PlatformUserId("1"), created_at=self.now,
        )  # fmt: skip
        await self.store([harbour])
        self.ann = await self.member()

    async def page(self) -> str:
        who = Identity(LODGE, "", PlatformUserId(self.ann), "ann")
        made = await self.site.linking.offer(self.id, who, cause=CAUSE)
        return f"/link/{made.code}"

    async def accounts(self) -> set[tuple[str, bool]]:
        async with self.db.reading() as session:
            rows = (await session.exec(select(AccountRow).where(AccountRow.member_id == self.ann))).all()
        return {(row.external_id, row.active) for row in rows}


@pytest.fixture
async def town(site: Site, clock: VirtualClock) -> Twofold:
    built = Twofold(site.db, clock.now(), platform=LODGE)
    built.site = site
    await built.build()
    site.harbour.people["code-of-anna"] = LinkedAccount(PlatformUserId("U1"), "W1", "anna", None, None)
    return built


async def leave(fan: Visitor, path: str, platform: str = HARBOUR) -> Answer:
    return await fan.submit(await fan.get(path), f"{path}/continue/{platform}")


async def test_the_page_says_whose_membership_it_is_and_where_one_can_continue(town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    page = await fan.get(path)
    assert page.status == 200
    assert f"the membership of <strong><bdi>@{town.ann}</bdi></strong> on Lodge. Continue only if that is you." in page.text
    assert "Continue with Harbour" in page.text
    assert "Use another Lodge account" in page.text
    assert "form-action 'self' https://lodge.example https://harbour.example" in page.headers["Content-Security-Policy"]


async def test_the_account_that_comes_back_is_linked(town: Twofold, fan: Visitor) -> None:
    away = await leave(fan, await town.page())
    back = await fan.get(f"/oauth/harbour/callback?code=code-of-anna&state={away.state}")
    assert (back.status, back.location) == (303, "/linked?note=linked")
    assert "Your account is linked" in (await fan.get(back.location)).text
    assert await town.accounts() == {(town.ann, True), ("U1", True)}


async def test_the_browser_proves_nothing_by_it(town: Twofold, fan: Visitor) -> None:
    away = await leave(fan, await town.page())
    await fan.get(f"/oauth/harbour/callback?code=code-of-anna&state={away.state}")
    async with town.db.reading() as session:
        assert not (await session.exec(select(BrowserRow))).all()


async def test_the_state_is_of_its_own_purpose_and_holds_only_the_code_s_hash(town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    await leave(fan, path)
    async with town.db.reading() as session:
        rows = {row.purpose: row for row in (await session.exec(select(StateRow))).all()}
    assert set(rows) == {"link_code", "link"}
    assert rows["link"].subject == rows["link_code"].state_hash
    assert path.rpartition("/")[2] not in rows["link"].model_dump_json()


async def test_a_code_works_once_whoever_opens_its_page(site: Site, town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    async with site.visitor() as other:
        first, second = await leave(fan, path), await leave(other, path)
        await fan.get(f"/oauth/harbour/callback?code=code-of-anna&state={first.state}")
        site.harbour.people["code-of-eve"] = LinkedAccount(PlatformUserId("U2"), "W1", "eve", None, None)
        late = await other.get(f"/oauth/harbour/callback?code=code-of-eve&state={second.state}")
    assert late.status == 410
    assert "/link gives you a new one" in late.text
    assert await town.accounts() == {(town.ann, True), ("U1", True)}
    assert (await fan.get(path)).status == 410


async def test_another_account_of_the_same_place_takes_the_place_of_the_one_before(town: Twofold, fan: Visitor) -> None:
    away = await leave(fan, await town.page(), LODGE)
    back = await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
    assert back.location == "/linked?note=waits"
    assert "taken out first" in (await fan.get(back.location)).text
    assert await town.accounts() == {(town.ann, False), ("8", False)}


async def test_a_no_on_the_platform_links_nothing_and_leaves_the_code_good(town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    away = await leave(fan, path)
    back = await fan.get(f"/oauth/harbour/callback?error=access_denied&state={away.state}")
    assert back.location == "/linked?note=denied"
    assert "Nothing was linked" in (await fan.get(back.location)).text
    assert (await fan.get(path)).status == 200


async def test_an_account_with_a_membership_of_its_own_is_refused_with_the_reason(town: Twofold, fan: Visitor) -> None:
    other = await town.member()
    await town.order(other)
    town.site.platform.people["code-of-other"] = LinkedAccount(PlatformUserId(other), "", other, None, None)
    away = await leave(fan, await town.page(), LODGE)
    page = await fan.get(f"/oauth/lodge/callback?code=code-of-other&state={away.state}")
    assert page.status == 409
    assert "has a membership or payments of its own" in page.text
    assert await town.accounts() == {(town.ann, True)}


async def test_a_page_whose_time_is_over_says_how_to_get_a_new_code(town: Twofold, fan: Visitor, clock: VirtualClock) -> None:
    path = await town.page()
    clock.advance(CODE_LIFE)
    page = await fan.get(path)
    assert page.status == 410
    assert "/link gives you a new one" in page.text


async def test_a_foreign_page_cannot_press_the_button(town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    form = (await fan.get(path)).form(f"{path}/continue/harbour")
    for headers, data in (({"Origin": "https://evil.example"}, form), ({"Sec-Fetch-Site": "same-origin"}, {"token": "guess"})):
        assert (await fan.request("POST", f"{path}/continue/harbour", data=data, headers=headers)).status == 403


async def test_a_platform_the_community_is_not_on_is_not_there(town: Twofold, fan: Visitor) -> None:
    path = await town.page()
    form = (await fan.get(path)).form(f"{path}/continue/harbour")
    answer = await fan.request("POST", f"{path}/continue/nowhere", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 404


async def test_a_round_trip_begun_for_a_link_does_not_end_as_a_sign_in_at_an_offer(town: Twofold, fan: Visitor) -> None:
    away = await leave(fan, await town.page(), LODGE)
    await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}")
    assert "Continue with Lodge" in (await fan.get("/j/gold")).text


async def test_nobody_is_asked_to_do_anything_with_an_unknown_note(fan: Visitor) -> None:
    assert "Your account is linked" in (await fan.get("/linked?note=%3Cb%3E")).text
