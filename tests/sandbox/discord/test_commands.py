"""Registering commands: scopes, ids, and what is not let through."""

from typing import Any

import pytest

from tests.sandbox.discord.conftest import Api, Rig, fault_of


def base(rig: Rig, *, here: bool = False) -> str:
    place = f"/guilds/{rig.server.id}" if here else ""
    return f"/applications/{rig.served.client_id}{place}/commands"


def command(name: str = "tip", **more: object) -> dict[str, object]:
    return {"name": name, "description": "Tip someone", **more}


@pytest.mark.parametrize("here", [False, True])
async def test_a_bulk_overwrite_replaces_all_and_keeps_the_ids_of_those_that_stay(rig: Rig, api: Api, *, here: bool) -> None:
    path = base(rig, here=here)
    first = (await api("PUT", path, [command("tip"), command("status")]))[1]
    second = (await api("PUT", path, [command("tip", description="New"), command("manage")]))[1]
    assert second[0]["id"] == first[0]["id"]
    assert second[0]["version"] != first[0]["version"]
    assert [one["name"] for one in (await api("GET", path))[1]] == ["tip", "manage"]


async def test_one_command_is_created_replaced_changed_shown_and_deleted(rig: Rig, api: Api) -> None:
    path = base(rig)
    status, made = await api("POST", path, command(default_member_permissions=32))
    assert (status, made["default_member_permissions"]) == (201, "32")
    assert (await api("POST", path, command(description="Other")))[0] == 200
    assert (await api("PATCH", f"{path}/{made['id']}", {"description": "Third"}))[1]["description"] == "Third"
    assert (await api("GET", f"{path}/{made['id']}"))[1]["name"] == "tip"
    assert (await api("DELETE", f"{path}/{made['id']}"))[0] == 204
    assert fault_of(await api("GET", f"{path}/{made['id']}")) == (404, 10063)


def option(name: str = "amount", kind: int = 3, **more: object) -> dict[str, object]:
    return {"name": name, "description": "How much", "type": kind, **more}


@pytest.mark.parametrize(
    ("body", "where", "why"),
    [
        (command("Upper"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command("with space"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(description=""), "description", "BASE_TYPE_BAD_LENGTH"),
        (command(description="x" * 101), "description", "BASE_TYPE_BAD_LENGTH"),
        (command(options=[option(), option("b", required=True)]), "options.1.required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"),
        (command(options=[option(), option()]), "options", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"),
        (command(options=[option(str(number)) for number in range(26)]), "options", "BASE_TYPE_MAX_LENGTH"),
        (command(options=[option(kind=12)]), "options.0.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"),
        (
            command(options=[option("sub", 1, options=[option("deep", 2)])]),
            "options.0.options.0.type",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
        ),
        (command(options=[option(choices=[{"name": "n", "value": "v"}] * 26)]), "options.0.choices", "BASE_TYPE_MAX_LENGTH"),
        (
            command(options=[option(str(n), choices=[{"name": "n" * 90, "value": "v" * 90}] * 5) for n in range(9)]),
            "options",
            "APPLICATION_COMMAND_TOO_LARGE",
        ),
        ({"name": "Tip this", "type": 2, "description": "x"}, "description", "APPLICATION_COMMAND_DESCRIPTION_INVALID"),
    ],
)
async def test_what_discord_would_refuse_is_refused_with_its_place(
    rig: Rig, api: Api, body: dict[str, object], where: str, why: str
) -> None:
    answer = await api("POST", base(rig), body)
    assert fault_of(answer) == (400, 50035)
    spot: Any = answer[1]["errors"]
    for part in where.split("."):
        spot = spot[part]
    assert spot["_errors"][0]["code"] == why
    assert fault_of(await api("PUT", base(rig), [command("fine"), body])) == (400, 50035)
    assert rig.discord.model.commands.listed(None) == []


async def test_menus_may_have_spaces_and_capitals_and_nothing_else(rig: Rig, api: Api) -> None:
    assert (await api("POST", base(rig), {"name": "Tip this person", "type": 2}))[0] == 201


async def test_the_same_name_twice_and_a_hundred_and_first_command_are_refused(rig: Rig, api: Api) -> None:
    assert fault_of(await api("PUT", base(rig), [command(), command()])) == (400, 50035)
    many = [command(f"c{number}") for number in range(101)]
    assert fault_of(await api("PUT", base(rig), many)) == (400, 30032)
    assert (await api("PUT", base(rig), many[:100]))[0] == 200
    assert fault_of(await api("POST", base(rig), command("one-more"))) == (400, 30032)


async def test_another_apps_commands_are_out_of_reach(api: Api) -> None:
    assert fault_of(await api("GET", "/applications/5/commands")) == (403, 20012)


async def test_a_servers_own_command_comes_before_the_one_for_everywhere(rig: Rig, api: Api) -> None:
    await api("PUT", base(rig), [command(description="everywhere")])
    await api("PUT", base(rig, here=True), [command(description="here")])
    commands = rig.discord.model.commands
    assert (commands.find(rig.server.id, "tip") or {})["description"] == "here"
    assert (commands.find(None, "tip") or {})["description"] == "everywhere"
