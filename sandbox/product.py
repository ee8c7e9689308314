"""The product as a child process: started, watched, killed and started again, as an operator would."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

READY_WITHIN = 60.0
"""Real seconds, unless whoever starts it says otherwise."""
STOPS_WITHIN = 30.0


class ProductError(Exception):
    """The product did not start, or ended by itself; the message holds the end of what it logged."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """One installation: the same settings and database over many processes."""

    def __init__(self, environment: Mapping[str, str], log: Path, *, ready_within: float = READY_WITHIN) -> None:
        self._environment = dict(environment)
        self._log = log
        self._ready_within = ready_within
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._environment["PUBLIC_URL"]

    async def start(self) -> None:
        """Start a process and return once it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bots", "run", env=self._environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        async with aiohttp.ClientSession() as http:
            try:
                async with asyncio.timeout(self._ready_within):
                    while not await self._ready(http):  # noqa: ASYNC110 - another process cannot set our event
                        await asyncio.sleep(0.05)
            except TimeoutError:
                await self.kill()  # or its slow end would be all that is heard of
                raise ProductError(
                    f"Doorman was not ready after {self._ready_within:g} s. If this machine is busy, try again. {self._last_words()}"
                ) from None

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise ProductError(f"Doorman ended by itself. {self._last_words()}")
        try:
            async with http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200  # noqa: PLR2004 - OK
        except aiohttp.ClientError:
            return False

    async def stop(self) -> int:
        """Ask it to stop, as an operating system does, and return its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it without a word, as a power cut does."""
        await self._end(signal.SIGKILL)

    def tail(self, characters: int = 3000) -> str:
        """Return the end of what it logged."""
        return self._log.read_text(errors="replace")[-characters:] if self._log.exists() else ""

    async def _end(self, sign: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(sign)
        try:
            async with asyncio.timeout(STOPS_WITHIN):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise ProductError(
                f"Doorman did not stop within {STOPS_WITHIN:g} s. If this machine is busy, try again. {self._last_words()}"
            ) from None

    def _last_words(self) -> str:
        return f"The end of its log:\n{self.tail()}" if self.tail().strip() else "It logged nothing."


@asynccontextmanager
async def running(environment: Mapping[str, str], log: Path, *, ready_within: float = READY_WITHIN) -> AsyncIterator[Product]:
    """Start the product and stop it at the end, whatever happens."""
    product = Product(environment, log, ready_within=ready_within)
    try:
        await product.start()
        yield product
    finally:
        await product.stop()
