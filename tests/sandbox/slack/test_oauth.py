"""Installing through the pages, tokens that rotate, and Sign in with Slack."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from slack_sdk.oauth import AuthorizeUrlGenerator, OpenIDConnectAuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from sandbox.slack import Role
from sandbox.slack.browser import PageError
from sandbox.wire import serve
from tests.sandbox.slack.conftest import REDIRECT, Rig, error_of


@dataclass(slots=True)
class Link:
    """What the product would send people to."""

    rig: Rig

    def install(self, scope: str = "commands,chat:write", **query: str) -> str:
        made = AuthorizeUrlGenerator(
            client_id=self.rig.served.client_id,
            scopes=scope.split(","),
            redirect_uri=REDIRECT,
            authorization_url=self.rig.served.authorize_url,
        ).generate("a state")
        return str(URL(made).update_query(query))

    def sign_in(self) -> str:
        return OpenIDConnectAuthorizeUrlGenerator(
            client_id=self.rig.served.client_id,
            scopes=["openid", "email", "profile"],
            redirect_uri=REDIRECT,
            authorization_url=self.rig.served.openid_url,
        ).generate("a state", nonce="a nonce")

    async def call(self, client: AsyncWebClient, method: str, **fields: str) -> AsyncSlackResponse:
        """Call as the app itself. The SDK's own methods for these use a class that aiohttp has deprecated, and warnings are errors."""
        ours = {"client_id": self.rig.served.client_id, "client_secret": self.rig.served.client_secret}
        return await client.api_call(method, data={**ours, **fields})


@pytest.fixture
def link(rig: Rig) -> Link:
    return Link(rig)


@pytest.fixture
def bare(rig: Rig) -> AsyncWebClient:
    """The SDK's client without a token."""
    return AsyncWebClient(base_url=rig.served.api_url, retry_handlers=[])


async def test_who_allows_the_app_gives_it_a_token_with_those_scopes(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    rig.slack.people.workspace(rig.bo, "Bo's place")
    place = next(one for one in rig.slack.model.workspaces.values() if one.name == "Bo's place")
    back = URL(await rig.bo.authorize(link.install(), place))
    assert (str(back.with_query(None)), back.query["state"]) == (REDIRECT, "a state")
    given = await link.call(bare, "oauth.v2.access", code=back.query["code"], redirect_uri=REDIRECT)
    assert (given["scope"], given["token_type"], given["team"]["id"]) == ("chat:write,commands", "bot", place.id)
    assert (given["authed_user"]["id"], given["enterprise"], given["is_enterprise_install"]) == (rig.bo.id(place), None, False)
    assert (await bare.auth_test(token=given["access_token"]))["user_id"] == given["bot_user_id"]
    assert "refresh_token" not in given.data


async def test_a_code_works_once_for_ten_minutes_for_us_and_for_its_own_address(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    async def code() -> str:
        return URL(await rig.ann.authorize(link.install())).query["code"]

    def access(code: str, **other: str) -> Awaitable[AsyncSlackResponse]:
        return link.call(bare, "oauth.v2.access", **{"redirect_uri": REDIRECT, "code": code, **other})

    used = await code()
    await access(used)
    assert await error_of(access(used)) == "code_already_used"
    assert await error_of(access("made-up")) == "invalid_code"
    assert await error_of(access(await code(), client_secret="wrong")) == "bad_client_secret"
    assert await error_of(access(await code(), client_id="wrong")) == "invalid_client_id"
    assert await error_of(access(await code(), redirect_uri="http://127.0.0.1:9/other")) == "bad_redirect_uri"
    old = await code()
    rig.clock.advance(timedelta(minutes=10))
    assert await error_of(access(old)) == "invalid_code"


async def test_who_says_no_goes_back_without_a_code(rig: Rig, link: Link) -> None:
    back = URL(await rig.ann.authorize(link.install(), allow=False))
    assert dict(back.query) == {"error": "access_denied", "state": "a state"}


async def test_a_link_that_is_wrong_says_so_and_leads_nowhere(rig: Rig, link: Link) -> None:
    for change, words in (
        ({"client_id": "1.2"}, "Invalid client_id"),
        ({"redirect_uri": "http://127.0.0.1:9/evil"}, "did not match any configured URIs"),
        ({"scope": "world:domination"}, "Invalid permissions requested"),
        ({"scope": ""}, "No scopes"),
    ):
        with pytest.raises(PageError, match=words):
            await rig.ann.authorize(link.install(**change) if "scope" not in change else link.install(change["scope"]))


async def test_a_workspace_may_leave_apps_to_its_administrators(rig: Rig, link: Link) -> None:
    rig.acme.preferences.install_apps = Role.ADMIN
    with pytest.raises(PageError, match="Choose a workspace"):
        await rig.bo.authorize(link.install(), rig.acme)


async def test_installing_again_keeps_the_token_and_adds_scopes(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    code = URL(await rig.ann.authorize(link.install("users:read"))).query["code"]
    given = await link.call(bare, "oauth.v2.access", code=code)
    assert given["access_token"] == rig.token


async def test_tokens_that_rotate_end_after_twelve_hours_and_a_refresh_token_works_once(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    rig.slack.model.app.token_rotation = True
    code = URL(await rig.ann.authorize(link.install())).query["code"]
    first = await link.call(bare, "oauth.v2.access", code=code)
    assert (first["access_token"][:10], first["expires_in"]) == ("xoxe.xoxb-", 43200)
    rig.clock.advance(timedelta(hours=12))
    assert await error_of(bare.auth_test(token=first["access_token"])) == "token_expired"
    second = await link.call(bare, "oauth.v2.access", grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (await bare.auth_test(token=second["access_token"]))["team_id"] == rig.acme.id
    again = link.call(bare, "oauth.v2.access", grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert await error_of(again) == "invalid_refresh_token"


async def test_a_token_for_ever_is_exchanged_for_one_that_rotates(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    rig.slack.model.app.token_rotation = True
    given = await link.call(bare, "oauth.v2.exchange", token=rig.token)
    assert await error_of(bare.auth_test(token=rig.token)) == "token_revoked"
    assert (await bare.auth_test(token=given["access_token"]))["team_id"] == rig.acme.id


async def test_signing_in_says_who_somebody_is_and_where(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    back = URL(await rig.bo.authorize(link.sign_in(), rig.acme))
    given = await link.call(bare, "openid.connect.token", code=back.query["code"], redirect_uri=REDIRECT)
    info = await bare.openid_connect_userInfo(token=given["access_token"])
    assert (info["https://slack.com/user_id"], info["https://slack.com/team_id"]) == (rig.bo.id(rig.acme), rig.acme.id)
    assert (info["email"], info["email_verified"], info["name"]) == ("bo@example.org", True, "Bo")
    again = link.call(bare, "openid.connect.token", code=back.query["code"], redirect_uri=REDIRECT)
    assert await error_of(again) == "code_already_used"


async def test_a_sign_in_code_installs_nothing(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    back = URL(await rig.bo.authorize(link.sign_in(), rig.acme))
    assert await error_of(link.call(bare, "oauth.v2.access", code=back.query["code"])) == "invalid_code"


async def test_the_id_token_is_signed_with_the_published_key(
    rig: Rig, link: Link, bare: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    back = URL(await rig.bo.authorize(link.sign_in(), rig.acme))
    given = await link.call(bare, "openid.connect.token", code=back.query["code"], redirect_uri=REDIRECT)
    head, body, signature = str(given["id_token"]).split(".")
    async with http.get(rig.served.base_url + "/.well-known/openid-configuration") as found:
        where = (await found.json())["jwks_uri"]
    async with http.get(where) as found:
        [key] = (await found.json())["keys"]
    public = rsa.RSAPublicNumbers(*(int.from_bytes(decoded(key[one])) for one in ("e", "n"))).public_key()
    public.verify(decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(decoded(body))
    assert (claims["aud"], claims["nonce"], claims["email"]) == (rig.served.client_id, "a nonce", "bo@example.org")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
async def product(rig: Rig, link: Link) -> AsyncIterator[str]:
    """A product with an install page, which remembers the browser by a cookie, and a page to come back to."""

    async def begin(_: web.Request) -> web.Response:
        page = web.Response(text=f'<a href="{link.install(redirect_uri=url + "/back").replace("&", "&amp;")}">Add to Slack</a>')
        page.content_type = "text/html"
        page.set_cookie("browser", "this one")
        return page

    async def back(request: web.Request) -> web.Response:
        return web.Response(text=f"<p>{request.cookies['browser']}, {request.query['state']}</p>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/install", begin), web.get("/back", back)])
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(app))
        rig.slack.model.app.redirect_uris.append(url + "/back")
        yield url + "/install"


async def test_a_person_walks_from_the_products_link_and_back_in_one_browser(rig: Rig, product: str) -> None:
    landing = await rig.ann.install(product, rig.acme)
    assert (landing.status, landing.words) == (200, "this one, a state")


async def test_the_page_names_the_app_what_it_asks_and_the_person(rig: Rig, link: Link, http: aiohttp.ClientSession) -> None:
    async with http.get(link.install()) as page:
        assert "Who are you?" in await page.text()
    async with http.get(URL(link.install()).update_query({"as": "ann"})) as page:
        words = await page.text()
    for one in ("Doorman is requesting permission", "Send messages as the app", "ann@example.org", "Acme"):
        assert one in words
    assert rig.acme.installed


async def test_the_client_id_and_secret_may_come_as_basic_authentication(rig: Rig, link: Link, http: aiohttp.ClientSession) -> None:
    code = URL(await rig.ann.authorize(link.install())).query["code"]
    pair = base64.b64encode(f"{rig.served.client_id}:{rig.served.client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    async with http.post(rig.served.api_url + "oauth.v2.access", data={"code": code}, headers=headers) as answer:
        assert (await answer.json())["access_token"] == rig.token


async def test_a_person_can_give_a_token_that_acts_as_them(rig: Rig, link: Link, bare: AsyncWebClient) -> None:
    place = rig.slack.people.workspace(rig.ann, "Place", plan="business+")
    code = URL(await rig.ann.authorize(link.install("commands", user_scope="admin,users:read"), place)).query["code"]
    given = await link.call(bare, "oauth.v2.access", code=code)
    person = given["authed_user"]
    assert (person["scope"], person["token_type"], person["access_token"][:5]) == ("admin,users:read", "user", "xoxp-")
    assert (await bare.auth_test(token=person["access_token"]))["user_id"] == rig.ann.id(place)
