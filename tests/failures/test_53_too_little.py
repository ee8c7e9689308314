"""A price below the least one can charge, or in no currency there is: refused before anybody is asked to pay it."""

from tests.failures.scene import Scene, played


@played
async def test_a_price_nobody_could_be_charged_is_refused_before_the_processor_is_asked(scene: Scene) -> None:
    products = len(list(scene.town.model.default.table("product")))

    said = [
        await scene.command("doorman plan create", name=name, price=price, interval="month", role=scene.town.roles["Life"])
        for name, price in (("Cheap", "0.10 USD"), ("Odd", "5 XXQ"))
    ]

    assert said == ["That won't work", "That won't work"]
    assert len(list(scene.town.model.default.table("product"))) == products
