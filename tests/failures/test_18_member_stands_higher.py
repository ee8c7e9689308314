"""Whether a role may be given depends on the role and the bot alone: what its holder has besides is not asked."""

from discord import Permissions

from adapters.discord import roles
from adapters.discord.roles import Ranks, Role

BOT = Role("2", "Doorman", 5, Permissions(manage_roles=True).value, managed=True)
HIGHER = Role("3", "Moderator", 9, 0)
GOLD = Role("4", "Gold", 1, 0)


def test_a_role_below_the_bot_is_given_although_somebody_stands_above_the_bot() -> None:
    ranks = Ranks("1", {role.id: role for role in (Role("1", "@everyone", 0, 0), BOT, HIGHER, GOLD)}, frozenset({BOT.id}))

    assert roles.refusal(ranks, GOLD.id) is None
    assert roles.refusal(ranks, HIGHER.id) is not None
