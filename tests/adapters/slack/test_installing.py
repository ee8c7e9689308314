import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.slack import build
from adapters.slack.client import Wire
from adapters.slack.installations import Installations
from adapters.slack.installed import Installed
from adapters.slack.oauth import SignIn
from adapters.slack.pacing import Pacer
from adapters.slack.scopes import BOT_SCOPES
from adapters.slack.spaces import space_of
from core.errors import InstallationRevoked, Refusal, TransientError
from core.ids import RandomIds
from core.platform import EventKind
from sandbox.clock import VirtualClock
from sandbox.slack import Plan, openid
from sandbox.slack.endpoints import auth
from storage.credentials import CredentialStore
from storage.database import Database
from tests.adapters.slack.house import REDIRECT, House


def another(house: House, **more: str) -> tuple[Installations, Wire]:
    """Return what another process of ours would have."""
    wire = Wire(house.settings(**more), Pacer())
    return Installations(house.settings(**more), house.credentials, wire, house.clock), wire


# installing


async def test_an_installation_says_where_it_is_and_whose(house: House) -> None:
    assert house.installation.name == "Club"
    assert house.installation.installer == house.user(house.ann)
    assert (house.space.realm, house.space.external_id) == (house.club.id, house.club.id)
    query = parse_qs(urlsplit(house.adapter.install_url("a state", REDIRECT)).query)
    assert (query["state"], query["redirect_uri"]) == (["a state"], [REDIRECT])
    assert query["scope"][0].split(",") == list(BOT_SCOPES)


async def test_a_code_installs_once(house: House) -> None:
    code = await house.code(house.ann, house.adapter.install_url("state", REDIRECT))
    await house.adapter.install(code, REDIRECT)
    for bad in (code, "made up"):
        with pytest.raises(Refusal, match="Go back") as refused:
            await house.adapter.install(bad, REDIRECT)
        assert refused.value.code == "bad_code"


async def test_installing_again_replaces_what_was_kept(house: House, store: CredentialStore) -> None:
    house.clock.advance(timedelta(days=1))
    await house.install()

    kept = Installed.load(await store.get(house.adapter.name, house.club.id, "installation") or "")
    assert kept.installed_at == house.clock.now()
    assert kept.bot_token == house.emulator.model.tokens.bot_token(house.club.id).value  # type: ignore[union-attr]
    assert kept.bot_token not in repr(kept)


async def test_the_token_is_not_in_the_database_as_it_is(house: House, sqlite_database: Database, sqlite_url: str) -> None:
    await sqlite_database.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    dump = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))

    assert house.club.id.encode() in dump
    assert b"xoxb-" not in dump


def test_an_installation_for_a_whole_organisation_is_kept_under_it(clock: VirtualClock) -> None:
    answer = {
        "access_token": "xoxb-1",
        "is_enterprise_install": True,
        "team": None,
        "enterprise": {"id": "E1", "name": "Org"},
        "bot_user_id": "U1",
        "authed_user": {"id": "U2"},
        "scope": "commands",
        "expires_in": 43200,
        "refresh_token": "xoxe-1",
    }
    made = Installed.from_answer(answer, clock.now())

    assert (made.subject, made.team, made.name, made.expires_at) == ("E1", "", "Org", clock.now() + timedelta(hours=12))
    assert Installed.load(made.dump()) == made


async def test_the_operators_token_serves_its_own_workspace_and_says_whose_it_is(clock: VirtualClock, store: CredentialStore) -> None:
    house = House(clock, store, socket=True)
    token = house.emulator.people.install(house.club)
    other = house.emulator.people.workspace(house.bob, "Other", Plan.PRO)
    async with house.emulator.serve() as house.served:
        adapter = build(house.settings(bot_token=token), clock=clock, ids=RandomIds())
        await adapter.start(house.inbox)
        event = await house.inbox.event(EventKind.SPACE_ADDED)
        installations, wire = another(house, bot_token=token)
        assert await installations.token(event.space) == token
        with pytest.raises(InstallationRevoked):
            await installations.token(space_of(other.id))
        await adapter.close()
        await wire.close()
    assert (event.name, event.user, event.space.external_id) == ("Club", house.ann.id(house.club), house.club.id)


async def test_a_token_that_is_refused_is_spared_and_forgotten_when_it_is_dead(house: House, store: CredentialStore) -> None:
    installations, wire = another(house)
    await installations.dead(house.space, "invalid_auth")
    with pytest.raises(InstallationRevoked):
        await installations.token(house.space)
    assert await store.get(house.adapter.name, house.club.id, "installation") is not None
    house.clock.advance(timedelta(hours=1))
    assert await installations.token(house.space)

    await installations.dead(house.space, "account_inactive")
    assert await store.get(house.adapter.name, house.club.id, "installation") is None
    await wire.close()


async def test_a_token_that_was_replaced_meanwhile_is_not_the_one_that_was_refused(house: House) -> None:
    installations, wire = another(house)
    old = await installations.token(house.space)
    kept = await installations.find(house.space)
    assert kept is not None
    other, _ = another(house)
    await other.save(replace(kept, bot_token="xoxb-new"))

    await installations.dead(house.space, "account_inactive")

    assert await installations.token(house.space) == "xoxb-new" != old
    await wire.close()


async def test_what_was_installed_after_a_removal_is_not_forgotten(house: House, store: CredentialStore) -> None:
    installations, wire = another(house)
    await installations.gone(house.space, house.clock.now() - timedelta(seconds=1))
    assert await store.get(house.adapter.name, house.club.id, "installation") is not None

    await installations.gone(house.space, house.clock.now())
    assert await store.get(house.adapter.name, house.club.id, "installation") is None
    await wire.close()


# renewing


@pytest.fixture
async def rotating(clock: VirtualClock, store: CredentialStore) -> Any:  # noqa: ANN401
    house = House(clock, store)
    house.emulator.model.app.token_rotation = True
    async with house.open() as opened:
        yield opened


async def tokens_of(rotating: House, *many: Installations) -> list[str | BaseException]:
    """Ask all at once, while time goes on."""
    asked = [asyncio.ensure_future(one.token(rotating.space)) for one in many]  # noqa: TID251 - awaited below
    async with asyncio.timeout(10.0):
        while not all(one.done() for one in asked):
            rotating.clock.advance(timedelta(milliseconds=250))
            await asyncio.sleep(0.005)
    return await asyncio.gather(*asked, return_exceptions=True)


@pytest.mark.parametrize("after", [timedelta(hours=11), timedelta(hours=13)], ids=["before its end", "after its end"])
async def test_two_who_renew_at_once_get_one_new_token(rotating: House, after: timedelta) -> None:
    (first, wire), (second, other) = another(rotating), another(rotating)
    old = await first.token(rotating.space)
    rotating.clock.advance(after)
    before = rotating.emulator.rest.count("oauth.v2.access")
    rotating.emulator.wire.latency = 0.1  # so that everybody asks while the first is at it

    got = await tokens_of(rotating, first, second, first, second)

    assert rotating.emulator.rest.count("oauth.v2.access") == before + 1
    assert all(isinstance(one, str) for one in got)
    now = rotating.emulator.model.tokens.bot_token(rotating.club.id)
    assert now is not None
    assert set(got) <= ({now.value, old} if after < timedelta(hours=12) else {now.value})
    rotating.clock.advance(timedelta(minutes=1))
    assert await tokens_of(rotating, first, second) == [now.value, now.value]
    await wire.close()
    await other.close()


async def test_a_holder_who_died_is_relieved(rotating: House, store: CredentialStore) -> None:
    installations, wire = another(rotating)
    rotating.clock.advance(timedelta(hours=13))
    assert await store.lease(rotating.adapter.name, rotating.club.id, "installation", timedelta(seconds=20)) is not None

    (got,) = await tokens_of(rotating, installations)

    assert got == rotating.emulator.model.tokens.bot_token(rotating.club.id).value  # type: ignore[union-attr]
    await wire.close()


async def test_trouble_while_renewing_gives_the_lease_back(rotating: House) -> None:
    installations, wire = another(rotating)
    rotating.clock.advance(timedelta(hours=13))
    async with rotating.emulator.outage():
        with pytest.raises(TransientError):
            await installations.token(rotating.space)

    assert await installations.token(rotating.space) == rotating.emulator.model.tokens.bot_token(rotating.club.id).value  # type: ignore[union-attr]
    await wire.close()


async def test_a_refresh_token_that_is_used_up_needs_a_new_installation(rotating: House) -> None:
    installations, wire = another(rotating)
    rotating.clock.advance(timedelta(hours=13))
    rotating.emulator.refuse("oauth.v2.access", "invalid_refresh_token")

    with pytest.raises(InstallationRevoked, match="Add it again"):
        await installations.token(rotating.space)
    await wire.close()


# signing in


async def test_signing_in_proves_who_somebody_is(house: House) -> None:
    url = house.adapter.authorize_url("state", REDIRECT)
    account = await house.adapter.exchange(await house.code(house.bob, url), REDIRECT)

    assert (account.user, account.realm, account.name, account.token) == (house.user(house.bob), house.club.id, "Bob", None)


@pytest.mark.parametrize(
    ("claim", "value"),
    [("nonce", ""), ("nonce", "1.made-up.00"), ("aud", "1.2"), ("iss", "https://elsewhere.example"), ("exp", 1), ("exp", "soon"),
     ("sub", None),
     ("https://slack.com/user_id", "U0SOMEBODY")],
)  # fmt: skip
async def test_an_answer_that_belongs_to_another_sign_in_proves_nothing(
    house: House, claim: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(*args: Any) -> str:  # noqa: ANN401
        head, body, seal = genuine(*args).split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        if value is None:
            claims = {}
        else:
            claims[claim] = value
        return ".".join([head, base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), seal])

    genuine = openid.id_token
    monkeypatch.setattr(auth, "id_token", forged)
    code = await house.code(house.bob, house.adapter.authorize_url("state", REDIRECT))

    with pytest.raises(Refusal, match="Go back") as refused:
        await house.adapter.exchange(code, REDIRECT)
    assert refused.value.code == "bad_code"


async def test_a_sign_in_is_known_to_every_process_of_ours_for_ten_minutes(house: House) -> None:
    wire = Wire(house.settings(), Pacer())
    other = SignIn(house.settings(), wire, house.clock, RandomIds())
    account = await other.exchange(await house.code(house.bob, house.adapter.authorize_url("state", REDIRECT)), REDIRECT)
    assert account.user == house.user(house.bob)

    url = house.adapter.authorize_url("state", REDIRECT)
    house.clock.advance(timedelta(minutes=11))
    with pytest.raises(Refusal):
        await other.exchange(await house.code(house.bob, url), REDIRECT)
    await wire.close()


async def test_a_sign_in_begun_for_another_address_is_not_taken(house: House) -> None:
    elsewhere = f"{REDIRECT}/elsewhere"
    here, there = (parse_qs(urlsplit(house.adapter.authorize_url("s", one)).query)["nonce"][0] for one in (REDIRECT, elsewhere))
    url = house.adapter.authorize_url("state", REDIRECT)
    swapped = url.replace(parse_qs(urlsplit(url).query)["nonce"][0], there)
    assert here != there

    with pytest.raises(Refusal):
        await house.adapter.exchange(await house.code(house.bob, swapped), REDIRECT)
