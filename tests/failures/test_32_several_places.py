"""One payment opens doors in several places; a place that is down holds up no other."""

from core.errors import TransientError
from core.ids import PlatformUserId
from core.platform import Resource, Space
from tests.failures.scene import GOLD, Scene, played


@played
async def test_one_payment_opens_both_spaces_and_a_trouble_in_one_stays_there(scene: Scene) -> None:
    town, user = scene.town, scene.user(0)
    annex = town.world.space("Cleo's annex", town.creator)
    attic = town.world.thing(annex, "Attic").external_id
    held = town.world.places[annex.external_id].members[user] = set()
    scene.copied("spaces", "id <> ''", id="annex", external_id=annex.external_id)
    scene.copied("resources", "name = 'Gold'", id="attic", space_id="annex", external_id=attic)
    scene.copied("plan_resources", "resource_id = (SELECT id FROM resources WHERE name = 'Gold' AND id <> 'attic')", resource_id="attic")
    adapter = town.program.adapter
    grant, holds = adapter.grant, adapter.holds
    away = True

    async def gives(resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        if away and resource.space == annex:
            raise TransientError("the annex is away")
        await grant(resource, user, reason=reason)

    async def has(space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        if away and space == annex:
            raise TransientError("the annex is away")
        return await holds(space, user)

    adapter.grant, adapter.holds = gives, has  # type: ignore[method-assign]

    await scene.pays()
    assert (scene.holds(), held) == (GOLD, set())
    away = False
    await scene.minutes(1)

    assert (scene.holds(), held) == (GOLD, {attic})
