"""Runs a stored command and answers it. Running one again after a crash is harmless: its row's id is the cause of all it does."""

import logging
from collections.abc import Mapping, Sequence

from bots.commands.call import Call, Command, Desk
from bots.requests import load_request
from core.commands import Audience, CommandReply, CommandRequest
from core.errors import PermanentError, Refusal, Remedy, TransientError
from core.ids import CauseId
from core.platform import PlatformAdapter, Space
from core.text import Code
from storage import audit
from storage.database import Database
from storage.inbox import InboxRow

logger = logging.getLogger(__name__)
PATIENCE = 3
"""Failed tries, seconds apart, before the asker is told to ask again later."""


class CommandRunner:
    """Finds a command's home, runs it and has the adapter answer."""

    def __init__(self, *, db: Database, desk: Desk, commands: Sequence[Command]) -> None:
        self._db = db
        self._desk = desk
        self._commands: Mapping[tuple[str, ...], Command] = {command.spec.words: command for command in commands}

    async def run(self, row: InboxRow) -> None:
        """Carry a command out and answer it. Raises TransientError when it is worth trying again, PermanentError when it never is."""
        request = load_request(row.payload, row.handle or "")
        reply = await self._outcome(row, request)
        await self._say(request, reply)

    async def apologise(self, row: InboxRow) -> None:
        """Tell the asker that it is our fault, with the reference under which it was logged."""
        body = ("That is my fault, not yours. If you ask for help, give the reference ", Code(row.id), ".")
        await self._say(load_request(row.payload, row.handle or ""), CommandReply("That failed", body))

    async def _outcome(self, row: InboxRow, request: CommandRequest) -> CommandReply:
        try:
            return await self._carry_out(row, request)
        except Refusal as refusal:
            return await self._refused(row, refusal)
        except TransientError as error:
            if row.attempts + 1 < PATIENCE:
                raise
            logger.warning("command given up after %d tries: %s", PATIENCE, error, extra={"reference": row.id, "command": row.type})
            return CommandReply(
                "Please try again", ("Something I depend on is not answering right now. Nothing is lost: ask again in a minute.",)
            )
        except PermanentError as error:
            logger.warning("command cannot be carried out: %s", error, extra={"reference": row.id, "command": row.type, "code": error.code})
            return _blocked(row, error)

    async def _carry_out(self, row: InboxRow, request: CommandRequest) -> CommandReply:
        command = self._commands.get(request.words)
        if command is None:
            raise Refusal("unknown_command", "I don't know that command any more. Reload the app to see the ones there are.")
        if command.spec.audience is Audience.CREATOR and not request.can_manage:
            raise Refusal("not_allowed", "Only someone who may manage this community can do that. Ask its owner.")
        if not request.space_external_id:
            raise Refusal("not_in_space", "Ask me that in the community it is about, not in a direct message.")
        space = Space(request.platform, request.realm, request.space_external_id)
        home = await self._desk.communities.arrive(
            space, request.space_name, request.user, may_found=request.can_manage, cause=CauseId(row.id)
        )
        await self._desk.members.present(space, request.user, cause=CauseId(row.id))
        return await command.run(self._desk, Call(request, home, CauseId(row.id)))

    async def _refused(self, row: InboxRow, refusal: Refusal) -> CommandReply:
        """After a crash between the deed and the answer, the deed stands in its own way ("there is one already"): then it is done."""
        async with self._db.reading() as session:
            done = await audit.caused(session, CauseId(row.id))
        if done:
            return CommandReply("Done", ("It was carried out; I was interrupted before I could say so.",))
        return CommandReply("That won't work", (refusal.message,))

    async def _say(self, request: CommandRequest, reply: CommandReply) -> None:
        try:
            await self._adapter(request).reply(request.handle, reply)
        except PermanentError as error:  # nobody is left to hear it; what was asked for is done
            logger.info("a reply could not be delivered: %s", error, extra={"command": " ".join(request.words), "code": error.code})

    def _adapter(self, request: CommandRequest) -> PlatformAdapter:
        adapter = self._desk.adapters.get(request.platform)
        if adapter is None:
            raise PermanentError(f"the platform {request.platform} is not started here; see ADAPTERS", code="no_adapter")
        return adapter


def _blocked(row: InboxRow, error: PermanentError) -> CommandReply:
    if error.remedy is Remedy.CREATOR:
        return CommandReply("I am not allowed to", (f"{error}. Whoever manages this community can mend that; then ask again.",))
    return CommandReply(
        "That cannot be done now",
        ("Whoever runs me has to look at it. Give them the reference ", Code(row.id), "; asking again does not help yet."),
    )
