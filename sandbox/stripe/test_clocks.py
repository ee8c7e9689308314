"""Test clocks: docs.stripe.com/api/test_clocks. A customer made under one lives in its time, with all that is theirs.

Objects of customers without one follow the sandbox's own clock.
"""

from sandbox.stripe import periods
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, delete, get, listing, post
from sandbox.stripe.errors import invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import integer, text
from sandbox.stripe.resource import Json, Resource
from sandbox.stripe.timeline import Timeline

KIND = "test_helpers.test_clock"
KEPT = 30 * 86_400
MOST_INTERVALS = 2


def _create(call: Call) -> Json:
    account = call.account
    clock = Resource(
        {
            "id": account.ids.new("clock"),
            "object": KIND,
            "created": account.now(),
            "deletes_after": account.now() + KEPT,
            "frozen_time": call.params["frozen_time"],
            "livemode": False,
            "name": call.params.get("name"),
            "status": "ready",
            "status_details": {},
        }
    )
    account.table(KIND).add(clock)
    account.clocks[clock.id] = Timeline(lambda: int(clock["frozen_time"]))
    account.emit("test_helpers.test_clock.created", clock)
    return clock


def _advance(call: Call) -> Json:
    clock, account, moment = call.get(KIND), call.account, call.params["frozen_time"]
    if moment <= clock["frozen_time"]:
        raise invalid("A test clock can only be advanced to a later time.", "frozen_time")
    _check_reach(account, clock, moment)
    clock |= {"status": "advancing", "status_details": {"advancing": {"target_frozen_time": moment}}}
    account.emit("test_helpers.test_clock.advancing", clock)
    shown = dict(clock)
    account.clocks[clock.id].run_until(moment)
    clock |= {"frozen_time": moment, "status": "ready", "status_details": {}}
    account.emit("test_helpers.test_clock.ready", clock)
    return shown


def _check_reach(account: Account, clock: Resource, moment: int) -> None:
    """Raise when the step is longer than two intervals of the shortest subscription."""
    for subscription in account.table("subscription").where("test_clock", clock.id):
        every = subscription["items"]["data"][0]["price"]["recurring"]
        reach = periods.plus(clock["frozen_time"], every["interval"], every["interval_count"] * MOST_INTERVALS)
        if subscription["ended_at"] is None and moment > reach:
            raise invalid("A test clock can be advanced by at most two intervals of its shortest subscription.", "frozen_time")


def _delete(call: Call) -> Json:
    clock = call.get(KIND)
    call.account.table(KIND).remove(clock)
    call.account.clocks[clock.id] = Timeline(lambda: int(clock["frozen_time"]))
    call.account.emit("test_helpers.test_clock.deleted", clock)
    return {"id": clock.id, "object": KIND, "deleted": True}


ROUTES: list[Route] = [
    post("/v1/test_helpers/test_clocks", _create, {"frozen_time": integer, "name": text}, "frozen_time"),
    listing("/v1/test_helpers/test_clocks", lambda call: page(call, call.account.table(KIND))),
    get("/v1/test_helpers/test_clocks/*", lambda call: call.get(KIND)),
    post("/v1/test_helpers/test_clocks/*/advance", _advance, {"frozen_time": integer}, "frozen_time"),
    delete("/v1/test_helpers/test_clocks/*", _delete),
]
