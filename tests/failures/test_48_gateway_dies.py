"""A gateway that ends for good, for one thing it could not read: it is connected again, and until then not called ready."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from adapters.discord.supervisor import Supervisor
from tests.failures.scene import Scene, played


class Gateway:
    """A connection that ends as soon as it is begun, as after a payload that cannot be read."""

    def __init__(self, made: "list[Gateway]") -> None:
        self.connected = False
        made.append(self)

    async def start(self, _token: str, *, reconnect: bool) -> None:
        assert not reconnect
        self.connected = True
        raise KeyError("a field that is not sent any more")

    async def close(self) -> None:
        self.connected = False


@played
async def test_a_gateway_that_ends_is_begun_again_with_a_pause_and_is_not_ready_meanwhile(scene: Scene) -> None:
    made: list[Gateway] = []
    clock = scene.town.clock
    supervisor = Supervisor(lambda _members: cast("Any", Gateway(made)), clock, "token", members=False)

    async def runs() -> None:
        with suppress(KeyError):
            await supervisor.run()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(runs())
        for _ in range(3):
            await asyncio.sleep(1)
            assert not supervisor.connected
            clock.advance(timedelta(minutes=2))
        await asyncio.sleep(1)
        running.cancel()

    assert len(made) == 4
