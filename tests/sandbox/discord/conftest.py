import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator, Served
from sandbox.discord import permissions as p
from sandbox.discord.people import Person
from sandbox.discord.servers import Server
from sandbox.record import Recorder
from sandbox.wire import Wire
from tests.sandbox.judging import shared_record

RIGHTS = p.MANAGE_ROLES | p.CREATE_INSTANT_INVITE | p.VIEW_CHANNEL | p.SEND_MESSAGES
REDIRECT = "http://127.0.0.1:9/callback"


@dataclass(slots=True)
class Rig:
    """An emulator on a socket with one creator, ann, and her server with our bot and two roles below it."""

    clock: VirtualClock
    discord: DiscordEmulator
    served: Served
    ann: Person
    server: Server


class Bot(discord.Client):
    """A real discord.py client with a command tree."""

    def __init__(self, *, members: bool = True) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, members=members),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.1,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: list[str] = []
        self.news = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify again at once: the client would wait five seconds."""

    def dispatch(self, event: str, /, *args: object, **kwargs: object) -> None:
        self.heard.append(event)
        self.news.set()
        super().dispatch(event, *args, **kwargs)

    async def hears(self, event: str, times: int = 1) -> None:
        async with asyncio.timeout(5):
            while self.heard.count(event) < times:
                self.news.clear()
                await self.news.wait()


Connect = Callable[..., Awaitable[Bot]]


class Api:
    """Bare calls as our bot, or with another ``Authorization``: what comes back is (status, JSON or None)."""

    def __init__(self, session: aiohttp.ClientSession, served: Served) -> None:
        self._session = session
        self._served = served
        self.headers: Mapping[str, str] = {}

    async def __call__(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bot {self._served.bot_token}", **{key.replace("_", "-"): value for key, value in headers.items()}}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        async with self._session.request(method, self._served.api_url + path, data=data, headers=sent) as response:
            self.headers = response.headers
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" and text else None


def fault_of(answer: tuple[int, Any]) -> tuple[int, int]:
    """Return a refusal as (status, code)."""
    return answer[0], answer[1]["code"]


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where every exchange of these tests is written, to be held at the end against the vendor's own description."""
    with shared_record(request, tmp_path_factory, "discord") as path:
        yield path


@pytest.fixture
async def rig(record: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    clock, recorder = VirtualClock(), Recorder(record)
    emulator = DiscordEmulator(clock, seed=7, wire=Wire(recorder=recorder), limits="off", redirect_uris=[REDIRECT])
    ann = emulator.people.user("ann")
    server = emulator.people.guild(ann, "Ann's place", roles=["Silver", "Gold"])
    await emulator.people.add_bot(server, RIGHTS)
    async with emulator.serve() as served:
        monkeypatch.setattr(Route, "BASE", served.api_url)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(served.gateway_url))
        yield Rig(clock, emulator, served, ann, server)
    recorder.close()


@pytest.fixture
async def api(rig: Rig) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(session, rig.served)


@pytest.fixture
async def connect(rig: Rig) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def make(*, members: bool = True, tree: Callable[[Bot], None] = lambda _: None, ready: bool = True) -> Bot:
            bot = Bot(members=members)
            await stack.enter_async_context(running(bot, rig.served.bot_token))
            tree(bot)
            if ready:
                await asyncio.wait_for(bot.wait_until_ready(), 5)
                await bot.tree.sync()
            return bot

        yield make


@asynccontextmanager
async def running(bot: Bot, token: str) -> AsyncIterator[None]:
    async with bot, asyncio.TaskGroup() as tasks:
        await bot.login(token)
        gateway = tasks.create_task(bot.connect())
        try:
            yield
        finally:
            await bot.close()
            gateway.cancel()
