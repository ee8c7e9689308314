"""A second trial: one for a person, whichever address they type and whichever account they use."""

from tests.failures.scene import Scene, played


@played
async def test_whoever_had_a_trial_pays_from_the_first_day_the_next_time(scene: Scene) -> None:
    role = scene.town.roles["Life"]
    await scene.command("doorman plan create", name="Trial", price="5 USD", interval="month", role=role, trial_days=7)
    program = scene.town.program
    made = program.cases.desk.invites.create(await scene.community(), "Trial", actor="memory:1", cause=scene.cause())
    scene.town.links["Trial"] = (await program.ask(made)).code
    await scene.pays(0, "Trial")
    first = scene.subscription()["status"]
    scene.ends(0)
    await scene.town.settled()

    await scene.pays(0, "Trial")

    assert (first, scene.subscription()["status"]) == ("trialing", "active")
    assert len(scene.subscriptions(0)) == 2
