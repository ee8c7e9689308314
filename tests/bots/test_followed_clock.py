import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import WSMsgType, web

from bots import clock as module
from bots.clock import FollowedClock
from core.errors import TransientError
from sandbox.clock import VirtualClock

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


class Sandbox:
    """A server that says what time it is, to whoever listens."""

    def __init__(self) -> None:
        self.now = START
        self.listeners: set[web.WebSocketResponse] = set()
        self.connected = asyncio.Event()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"now": self.now.isoformat()})
        self.listeners.add(socket)
        self.connected.set()
        async for message in socket:
            assert message.type is not WSMsgType.TEXT
        self.listeners.discard(socket)
        return socket

    async def say(self, frame: str) -> None:
        for socket in self.listeners:
            await socket.send_str(frame)

    async def jump(self, moment: datetime) -> None:
        self.now = moment
        await self.say(f'{{"now": "{moment.isoformat()}"}}')

    async def hang_up(self) -> None:
        self.connected.clear()
        for socket in list(self.listeners):
            await socket.close()


@pytest.fixture
async def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/clock", sandbox.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"ws://{host}:{port}/clock"
    await runner.cleanup()


@pytest.fixture
def real() -> VirtualClock:
    """What stands for the machine's own clock: it stands still unless told to move."""
    return VirtualClock(START - timedelta(days=100))


@pytest.fixture
async def followed(url: str, real: VirtualClock) -> AsyncIterator[FollowedClock]:
    async with FollowedClock(url, real) as clock:
        yield clock


async def jumped(clock: FollowedClock) -> datetime:
    """Return what the next jump is announced as."""
    told: asyncio.Future[datetime] = asyncio.get_running_loop().create_future()
    clock.on_jump(lambda now: None if told.done() else told.set_result(now))
    async with asyncio.timeout(5):
        return await told


async def test_it_shows_the_sandbox_s_time_as_soon_as_it_is_entered(followed: FollowedClock) -> None:
    assert followed.now() == START


async def test_time_flows_between_jumps(followed: FollowedClock, real: VirtualClock) -> None:
    real.advance(timedelta(minutes=3))
    assert followed.now() == START + timedelta(minutes=3)


async def test_a_jump_wakes_whoever_sleeps_until_before_it(followed: FollowedClock, sandbox: Sandbox) -> None:
    sleeper = asyncio.ensure_future(followed.sleep_until(LATER - timedelta(days=1)))  # noqa: TID251 - the test holds it
    await sandbox.jump(START + timedelta(days=1))
    assert await jumped(followed) == START + timedelta(days=1)
    assert not sleeper.done()
    await sandbox.jump(LATER)
    async with asyncio.timeout(5):
        await sleeper
    assert followed.now() == LATER


async def test_a_jump_is_announced(followed: FollowedClock, sandbox: Sandbox) -> None:
    await sandbox.jump(LATER)
    assert await jumped(followed) == LATER


async def test_sleeping_until_the_past_returns_at_once(followed: FollowedClock) -> None:
    async with asyncio.timeout(1):
        await followed.sleep_until(START)


async def test_time_never_runs_back(followed: FollowedClock, sandbox: Sandbox) -> None:
    await sandbox.jump(START - timedelta(days=30))
    await sandbox.jump(LATER)
    assert await jumped(followed) == LATER


async def test_it_connects_again_and_takes_what_it_missed(followed: FollowedClock, sandbox: Sandbox) -> None:
    sandbox.now = LATER
    await sandbox.hang_up()
    assert await jumped(followed) == LATER
    async with asyncio.timeout(5):
        await sandbox.connected.wait()


@pytest.mark.parametrize("frame", ["nonsense", "{}", '{"now": "soon"}', '{"now": 5}', '{"now": "2027-01-01T00:00:00"}', "[]"])
async def test_a_frame_that_is_not_a_time_changes_nothing(followed: FollowedClock, sandbox: Sandbox, frame: str) -> None:
    await sandbox.say(frame)
    await sandbox.jump(LATER)
    assert await jumped(followed) == LATER


async def test_a_sandbox_that_is_not_there_is_said_to_be_missing(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    with pytest.raises(TransientError, match="start the sandbox first"):
        async with FollowedClock(f"ws://127.0.0.1:{unused_tcp_port}/clock"):
            pytest.fail("there is nothing to follow")
