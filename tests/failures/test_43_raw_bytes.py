"""Code that is replaced while it runs: what came in is kept as it came, to be read again by the next."""

from tests.failures.scene import Scene, played


@played
async def test_a_delivery_is_kept_byte_for_byte(scene: Scene) -> None:
    await scene.pays()

    event = scene.told("invoice.paid")
    ((payload, kind),) = scene.rows("SELECT payload, type FROM inbox WHERE event_id = ?", event.id)

    assert payload.decode().startswith('{"id": "' + event.id)
    assert kind == "invoice.paid"
