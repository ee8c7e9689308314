"""Commands, buttons and forms: three seconds, fifteen minutes, and what people see."""

from datetime import timedelta
from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord.interactions import COMPONENT, start
from sandbox.discord.people import NoAnswerError
from sandbox.discord.replies import Reply
from sandbox.discord.typed import CannotError
from tests.sandbox.discord.conftest import Api, Bot, Connect, Rig, fault_of


async def registered(rig: Rig, api: Api, *names: str, **more: object) -> None:
    body = [{"name": name, "description": "A command", "type": 1, **more} for name in names]
    assert (await api("PUT", f"/applications/{rig.served.client_id}/commands", body))[0] == 200


async def begun(rig: Rig, api: Api, name: str = "status") -> tuple[str, str, str]:
    """Let ann use a command; return its callback path, its webhook path and its token."""
    await registered(rig, api, name)
    command = rig.discord.model.commands.find(None, name)
    assert command is not None
    data = {"id": command["id"], "name": name, "type": 1}
    one = start(rig.discord.model, 2, rig.ann.user, rig.server.channel(), data)
    return f"/interactions/{one.id}/{one.token}/callback", f"/webhooks/{rig.served.client_id}/{one.token}", one.token


async def test_an_answer_within_three_seconds_counts_and_a_later_one_does_not(rig: Rig, api: Api) -> None:
    callback, _, token = await begun(rig, api)
    rig.clock.advance(timedelta(seconds=3))
    assert (await api("POST", callback, {"type": 4, "data": {"content": "hello"}}))[0] == 204
    late, _, token = await begun(rig, api)
    rig.clock.advance(timedelta(seconds=3.1))
    assert fault_of(await api("POST", late, {"type": 4, "data": {"content": "hello"}})) == (404, 10062)
    assert rig.discord.model.interactions[token].original is None


async def test_a_second_answer_is_refused(rig: Rig, api: Api) -> None:
    callback, _, _ = await begun(rig, api)
    assert (await api("POST", callback, {"type": 5}))[0] == 204
    assert fault_of(await api("POST", callback, {"type": 4, "data": {"content": "again"}})) == (400, 40060)


async def test_a_deferred_answer_can_be_edited_for_fifteen_minutes(rig: Rig, api: Api) -> None:
    callback, hook, _ = await begun(rig, api)
    assert (await api("POST", callback, {"type": 5, "data": {"flags": 64}}))[0] == 204
    assert (await api("GET", f"{hook}/messages/@original"))[1]["flags"] == 64 | 128
    rig.clock.advance(timedelta(minutes=15))
    status, message = await api("PATCH", f"{hook}/messages/@original", {"content": "done"})
    assert (status, message["content"], message["flags"]) == (200, "done", 64)
    rig.clock.advance(timedelta(seconds=1))
    assert fault_of(await api("PATCH", f"{hook}/messages/@original", {"content": "too late"})) == (401, 50027)


async def test_before_the_first_answer_there_is_nothing_to_edit_or_to_follow(rig: Rig, api: Api) -> None:
    _, hook, _ = await begun(rig, api)
    assert fault_of(await api("PATCH", f"{hook}/messages/@original", {"content": "x"})) == (404, 10015)
    assert fault_of(await api("POST", hook, {"content": "x"})) == (404, 10015)
    assert fault_of(await api("POST", f"/webhooks/{rig.served.client_id}/nonsense", {"content": "x"})) == (404, 10015)


async def test_the_first_followup_to_a_deferred_answer_becomes_it(rig: Rig, api: Api) -> None:
    callback, hook, token = await begun(rig, api)
    await api("POST", callback, {"type": 5, "data": {"flags": 64}})
    first = (await api("POST", hook, {"content": "done"}))[1]
    second = (await api("POST", hook, {"content": "and more"}))[1]
    one = rig.discord.model.interactions[token]
    assert one.original is not None
    assert first["id"] == str(one.original.id)
    assert first["flags"] == 64
    assert [str(message.id) for message in one.followups] == [second["id"]]
    assert (await api("PATCH", f"{hook}/messages/{second['id']}", {"content": "changed"}))[1]["content"] == "changed"
    assert (await api("DELETE", f"{hook}/messages/@original"))[0] == 204
    assert fault_of(await api("GET", f"{hook}/messages/@original")) == (404, 10008)


async def test_an_answer_that_does_not_fit_the_interaction_is_refused(rig: Rig, api: Api) -> None:
    callback, _, _ = await begun(rig, api)
    for kind in (1, 6, 7, 8, 99):
        assert fault_of(await api("POST", callback, {"type": kind})) == (400, 50035)
    assert fault_of(await api("POST", callback, {"type": 9, "data": {"title": "no fields"}})) == (400, 50035)
    assert fault_of(await api("POST", callback, {"type": 4, "data": {}})) == (400, 50006)


async def test_an_ephemeral_answer_is_seen_by_the_person_and_not_in_the_channel(rig: Rig, api: Api) -> None:
    callback, _, token = await begun(rig, api)
    status, body = await api("POST", callback + "?with_response=true", {"type": 4, "data": {"content": "psst", "flags": 64}})
    assert status == 200
    assert body["resource"]["message"]["content"] == "psst"
    assert Reply(rig.discord.model, rig.discord.model.interactions[token]).ephemeral
    assert rig.server.messages() == []
    path = f"/channels/{rig.server.channel().id}/messages"
    assert fault_of(await api("GET", f"{path}/{body['resource']['message']['id']}")) == (404, 10008)


class Question(discord.ui.Modal, title="A tip"):
    amount: discord.ui.TextInput["Question"] = discord.ui.TextInput(label="Amount", custom_id="amount", max_length=10)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"thank you for {self.amount.value}", ephemeral=True)


class Choice(discord.ui.View):
    @discord.ui.button(label="Yes", custom_id="yes")
    async def yes(self, interaction: discord.Interaction, _: "discord.ui.Button[Choice]") -> None:
        await interaction.response.edit_message(content="you said yes", view=None)

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, _: "discord.ui.Button[Choice]") -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="you said later", view=None)

    @discord.ui.button(label="Tip", custom_id="tip")
    async def tip(self, interaction: discord.Interaction, _: "discord.ui.Button[Choice]") -> None:
        await interaction.response.send_modal(Question())


def everything(bot: Bot) -> None:
    @bot.tree.command(name="ask", description="Ask")
    async def ask(interaction: discord.Interaction) -> None:
        view = Choice()
        view.add_item(discord.ui.Button(label="Read", url="http://127.0.0.1/read"))
        await interaction.response.send_message("well?", view=view, embed=discord.Embed(title="A question", description="of taste"))

    @bot.tree.command(name="choose", description="Choose")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def choose(interaction: discord.Interaction, plan: str, days: app_commands.Range[int, 1, 30] = 1) -> None:
        await interaction.response.send_message(f"{plan} for {days}")

    @choose.autocomplete("plan")
    async def plans(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one.lower()) for one in ("Gold", "Silver") if one.lower().startswith(typed.lower())]

    @bot.tree.context_menu(name="Tip this person")
    async def tip_person(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"for {member.name}", ephemeral=True)

    @bot.tree.context_menu(name="Thank for this")
    async def thank(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"for {message.content!r}", ephemeral=True)

    @bot.tree.command(name="silent", description="Never answers")
    async def silent(interaction: discord.Interaction) -> None:
        assert interaction.guild is not None


async def test_people_press_buttons_fill_in_forms_and_see_links(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    asked = await rig.ann.command(rig.server, "ask")
    assert asked.link("Read") == "http://127.0.0.1/read"
    assert "A question\nof taste" in asked.words
    form = await rig.ann.click(asked, "Tip")
    assert form.modal is not None
    assert (await rig.ann.submit(form, {"amount": "5"})).text == "thank you for 5"
    answered = await rig.ann.click(asked, "yes")
    assert answered.text == "you said yes"
    assert answered.buttons == []
    again = await rig.ann.command(rig.server, "ask")
    assert (await rig.ann.click(again, "Later")).text == "you said later"
    with pytest.raises(CannotError, match="a link"):
        await rig.ann.click(await rig.ann.command(rig.server, "ask"), "Read")


async def test_people_use_menus_on_people_and_on_messages(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, rig.server.invite())
    assert (await rig.ann.use_on_person(rig.server, "Tip this person", fan)).text == "for fan"
    said = fan.say(rig.server, "hello all")
    assert (await rig.ann.use_on_message(rig.server, "Thank for this", said)).text == "for 'hello all'"


async def test_an_option_that_completes_itself_offers_choices(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    assert [one["value"] for one in await rig.ann.suggestions(rig.server, "choose", "plan", "g")] == ["gold"]


async def test_the_client_lets_nobody_send_what_is_not_registered_or_not_allowed(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    fan = rig.discord.people.user("fan")
    with pytest.raises(CannotError, match="not in"):
        await fan.command(rig.server, "ask")
    fan.join(rig.server, rig.server.invite())
    with pytest.raises(CannotError, match="no command /nothing"):
        await fan.command(rig.server, "nothing")
    with pytest.raises(CannotError, match="@fan may not use"):
        await fan.command(rig.server, "choose", plan="gold")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "needs plan"),
        ({"plan": "gold", "colour": "red"}, "no option colour"),
        ({"plan": 3}, "not a str"),
        ({"plan": "gold", "days": 31}, "out of range"),
    ]
    for bad, why in wrong:
        with pytest.raises(CannotError, match=why):
            await rig.ann.command(rig.server, "choose", **bad)
    with pytest.raises(CannotError, match="no command"):
        await rig.ann.command(None, "choose", plan="gold")
    assert (await rig.ann.command(rig.server, "choose", plan="gold", days=30)).text == "gold for 30"


async def test_an_app_that_does_not_answer_is_told_apart_from_one_that_does(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    with pytest.raises(NoAnswerError, match="did not respond"):
        await rig.ann.command(rig.server, "silent", within=0.2)


async def test_a_button_in_a_direct_message_is_answered_there(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    view = Choice()
    bot.add_view(Choice(timeout=None))
    await (await bot.fetch_user(rig.ann.id)).send("well?", view=view)
    message = await rig.ann.next_dm()
    assert (await rig.ann.click(message, "yes")).text == "you said yes"
    assert [seen.text for seen in rig.ann.inbox()] == ["you said yes"]


async def test_a_component_interaction_carries_the_message_it_came_from(rig: Rig, connect: Connect) -> None:
    await connect(tree=everything)
    asked = await rig.ann.command(rig.server, "ask")
    one = start(rig.discord.model, COMPONENT, rig.ann.user, asked.channel, {"custom_id": "none", "component_type": 2}, asked.message)
    assert one.metadata()["interacted_message_id"] == str(asked.message.id)
