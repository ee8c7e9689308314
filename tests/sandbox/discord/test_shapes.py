"""What answers look like where nothing else here asks: held at the end against the vendor's own description."""

from typing import Any

from sandbox.discord import permissions as p
from tests.sandbox.discord.conftest import Api, Rig, fault_of


async def test_a_servers_own_page_with_counts_and_screening(rig: Rig, api: Api) -> None:
    rig.server.guild.screening = True
    status, guild = await api("GET", f"/guilds/{rig.server.id}?with_counts=true")
    assert (status, guild["approximate_member_count"]) == (200, 2)
    assert guild["features"] == ["MEMBER_VERIFICATION_GATE_ENABLED"]


async def test_people_and_roles_are_shown_one_by_one(rig: Rig, api: Api) -> None:
    gold = rig.server.role("Gold")
    assert (await api("GET", f"/users/{rig.ann.id}"))[1]["username"] == "ann"
    assert fault_of(await api("GET", "/users/5")) == (404, 10013)
    assert (await api("GET", f"/guilds/{rig.server.id}/roles/{gold.id}"))[1]["name"] == "Gold"
    assert fault_of(await api("GET", f"/guilds/{rig.server.id}/roles/5")) == (404, 10011)


async def test_invites_are_listed_per_server_and_per_channel_to_those_who_manage_them(rig: Rig, api: Api) -> None:
    place, channel = f"/guilds/{rig.server.id}/invites", f"/channels/{rig.server.channel().id}/invites"
    assert fault_of(await api("GET", place)) == (403, 50013)
    assert fault_of(await api("GET", channel)) == (403, 50013)
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.MANAGE_GUILD | p.MANAGE_CHANNELS)
    code = rig.server.invite()
    for path in (place, channel):
        assert [one["code"] for one in (await api("GET", path))[1]] == [code]
    shown = (await api("GET", f"/invites/{code}?with_counts=true"))[1]
    assert shown["approximate_member_count"] == 2
    assert "uses" not in shown


async def test_a_message_of_layout_components_comes_back_numbered_and_completed(rig: Rig, api: Api) -> None:
    pick = {"type": 1, "components": [{"type": 3, "custom_id": "plan", "options": [{"label": "Gold", "value": "gold"}]}]}
    pay = {
        "type": 9,
        "components": [{"type": 10, "content": "Gold"}],
        "accessory": {"type": 2, "style": 5, "label": "Pay", "url": "https://pay.example"},
    }
    body = {"flags": 1 << 15, "components": [{"type": 17, "components": [pay, {"type": 14, "divider": True, "spacing": 1}, pick]}]}
    status, made = await api("POST", f"/channels/{rig.server.channel().id}/messages", body)
    assert status == 200
    assert made["flags"] == 1 << 15
    ids: list[int] = []

    def collect(component: dict[str, Any]) -> None:
        ids.append(component["id"])
        for one in [*component.get("components", []), *([component["accessory"]] if "accessory" in component else [])]:
            collect(one)

    for one in made["components"]:
        collect(one)
    assert ids == list(range(1, len(ids) + 1))
    seen = rig.server.messages()[0]
    assert seen.words.splitlines() == ["Gold", "Pay"]
    assert seen.link("Pay") == "https://pay.example"


async def test_the_bot_reads_its_conversation_with_someone(rig: Rig, api: Api) -> None:
    channel = (await api("POST", "/users/@me/channels", {"recipient_id": str(rig.ann.id)}))[1]["id"]
    sent = (await api("POST", f"/channels/{channel}/messages", {"content": "hello", "embeds": [{"title": "t", "fields": []}]}))[1]
    assert (await api("GET", f"/channels/{channel}"))[1]["recipients"][0]["id"] == str(rig.ann.id)
    assert [one["id"] for one in (await api("GET", f"/channels/{channel}/messages"))[1]] == [sent["id"]]
    assert (await api("PATCH", f"/channels/{channel}/messages/{sent['id']}", {"content": "changed"}))[0] == 200
    assert [seen.text for seen in rig.ann.inbox()] == ["changed"]
