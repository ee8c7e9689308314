"""One interaction (a command, a menu entry, a button) as a CommandRequest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import discord

from adapters.discord.registration import GROUP, SUBCOMMAND
from core.clock import Clock
from core.commands import CommandKind, CommandRequest, CommandSpec, ReplyHandle
from core.ids import PlatformName, PlatformUserId

TOKEN_LIFE = timedelta(minutes=15)
"""How long an interaction can be answered (discord.com/developers/docs/interactions/receiving-and-responding#followup-messages)."""
SAFETY = timedelta(seconds=10)
"""Taken off, so that an answer is not on its way when the time is over."""
ARGUMENT = "argument"
TARGET = "target"
_KINDS = {1: CommandKind.SLASH, 2: CommandKind.USER_MENU, 3: CommandKind.MESSAGE_MENU}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the command and its options."""

    spec: CommandSpec
    options: Mapping[str, Any]


def asked(specs: Sequence[CommandSpec], interaction: discord.Interaction) -> Asked | None:
    """Return what ``interaction`` asks for, or None when no command of ours is meant (any more)."""
    data: Mapping[str, Any] = interaction.data or {}
    if interaction.type is discord.InteractionType.component:
        return _button(specs, str(data.get("custom_id", "")))
    if interaction.type is discord.InteractionType.application_command:
        return _command(specs, data)
    return None


def _button(specs: Iterable[CommandSpec], action: str) -> Asked | None:
    name, _, argument = action.partition(":")
    found = _named(specs, CommandKind.BUTTON, tuple(name.split()))
    return Asked(found, {ARGUMENT: argument}) if found else None


def _command(specs: Iterable[CommandSpec], data: Mapping[str, Any]) -> Asked | None:
    kind = _KINDS.get(data.get("type", 1), CommandKind.SLASH)
    if kind is not CommandKind.SLASH:
        found = next((spec for spec in specs if spec.kind is kind and spec.name == data["name"]), None)
        return Asked(found, {TARGET: str(data["target_id"])}) if found else None
    words, options = [data["name"]], data.get("options", [])
    while options and options[0]["type"] in {SUBCOMMAND, GROUP}:
        words.append(options[0]["name"])
        options = options[0].get("options", [])
    found = _named(specs, kind, tuple(words))
    return Asked(found, {option["name"]: option["value"] for option in options}) if found else None


def _named(specs: Iterable[CommandSpec], kind: CommandKind, words: tuple[str, ...]) -> CommandSpec | None:
    return next((spec for spec in specs if spec.kind is kind and spec.words == words), None)


def request(platform: PlatformName, clock: Clock, interaction: discord.Interaction, meant: Asked) -> CommandRequest:
    """Return the request to store. Who may manage is what Discord computed for the asker, not what the command asked for."""
    guild = interaction.guild
    space = str(interaction.guild_id or "")
    user = PlatformUserId(str(interaction.user.id))
    now = clock.now()
    return CommandRequest(
        id=str(interaction.id),
        words=meant.spec.words,
        options=meant.options,
        platform=platform,
        realm="",
        space_external_id=space,
        space_name=(guild.name if guild else "") or "",
        user=user,
        user_name=interaction.user.display_name,
        can_manage=may_manage(interaction),
        at=now,
        handle=ReplyHandle(
            platform=platform,
            data={"application": str(interaction.application_id), "token": interaction.token},
            expires_at=now + TOKEN_LIFE - SAFETY,
            user=user,
            space_external_id=space,
        ),
        labels=_labels(interaction.data or {}),
    )


def may_manage(interaction: discord.Interaction) -> bool:
    """Return whether Discord says the asker may manage the server they asked in."""
    if interaction.guild_id is None:
        return False
    allowed = interaction.permissions
    owns = interaction.guild is not None and interaction.guild.owner_id == interaction.user.id
    return allowed.manage_guild or allowed.administrator or owns


def _labels(data: Mapping[str, Any]) -> dict[str, str]:
    resolved = data.get("resolved", {})
    named = {**resolved.get("users", {}), **resolved.get("roles", {}), **resolved.get("channels", {})}
    return {id_: thing.get("global_name") or thing.get("name") or thing.get("username") or id_ for id_, thing in named.items()}
