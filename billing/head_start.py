"""Let what decides access go ahead of what is only written down."""

import asyncio

HEAD_START = 0.15
"""Real seconds: a payment is told of in four events within milliseconds, and only the first look at its subscription opens anything.

What follows from that look (the member reconciled, the grant) is not to wait for the one writer behind what the other events ask for."""
LONGEST = 1.0
"""Real seconds: after these the rest goes on, however many payments still come in."""


class HeadStart:
    """Whoever is first is given one, and everybody else lets it pass before they begin."""

    def __init__(self) -> None:
        self._until = 0.0

    def give(self) -> None:
        """Begin a head start; one that runs already ends later for it."""
        self._until = asyncio.get_running_loop().time() + HEAD_START

    async def over(self) -> None:
        """Return once no head start runs, or after :data:`LONGEST`."""
        now = asyncio.get_running_loop().time
        patience = now() + LONGEST
        while (left := min(self._until, patience) - now()) > 0:  # noqa: ASYNC110 - another may begin meanwhile
            await asyncio.sleep(left)
