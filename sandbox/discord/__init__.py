"""Discord, emulated: a model without I/O, and a thin REST, gateway and OAuth2 shell over it."""

from sandbox.discord.emulator import DiscordEmulator, Served

__all__ = ["DiscordEmulator", "Served"]
