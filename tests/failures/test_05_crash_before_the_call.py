"""The process ends after it wrote down what to do, and before it did it: whoever starts next does it."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_what_was_decided_is_carried_out_by_the_next_process(scene: Scene) -> None:
    await scene.dies("before memory grant")
    await scene.pays()
    assert scene.holds() == set()

    await scene.again()

    assert scene.holds() == GOLD
    assert len(scene.charges(0)) == 1
