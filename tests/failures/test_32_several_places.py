"""One payment opens doors in several places; a place that is down holds up no other."""

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, Scene, played


@played
async def test_one_payment_opens_both_spaces_and_a_trouble_in_one_stays_there(scene: Scene) -> None:
    world, town = scene.town.world, scene.town
    annex = world.space("Cleo's annex", town.creator)
    attic = world.thing(annex, "Attic")
    world.places[annex.external_id].members[scene.user(0)] = set()
    town.disk.change(
        "INSERT INTO spaces SELECT 'annex', ?, community_id, platform, realm, name, installer, connected, created_at, probe_at FROM "
        "(SELECT community_id, platform, realm, name, installer, connected, created_at, probe_at FROM spaces)",
        annex.external_id,
    )
    assert scene.goes_wrong("memory", FaultKind.SERVER_ERROR, "never")
    assert attic

    await scene.pays()

    assert scene.holds() == GOLD
