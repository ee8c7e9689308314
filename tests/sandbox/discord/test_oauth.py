"""Signing in: what the page asks, where it leads, and which tokens live how long."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from sandbox.discord import permissions as p
from sandbox.discord.browser import PageError, authorize
from tests.sandbox.discord.conftest import REDIRECT, Rig


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as one:
        yield one


def link(rig: Rig, **changes: str) -> str:
    query = {
        "response_type": "code",
        "client_id": rig.served.client_id,
        "scope": "identify guilds.join",
        "state": "st",
        "redirect_uri": REDIRECT,
    }
    return f"{rig.served.authorize_url}?{urlencode({**query, **changes})}"


async def allowed(rig: Rig, **changes: str) -> str:
    return parse_qs(urlsplit(await rig.ann.authorize(link(rig, **changes))).query)["code"][0]


async def ask(rig: Rig, session: aiohttp.ClientSession, tail: str = "", **form: str) -> tuple[int, dict[str, Any]]:
    data = {"client_id": rig.served.client_id, "client_secret": rig.served.client_secret, **form}
    async with session.post(f"{rig.served.api_url}/oauth2/token{tail}", data=data) as response:
        return response.status, await response.json()


async def exchange(rig: Rig, session: aiohttp.ClientSession, code: str, **form: str) -> tuple[int, dict[str, Any]]:
    return await ask(rig, session, **{"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **form})


async def me(rig: Rig, session: aiohttp.ClientSession, token: str, path: str = "/users/@me") -> tuple[int, Any]:
    async with session.get(rig.served.api_url + path, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status, await response.json()


async def test_saying_no_leads_back_with_the_error_and_the_state(rig: Rig) -> None:
    answer = parse_qs(urlsplit(await rig.ann.authorize(link(rig), allow=False)).query)
    assert (answer["error"], answer["state"]) == (["access_denied"], ["st"])
    assert "code" not in answer


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"redirect_uri": "http://127.0.0.1:9/callback/"}, "Invalid OAuth2 redirect_uri"),
        ({"redirect_uri": "http://evil.example/"}, "Invalid OAuth2 redirect_uri"),
        ({"redirect_uri": ""}, "redirect_uri must be provided"),
        ({"client_id": "5"}, "Unknown application"),
        ({"permissions": "x"}, "Invalid permissions"),
    ],
)
async def test_a_wrong_link_is_a_page_and_never_a_redirect(rig: Rig, changes: dict[str, str], why: str) -> None:
    with pytest.raises(PageError, match=why):
        await rig.ann.authorize(link(rig, **changes))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "identify nonsense"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_what_cannot_be_asked_for_is_told_to_the_app(rig: Rig, changes: dict[str, str], error: str) -> None:
    assert parse_qs(urlsplit(await rig.ann.authorize(link(rig, **changes))).query)["error"] == [error]


async def test_a_code_works_once_for_its_address_and_for_ten_minutes(rig: Rig, session: aiohttp.ClientSession) -> None:
    code = await allowed(rig)
    status, tokens = await exchange(rig, session, code)
    assert (status, tokens["token_type"], tokens["expires_in"], tokens["scope"]) == (200, "Bearer", 604800, "identify guilds.join")
    assert (await exchange(rig, session, code))[1]["error"] == "invalid_grant"
    assert (await exchange(rig, session, await allowed(rig), redirect_uri="http://127.0.0.1:9/other"))[1]["error"] == "invalid_grant"
    stale = await allowed(rig)
    rig.clock.advance(timedelta(minutes=10))
    assert (await exchange(rig, session, stale))[0] == 400


async def test_the_app_must_say_who_it_is_and_in_a_form(rig: Rig, session: aiohttp.ClientSession) -> None:
    code = await allowed(rig)
    assert await exchange(rig, session, code, client_secret="wrong") == (401, {"error": "invalid_client"})
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    login = {"Authorization": aiohttp.encode_basic_auth(rig.served.client_id, rig.served.client_secret)}
    url = f"{rig.served.api_url}/oauth2/token"
    async with session.post(url, json=body, headers=login) as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
    async with session.post(url, data=body, headers={"Authorization": "Basic ???"}) as response:
        assert response.status == 401
    assert (await ask(rig, session, grant_type="password"))[1]["error"] == "unsupported_grant_type"
    async with session.post(url.replace("/v10", ""), data=body, headers=login) as response:
        assert response.status == 200


async def test_tokens_run_out_are_refreshed_and_the_old_pair_dies(rig: Rig, session: aiohttp.ClientSession) -> None:
    first = (await exchange(rig, session, await allowed(rig)))[1]
    assert (await me(rig, session, first["access_token"]))[1]["username"] == "ann"
    rig.clock.advance(timedelta(days=7))
    assert (await me(rig, session, first["access_token"]))[0] == 401
    second = (await ask(rig, session, grant_type="refresh_token", refresh_token=first["refresh_token"]))[1]
    assert (await me(rig, session, second["access_token"]))[0] == 200
    assert (await ask(rig, session, grant_type="refresh_token", refresh_token=first["refresh_token"]))[1]["error"] == "invalid_grant"


async def test_revoking_one_token_kills_every_token_of_that_person(rig: Rig, session: aiohttp.ClientSession) -> None:
    first, second = [(await exchange(rig, session, await allowed(rig)))[1] for _ in range(2)]
    assert (await ask(rig, session, "/revoke", token=first["refresh_token"]))[0] == 200
    for tokens in (first, second):
        assert (await me(rig, session, tokens["access_token"]))[0] == 401


async def test_a_persons_token_opens_only_what_it_was_given_for(rig: Rig, session: aiohttp.ClientSession) -> None:
    narrow = (await exchange(rig, session, await allowed(rig)))[1]["access_token"]
    mine = f"/users/@me/guilds/{rig.server.id}/member"
    assert (await me(rig, session, narrow, mine))[1]["code"] == 50001
    assert (await me(rig, session, narrow, "/users/@me/guilds"))[1]["code"] == 50001
    assert (await me(rig, session, narrow, f"/guilds/{rig.server.id}"))[0] == 401
    assert (await me(rig, session, narrow, "/oauth2/@me"))[1]["scopes"] == ["identify", "guilds.join"]
    wide = (await exchange(rig, session, await allowed(rig, scope="identify guilds guilds.members.read")))[1]["access_token"]
    rig.server.give_role(rig.ann, rig.server.role("Gold"))
    assert (await me(rig, session, wide, mine))[1]["roles"] == [str(rig.server.role("Gold").id)]
    assert [one["name"] for one in (await me(rig, session, wide, "/users/@me/guilds"))[1]] == ["Ann's place"]


async def test_prompt_none_passes_by_only_those_who_allowed_it_before(rig: Rig, session: aiohttp.ClientSession) -> None:
    url = link(rig, prompt="none") + "&as=ann"
    async with session.get(url, allow_redirects=False) as response:
        assert response.status == 200
    await allowed(rig)
    async with session.get(url, allow_redirects=False) as response:
        assert response.status == 302


async def test_a_stranger_to_the_page_chooses_who_they_are_first(rig: Rig, session: aiohttp.ClientSession) -> None:
    async with session.get(link(rig)) as response:
        page = await response.text()
    assert "Who are you?" in page
    assert 'value="ann"' in page
    target = link(rig).removeprefix(rig.served.base_url)
    async with session.post(f"{rig.served.base_url}/login", data={"person": "ann", "next": target}) as response:
        assert "Signed in as <strong>@ann</strong>" in await response.text()
    rig.discord.people.user("fan")
    async with session.get(f"{rig.served.base_url}/login?next=/channels/{rig.server.id}") as response:
        assert 'value="fan"' in await response.text()
    async with session.post(f"{rig.served.base_url}/login", data={"person": "fan", "next": target}) as response:
        assert "Signed in as <strong>@fan</strong>" in await response.text()
    for elsewhere in ("//evil.example", "http://evil.example", "/\\evil.example"):
        async with session.post(
            f"{rig.served.base_url}/login", data={"person": "ann", "next": elsewhere}, allow_redirects=False
        ) as response:
            assert response.status == 400


async def test_a_consent_form_counts_once_and_only_for_who_was_asked(rig: Rig, session: aiohttp.ClientSession) -> None:
    rig.discord.people.user("mallory")
    async with session.get(link(rig) + "&as=ann") as response:
        ticket = (await response.text()).split('name="ticket" value="')[1].split('"')[0]
    decide = f"{rig.served.base_url}/oauth2/authorize"
    form = {"ticket": ticket, "decision": "authorise"}
    async with session.post(f"{decide}?as=mallory", data=form, allow_redirects=False) as response:
        assert response.status == 400
    async with session.post(decide, data=form, allow_redirects=False) as response:
        assert response.status == 400


async def test_names_are_escaped_on_pages(rig: Rig, session: aiohttp.ClientSession) -> None:
    server = rig.discord.people.guild(rig.ann, "<script>alert(1)</script>")
    async with session.get(f"{rig.served.base_url}/channels/{server.id}?as=ann") as response:
        page = await response.text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_installing_the_bot_adds_it_with_the_rights_asked_for(rig: Rig) -> None:
    place = rig.discord.people.guild(rig.ann, "New place")
    url = f"{rig.served.authorize_url}?client_id={rig.served.client_id}&scope=bot%20applications.commands&permissions={p.MANAGE_ROLES}"
    assert await authorize(url, "ann", guild_id=place.id) == ""
    assert place.bot_role.permissions == p.MANAGE_ROLES
    assert place.bot_role.position == 1
    landed = await authorize(f"{url}&redirect_uri={REDIRECT}&response_type=code&state=x", "ann", guild_id=place.id)
    assert parse_qs(urlsplit(landed).query)["guild_id"] == [str(place.id)]


async def test_nobody_installs_a_bot_where_they_do_not_manage(rig: Rig) -> None:
    rig.discord.people.user("fan").join(rig.server, rig.server.invite())
    rig.server.kick_bot()
    url = f"{rig.served.authorize_url}?client_id={rig.served.client_id}&scope=bot&permissions=0"
    with pytest.raises(PageError, match="Manage Server"):
        await authorize(url, "fan", guild_id=rig.server.id)
    assert rig.discord.model.bot.id not in rig.server.guild.members


async def test_an_invite_is_accepted_in_the_browser(rig: Rig, session: aiohttp.ClientSession) -> None:
    fan = rig.discord.people.user("fan")
    page = f"{rig.served.base_url}/invite/{rig.server.invite()}"
    async with session.get(f"{page}?as=fan") as response:
        assert "invited you to join" in await response.text()
    async with session.post(page) as response:
        assert "You are in as" in await response.text()
    assert rig.server.has(fan)
    async with session.get(f"{rig.served.base_url}/invite/nothing") as response:
        assert response.status == 404
