"""A space we were brought into from a page: it is there at once, and joins the community whose link brought us."""

from core.errors import Refusal
from core.ids import CauseId
from core.platform import Installation
from membership.attachment import Attachments
from membership.community import Communities
from storage.states import hashed


class Installs:
    """What follows once a platform let us in."""

    def __init__(self, *, communities: Communities, attachments: Attachments) -> None:
        self._communities = communities
        self._attachments = attachments

    async def look(self, code: str) -> str:
        """Return what an attach code is known by from now on, its hash; empty for no code. Refusal ``attach_code_unknown``."""
        if not code:
            return ""
        await self._attachments.look(hashed(code))
        return hashed(code)

    async def arrived(self, made: Installation, attach: str, *, cause: CauseId) -> str:
        """Make or find the space's community, have it join the one ``attach`` is a code of, and return its name.

        The refusals of Attachments.attach leave the space a community of its own, except that one which belongs there already is fine.
        """
        home = await self._communities.welcome(made.space, made.name, made.installer, cause=cause)
        if not attach:
            return home.community_name
        try:
            return await self._attachments.attach_hashed(attach, made.space, actor=f"{made.space.platform}:{made.installer}", cause=cause)
        except Refusal as refusal:
            if refusal.code != "attached_already":
                raise
            return home.community_name
