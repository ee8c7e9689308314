"""A flood of deliveries: as many as fit are taken in, the others are told to come again, and one look answers for many."""

import asyncio
from collections.abc import Callable
from typing import Any

from core.dispatch import stripe_lane
from sandbox.stripe.model import Answer, Request
from storage.inbox import Busy, GroupCommit, InboxKind, InboxRow
from storage.stripe_accounts import ENVIRONMENT
from tests.failures.scene import Scene, played


@played
async def test_more_than_fits_is_refused_and_a_hundred_words_of_one_thing_cost_one_look(scene: Scene) -> None:
    await scene.pays()
    program, about, now = scene.town.program, scene.subscription().id, scene.town.clock.now()
    asked: list[str] = []
    model: Any = program.machine.model
    model.handle = _listened(asked, model.handle)

    def row(number: int) -> InboxRow:
        return InboxRow(
            id=f"row-{number}", kind=InboxKind.STRIPE, source="stripe:env", event_id=f"evt_{number}", type="customer.subscription.updated",
            object_id=about, lane=stripe_lane(ENVIRONMENT), payload=b"{}", received_at=now, due_at=now,
        )  # fmt: skip

    async def floods() -> list[object]:
        async with GroupCommit(program.base.db, capacity=100) as group:
            return list(await asyncio.gather(*(group.record(row(number)) for number in range(150)), return_exceptions=True))

    came = await program.ask(floods())
    await scene.town.settled()

    assert sum(isinstance(one, Busy) for one in came) == 50
    assert scene.rows("SELECT count(*) FROM inbox WHERE id LIKE 'row-%' AND status = 'done'") == [(100,)]
    assert len([path for path in asked if about in path]) <= 2


def _listened(asked: list[str], handle: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    def listening(request: Request) -> Answer:
        asked.append(request.path)
        return handle(request)

    return listening
