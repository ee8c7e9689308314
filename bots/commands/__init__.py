"""Every command, in the order to show them. A new one is a file and a line here."""

from bots.commands import (
    account,
    attach,
    claim,
    doctor,
    home,
    invite,
    join,
    link,
    link_list,
    link_revoke,
    manage,
    plan_add,
    plan_archive,
    plan_create,
    plan_list,
    plan_remove,
    progress,
    refund,
    setup,
    status,
    tasks,
    tip,
    why,
)
from bots.commands.about import help_on
from bots.commands.call import Command

_WORKING: tuple[Command, ...] = (
    setup.COMMAND,
    attach.COMMAND,
    plan_create.COMMAND,
    plan_list.COMMAND,
    plan_archive.COMMAND,
    plan_add.COMMAND,
    plan_remove.COMMAND,
    invite.COMMAND,
    link_list.COMMAND,
    link_revoke.COMMAND,
    account.COMMAND,
    tasks.COMMAND,
    progress.COMMAND,
    why.COMMAND,
    doctor.COMMAND,
    join.COMMAND,
    status.COMMAND,
    manage.COMMAND,
    link.COMMAND,
    claim.COMMAND,
    tip.COMMAND,
)
COMMANDS: tuple[Command, ...] = (*_WORKING, help_on(_WORKING), refund.COMMAND, home.COMMAND)
"""The table the router registers and the worker looks commands up in."""
