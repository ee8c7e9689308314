"""A key is being rolled: while there are two, whichever works is used."""

from billing.stripe.accounts import GatewayPool
from sandbox.faults import FaultPlan
from tests.failures.scene import Scene, played
from tests.simulation.wires import StripeWire


@played
async def test_the_second_key_is_used_once_the_first_is_refused(scene: Scene) -> None:
    model = scene.town.model
    new = model.create_key(model.default)
    pool = GatewayPool(scene.town.clock, api_url="http://127.0.0.1:1", retries=0)
    pool._http = StripeWire(model, FaultPlan())
    gateway = pool.gateway([model.api_key, new])
    del model.keys[model.api_key]

    try:
        found = (await gateway.account()).external_id
    except Exception as error:  # noqa: BLE001 - whatever it is, the key that works was not tried
        found = str(error)

    assert found == model.default.id
