"""Which roles may be sold, and which of the two causes a refusal has."""

import pytest
from discord import Permissions
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.roles import Ranks, Role, danger, refusal, told_apart

GUILD, BOT, GOLD = "100", "200", "300"
ELEVATED = [name for name, on in Permissions.elevated() if on]


def ranks(gold: Role | None = None, *, bot: int = Permissions(manage_roles=True).value, position: int = 5) -> Ranks:
    roles = [Role(GUILD, "@everyone", 0, 0), Role(BOT, "Doorman", position, bot, managed=True)]
    return Ranks(GUILD, {role.id: role for role in [*roles, *([gold] if gold else [])]}, frozenset({BOT}))


def gold(position: int = 1, permissions: int = 0, *, managed: bool = False, id_: str = GOLD) -> Role:
    return Role(id_, "Gold", position, permissions, managed)


def test_a_plain_role_below_the_bots_can_be_sold() -> None:
    assert refusal(ranks(gold(permissions=Permissions(send_messages=True, attach_files=True).value)), GOLD) is None


@pytest.mark.parametrize(
    ("given_ranks", "role", "code", "says"),
    [
        (ranks(), GOLD, "role_missing", "Pick another"),
        (ranks(), GUILD, "everyone_role", "Make a role for the plan"),
        (ranks(gold(managed=True)), GOLD, "managed_role", "Pick a role you made yourself"),
        (ranks(gold(), bot=0), GOLD, "missing_permission", "Manage Roles"),
        (ranks(gold(position=6)), GOLD, "role_above_bot", "Drag “Doorman” above"),
        (ranks(gold(permissions=Permissions(administrator=True).value)), GOLD, "dangerous_role", "administrator"),
        (ranks(gold(permissions=Permissions(ban_members=True).value)), GOLD, "dangerous_role", "Take that from the role"),
    ],
)
def test_each_refusal_says_which_rule_and_what_to_do(given_ranks: Ranks, role: str, code: str, says: str) -> None:
    found = refusal(given_ranks, role)

    assert found is not None
    assert found.code == code
    assert says in found.message


@pytest.mark.parametrize("power", ELEVATED)
def test_no_power_that_needs_two_factors_is_ever_for_sale(power: str) -> None:
    found = refusal(ranks(gold(permissions=Permissions(**{power: True}).value)), GOLD)

    assert found is not None
    assert found.code == "dangerous_role"
    assert power.replace("_", " ") in found.message


def test_of_two_roles_at_one_position_the_older_one_is_higher() -> None:
    older, newer = str(int(BOT) - 1), str(int(BOT) + 1)

    assert refusal(ranks(gold(position=5, id_=newer)), newer) is None
    assert refusal(ranks(gold(position=5, id_=older)), older) is not None


def test_an_administrator_may_manage_roles() -> None:
    assert refusal(ranks(gold(), bot=Permissions(administrator=True).value), GOLD) is None


def test_what_everyone_may_do_the_bot_may_too() -> None:
    roles = {GUILD: Role(GUILD, "@everyone", 0, Permissions(manage_roles=True).value), BOT: Role(BOT, "Doorman", 5, 0), GOLD: gold()}

    assert refusal(Ranks(GUILD, roles, frozenset({BOT})), GOLD) is None


def test_a_role_that_gained_powers_is_not_given_any_more() -> None:
    found = danger(ranks(gold(permissions=Permissions(manage_guild=True).value)), GOLD)

    assert found is not None
    assert found.code == "dangerous_role"
    assert danger(ranks(gold()), GOLD) is None


def test_a_refused_grant_names_the_missing_permission() -> None:
    found = told_apart(ranks(gold(), bot=0), GOLD)

    assert found is not None
    assert found.code == "missing_permission"
    assert "Manage Roles" in str(found)


def test_a_refused_grant_names_the_role_that_stands_too_high() -> None:
    found = told_apart(ranks(gold(position=9)), GOLD)

    assert found is not None
    assert found.code == "role_above_bot"
    assert "Drag “Doorman” above" in str(found)


def test_a_refused_grant_without_either_cause_is_left_as_it_is() -> None:
    assert told_apart(ranks(gold()), GOLD) is None


@given(position=st.integers(0, 10), permissions=st.integers(0, 2**50), managed=st.booleans())
def test_what_is_for_sale_is_safe_below_the_bot_and_nobody_elses(position: int, permissions: int, managed: bool) -> None:  # noqa: FBT001
    role = gold(position, permissions, managed=managed)

    if refusal(ranks(role), GOLD) is None:
        assert position <= 5
        assert not managed
        assert not permissions & Permissions.elevated().value
