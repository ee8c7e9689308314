"""What Slack sends is done once, whatever is in it and whenever the program ends; over signed requests and over a socket alike."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlmodel import col, select

from core.clock import SystemClock
from core.dispatch import Lane
from sandbox.faults import Fault, FaultKind
from sandbox.slack import events
from sandbox.slack.signature import signed
from sandbox.town import Town
from storage.inbox import InboxRow, WorkStatus
from tests.walks.club import Club, found_workspace, open_club
from tests.walks.stage import PATIENCE, Stage, open_stage

JSON = "application/json"


@pytest.fixture(autouse=True)
def no_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is gone waits for nobody."""
    for name in ("bots.bootstrap.WORK_GRACE", "bots.bootstrap.PAGE_GRACE", "bots.scheduler.LAST_TURN"):
        monkeypatch.setattr(name, 0.0)


@pytest.fixture
async def club(sqlite_stage: Stage) -> Club:
    """A workspace that is reached by signed requests."""
    return await open_club(sqlite_stage)


@pytest.fixture
async def socket_club(walk_sqlite: str, record: Path | None) -> AsyncIterator[Club]:
    """A workspace that is reached over a socket, with its own bot token in the settings."""

    def prepare(town: Town) -> dict[str, str]:
        ann, workspace, _ = found_workspace(town)
        app = town.slack.model.app
        app.socket_mode, app.request_url = True, None
        return {"SLACK_APP_TOKEN": app.app_token, "SLACK_BOT_TOKEN": town.slack.people.install(workspace, by=ann)}

    async with open_stage(walk_sqlite, record=record, prepare=prepare) as stage:
        ann = stage.town.slack.people.find("ann")
        workspace = next(iter(stage.town.slack.model.workspaces.values()))
        assert ann is not None
        yield Club(stage, ann, workspace, workspace.channel_named("gold"))


async def came(club: Club) -> list[InboxRow]:
    """Return what came from Slack, in order."""
    return await club.stage.rows(select(InboxRow).where(InboxRow.source == "slack").order_by(col(InboxRow.received_at)))


async def pending(club: Club) -> list[InboxRow]:
    """Return what of it is not done yet."""
    return [row for row in await came(club) if row.status == WorkStatus.PENDING]


async def test_what_slack_did_not_sign_leaves_no_row_whatever_it_holds(club: Club) -> None:
    where = club.stage.town.slack.model.app.request_url
    assert where is not None
    before = len(await came(club))
    form, now = "application/x-www-form-urlencoded", str(int(SystemClock().now().timestamp()))
    body = urlencode(
        {"command": "/doorman", "text": "status", "user_id": "U1", "team_id": club.workspace.id, "trigger_id": "1.2.a"}
    ).encode()
    async with aiohttp.ClientSession() as http:
        for data, kind, headers in (
            (b"{bad", JSON, {}),
            (b"[1]", JSON, {}),
            (b"null", JSON, {}),
            (b"\xff\xfe", JSON, {}),
            (body, form, {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"}),
            (body, form, {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": "v0=ünïcödé"}),
            (body, form, {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={'0' * 64}"}),
        ):
            async with http.post(where, data=data, headers={**headers, "Content-Type": kind}) as answer:
                assert answer.status == HTTPStatus.UNAUTHORIZED, data
    await club.stage.settled()
    assert len(await came(club)) == before


async def test_a_command_may_hold_the_word_payload(club: Club) -> None:
    await club.sells()
    said = await club.command("tip 5 payload", by=club.fan("ben"))
    assert said.buttons, said.words
    tipped = said.buttons[0]["url"]
    await club.stage.town.cashiers.pay(tipped)
    await club.stage.settled()
    assert "payload" in club.heard()


async def test_a_command_whose_work_dies_after_the_acknowledgement_is_done_after_the_restart(club: Club) -> None:
    await dies_and_is_done(club)


async def test_the_same_over_a_socket(socket_club: Club) -> None:
    await dies_and_is_done(socket_club)


async def dies_and_is_done(club: Club) -> None:
    """End the program between the inbox row and the work, and start it again: what was acknowledged is done, once."""
    club.creator.add_app(club.gold)
    await club.stage.settled()
    dispatcher = club.stage.doorman.dispatcher
    dispatcher._drains["inbound"] = never
    for state in dispatcher._lanes.values():
        state.owner._run = never
    zoe, taken = club.stage.town.slack.people.person("zoe"), club.stage.town.slack.deliveries.made
    taken.clear()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(club.creator.command(club.workspace, '/doorman plan create Gold "9.99 USD" month #gold'))
        club.stage.town.slack.people.join(zoe, club.workspace)
        await club.stage.town.slack.model.when(lambda: {"/doorman", "team_join"} <= {one.name for one in taken}, PATIENCE)
        assert [one.failure for one in taken] == [None, None], "both are acknowledged"
        assert {row.type for row in await pending(club)} == {"doorman plan create", "member_joined"}, "and nobody has worked on them"
        await club.stage.abandon()
        await club.stage.start()
    assert "Gold" in asked.result().words
    assert await pending(club) == []
    assert (await club.command("plan list")).words.count("9.99") == 1


async def never(_lane: Lane, _epoch: int) -> datetime | None:
    """Begin, and get nowhere."""
    await asyncio.Event().wait()
    return None


async def test_an_event_delivered_three_times_has_one_effect(club: Club) -> None:
    model, app = club.stage.town.slack.model, club.stage.town.slack.model.app
    zoe = club.stage.town.slack.people.person("zoe")
    with lost(club, "team_join"):
        club.stage.town.slack.people.join(zoe, club.workspace)
    bot, about = club.workspace.bot, zoe.user(club.workspace)
    assert bot is not None
    assert app.request_url is not None
    body = json.dumps(events._envelope(model, club.workspace, bot, {"type": "team_join", "user": about.payload(with_email=True)})).encode()
    now, statuses = int(SystemClock().now().timestamp()), list[int]()
    async with aiohttp.ClientSession() as http:
        for second in (now - 2, now - 1, now, now):
            headers = {**signed(app.signing_secret, second, body), "Content-Type": "application/json"}
            async with http.post(app.request_url, data=body, headers=headers) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 200, 200, 401], "the last is the one before it again, byte for byte"
    await club.stage.settled()
    assert await joins(club, about.id) == 1


async def test_an_event_delivered_three_times_over_a_socket_has_one_effect(socket_club: Club) -> None:
    club = socket_club
    club.stage.town.wire.faults.add(Fault("slack", FaultKind.DUPLICATE, route="WEBHOOK team_join", copies=3))
    zoe = club.fan("zoe")
    await club.stage.settled()
    sent = [one.failure for one in club.stage.town.slack.deliveries.made if one.name == "team_join"]
    assert sent == [None] * 3
    assert await joins(club, zoe.id(club.workspace)) == 1


async def joins(club: Club, user: str) -> int:
    """Count how often it is stored that somebody joined."""
    return len([row for row in await came(club) if row.type == "member_joined" and json.loads(row.payload)["user"] == user])


@contextmanager
def lost(club: Club, event: str) -> Iterator[None]:
    """Let Slack not send an event while the block lasts."""
    plan = club.stage.town.wire.faults
    fault = plan.add(Fault("slack", FaultKind.DROP, route=f"WEBHOOK {event}", times=None))
    yield
    plan.lift(fault)
