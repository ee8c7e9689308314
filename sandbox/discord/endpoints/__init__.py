"""What each REST route does, without a socket: a :class:`~sandbox.discord.endpoints.call.Call` in, an Answer out."""
