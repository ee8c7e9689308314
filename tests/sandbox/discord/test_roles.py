"""Who may give which role to whom, by Discord's codes."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator, members
from sandbox.discord import permissions as p
from sandbox.record import Recorder
from tests.sandbox.discord.conftest import Api, Bot, Connect, Rig, fault_of


def spot(rig: Rig, user: int, role: int) -> str:
    return f"/guilds/{rig.server.id}/members/{user}/roles/{role}"


async def test_giving_and_taking_twice_is_fine_and_leaves_one_trace_each(rig: Rig, api: Api) -> None:
    path = spot(rig, rig.ann.id, rig.server.role("Gold").id)
    before = len(rig.server.audit_log())
    for method in ("PUT", "PUT", "DELETE", "DELETE"):
        assert (await api(method, path, X_Audit_Log_Reason="paid%20until%20%C3%BCber")) == (204, None)
    entries = rig.server.audit_log()[before:]
    assert [entry.changes[0][0] for entry in entries] == ["$add", "$remove"]
    assert {entry.reason for entry in entries} == {"paid until über"}


async def test_a_role_above_the_bots_own_is_refused_both_ways(rig: Rig, api: Api) -> None:
    rig.server.move_role(rig.server.bot_role, 1)
    path = spot(rig, rig.ann.id, rig.server.role("Gold").id)
    assert fault_of(await api("PUT", path)) == (403, 50013)
    rig.server.give_role(rig.ann, rig.server.role("Gold"))
    assert fault_of(await api("DELETE", path)) == (403, 50013)
    assert rig.server.roles_of(rig.ann) == {"Gold"}


async def test_a_members_own_higher_role_does_not_protect_them_from_being_given_a_lower_one(rig: Rig, api: Api) -> None:
    boss = rig.server.add_role("Boss")
    rig.server.move_role(boss, len(rig.server.guild.roles) - 1)
    rig.server.give_role(rig.ann, boss)
    assert (await api("PUT", spot(rig, rig.ann.id, rig.server.role("Gold").id)))[0] == 204


async def test_without_manage_roles_nothing_can_be_given(rig: Rig, api: Api) -> None:
    rig.server.change_role(rig.server.bot_role, permissions=p.SEND_MESSAGES)
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, rig.server.role("Gold").id))) == (403, 50013)


async def test_each_missing_thing_has_its_own_code(rig: Rig, api: Api) -> None:
    gold, stranger = rig.server.role("Gold").id, rig.discord.people.user("stranger").id
    assert fault_of(await api("PUT", spot(rig, stranger, gold))) == (404, 10007)
    assert fault_of(await api("PUT", spot(rig, 5, gold))) == (404, 10013)
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, 5))) == (404, 10011)
    assert fault_of(await api("PUT", f"/guilds/5/members/{rig.ann.id}/roles/{gold}")) == (404, 10004)
    elsewhere = rig.discord.people.guild(rig.ann, "Elsewhere")
    assert fault_of(await api("PUT", f"/guilds/{elsewhere.id}/members/{rig.ann.id}/roles/{gold}")) == (403, 50001)
    assert fault_of(await api("PUT", f"/guilds/{rig.server.id}/members/someone/roles/{gold}")) == (400, 50035)


async def test_a_bot_cannot_hand_out_its_own_highest_role(rig: Rig, api: Api) -> None:
    gold = rig.server.role("Gold")
    members.give_role(rig.discord.model, rig.server.guild, rig.ann.id, rig.discord.model.bot.id, gold.id)
    rig.server.move_role(rig.server.bot_role, 1)
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, gold.id))) == (403, 50013)
    assert (await api("PUT", spot(rig, rig.ann.id, rig.server.role("Silver").id)))[0] == 204


async def test_another_bots_managed_role_cannot_be_handed_out_however_low_it_is(rig: Rig, api: Api) -> None:
    theirs = rig.server.add_role("Other bot")
    theirs.managed = True
    assert theirs.position < rig.server.bot_role.position
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, theirs.id))) == (403, 50013)


async def test_a_bot_cannot_lift_a_role_to_its_own_place(rig: Rig, api: Api) -> None:
    gold, top = rig.server.role("Gold"), rig.server.bot_role.position
    path = f"/guilds/{rig.server.id}/roles"
    assert fault_of(await api("PATCH", path, [{"id": str(gold.id), "position": top}])) == (403, 50013)
    assert (await api("PATCH", path, [{"id": str(gold.id), "position": 1}]))[0] == 200


async def test_managed_roles_and_everyone_cannot_be_handed_out(rig: Rig, api: Api) -> None:
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, rig.server.bot_role.id))) == (403, 50013)
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, rig.server.id))) == (400, 50028)


async def test_a_wrong_token_and_none_are_401(rig: Rig, api: Api) -> None:
    path = spot(rig, rig.ann.id, rig.server.role("Gold").id)
    assert fault_of(await api("PUT", path, Authorization="Bot nonsense")) == (401, 0)
    assert fault_of(await api("PUT", path, Authorization="")) == (401, 0)
    assert rig.server.roles_of(rig.ann) == frozenset()


async def test_where_two_factor_is_asked_for_an_owner_without_it_blocks_the_bot(rig: Rig, api: Api) -> None:
    rig.server.guild.two_factor = True
    path = spot(rig, rig.ann.id, rig.server.role("Gold").id)
    assert (await api("PUT", path))[0] == 204
    rig.server.guild.without_two_factor.add(rig.discord.model.bot.id)
    assert fault_of(await api("DELETE", path)) == (403, 60003)


async def test_a_deleted_role_is_gone_from_everyone(rig: Rig, api: Api) -> None:
    gold = rig.server.role("Gold")
    rig.server.give_role(rig.ann, gold)
    assert (await api("DELETE", f"/guilds/{rig.server.id}/roles/{gold.id}"))[0] == 204
    assert rig.server.roles_of(rig.ann) == frozenset()
    assert fault_of(await api("PUT", spot(rig, rig.ann.id, gold.id))) == (404, 10011)


async def test_roles_are_listed_made_changed_moved_and_counted(rig: Rig, connect: Connect) -> None:
    rig.discord.wire.recorder = Recorder()  # the client sends ids as numbers and permissions as text, against the description
    bot = await connect()
    guild = await bot.fetch_guild(rig.server.id)
    vip = await guild.create_role(name="VIP", colour=0xFF0000, reason="a plan")
    await vip.edit(name="V.I.P.", hoist=True)
    await guild.edit_role_positions({vip: 2})
    found = {role.name: role for role in await guild.fetch_roles()}
    assert found["V.I.P."].hoist
    assert found["V.I.P."].position == 2
    await bot.hears("guild_role_update")


async def test_member_counts_follow_what_is_given(rig: Rig, api: Api) -> None:
    gold = rig.server.role("Gold")
    rig.server.give_role(rig.ann, gold)
    status, counts = await api("GET", f"/guilds/{rig.server.id}/roles/member-counts")
    assert status == 200
    assert counts[str(gold.id)] == 1
    assert str(rig.server.id) not in counts


async def test_a_bot_cannot_make_a_role_that_may_more_than_itself(rig: Rig, api: Api) -> None:
    assert fault_of(await api("POST", f"/guilds/{rig.server.id}/roles", {"name": "x", "permissions": p.ADMINISTRATOR})) == (403, 50013)


async def test_the_client_hears_of_role_changes(rig: Rig, connect: Connect) -> None:
    bot: Bot = await connect()
    extra = rig.server.add_role("Extra")
    rig.server.change_role(extra, permissions=p.ADMINISTRATOR)
    rig.server.delete_role(extra)
    await bot.hears("guild_role_delete")
    assert [event for event in bot.heard if event in {"guild_role_create", "guild_role_delete"}] == [
        "guild_role_create",
        "guild_role_delete",
    ]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_roles_are_a_set_per_member_whatever_the_order_of_giving_and_taking(steps: list[tuple[bool, int, int]]) -> None:
    emulator = DiscordEmulator(VirtualClock(), seed=1)
    owner = emulator.people.user("owner")
    server = emulator.people.guild(owner, "Place", roles=["a", "b", "c"])
    crowd = [emulator.people.user(name) for name in ("x", "y", "z")]
    for person in crowd:
        members.join(emulator.model, server.guild, person.user)
    wanted: dict[int, set[str]] = {person.id: set() for person in crowd}
    for give, who, which in steps:
        role = server.role("abc"[which])
        (server.give_role if give else server.take_role)(crowd[who], role)
        (wanted[crowd[who].id].add if give else wanted[crowd[who].id].discard)(role.name)
    assert {person.id: set(server.roles_of(person)) for person in crowd} == wanted
    for name in "abc":
        assert server.guild.holders.get(server.role(name).id, set()) == {one for one, names in wanted.items() if name in names}
