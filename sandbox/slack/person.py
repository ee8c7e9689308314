"""A person of the sandbox: how they use the app, come in, and what they see."""

import re
from collections.abc import Mapping

from sandbox.slack import birth, events, membership, posting, roster, sight, uses
from sandbox.slack.browser import Browser, Landing
from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload
from sandbox.slack.forms import chosen, filled
from sandbox.slack.interactions import Interaction
from sandbox.slack.replies import Reply, Seen, Shown, Sight, Submitted
from sandbox.slack.steward import CannotError, Steward
from sandbox.slack.users import Account
from sandbox.slack.workspaces import Enterprise, Workspace
from sandbox.slack.world import World

WITHIN = 10.0
"""Real seconds a person waits for an answer unless told otherwise."""


class NoAnswerError(Exception):
    """The app did not answer; the message is what Slackbot would say, or that nothing came."""


class Person(Steward):
    """Someone with an account. ``within`` is how long (real seconds) they wait for the app."""

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self._read: dict[str, int] = {}

    def mention(self, workspace: Workspace) -> str:
        """Return how a command with resolved mentions names them."""
        return f"<@{self.id(workspace)}|{self.name}>"

    def direct(self, workspace: Workspace) -> Channel:
        """Return their direct conversation with the app, a place to type commands in."""
        return birth.conversation(self._world, workspace, self.user(workspace))

    # using the app

    async def command(self, workspace: Workspace, typed: str, *, channel: Channel | None = None, within: float = WITHIN) -> Reply:
        """Type ``/command words`` (in #general unless a channel is given) and wait for the first thing shown."""
        user = self.user(workspace)
        place = channel or workspace.general
        if channel is None and user.is_guest:
            place = birth.conversation(self._world, workspace, user)
        name, _, text = typed.strip().partition(" ")
        known = self._world.app.commands
        if not workspace.installed or not name.startswith("/") or (known is not None and name not in known):
            raise CannotError(f"{name} is not a valid command in {workspace.name}")
        if user.id not in place.members:
            raise CannotError(f"{self.name} is not in #{place.name}")
        if name in self._world.app.escaped:
            text = self._resolved(workspace, text)
        return await self._answered(uses.command(self._world, workspace, user, place, name, text.strip()), within)

    async def click(self, shown: Shown, which: str, value: object = None, *, within: float = WITHIN) -> Reply:
        """Press the button with this label or action id (or choose ``value`` in a menu) and wait for what it changes or brings."""
        block, element = shown.find(which)
        seen = shown.message if isinstance(shown, Seen) else shown.view if isinstance(shown, Sight) else None
        if seen is None or (isinstance(shown, Seen) and shown.message.gone):
            raise CannotError("it is not there any more")
        workspace = self._world.workspaces[seen.team_id]
        one = uses.press(self._world, workspace, self.user(workspace), seen, block, element, chosen(element, value))
        return await self._answered(one, within)

    async def submit(self, form: Sight | Reply, values: Mapping[str, object], *, within: float = WITHIN) -> Submitted:
        """Fill in a form (label, block id or action id to value) and send it; returns once the app took it or named errors."""
        sight_ = form.modal if isinstance(form, Reply) else form
        if sight_ is None or sight_.closed or sight_.view.kind != "modal":
            raise CannotError("there is no form to fill in")
        view = sight_.view
        workspace = self._world.workspaces[view.team_id]
        one = uses.submit(self._world, workspace, self.user(workspace), view, filled(view.blocks, values))
        await self._taken(one, within)
        return Submitted(self._world, one)

    async def open_home(self, workspace: Workspace, *, within: float = WITHIN) -> Sight:
        """Open the app's home and wait until the app has published it afresh."""
        user = self.user(workspace)
        key = (workspace.id, user.id)
        known = self._world.homes.get(key)
        version = known.version if known else -1
        channel = birth.conversation(self._world, workspace, user)
        about: Payload = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home"}
        bot_id = (workspace.bot.bot_id if workspace.bot else None) or ""
        if known is not None:
            about["view"] = known.payload(self._world.app.id, bot_id)
        events.publish(self._world, workspace, about)
        try:
            await self._world.when(lambda: key in self._world.homes and self._world.homes[key].version > version, within)
        except TimeoutError:
            raise NoAnswerError(f"the app published no home within {within} s") from None
        return Sight(self._world.homes[key])

    # coming and going

    def accept(self, link: str) -> Workspace:
        """Join through a shared invite link (its address or code); RefusedError when it lets nobody in any more."""
        return roster.accept_link(self._world, link.rsplit("/", 1)[-1], self.account)

    def accept_invitation(self, workspace: Workspace) -> None:
        """Accept the invitation that was sent to their e-mail address."""
        sent = workspace.invitations.pop(self.email.lower(), None)
        if sent is None:
            raise CannotError(f"{self.name} has no invitation to {workspace.name}")
        user = roster.join(self._world, workspace, self.account, sent.role)
        for channel_id in sent.channels:
            if user.id not in workspace.channels[channel_id].members:
                membership.join(self._world, workspace.channels[channel_id], user)

    async def authorize(self, url: str, workspace: Workspace | Enterprise | None = None, *, allow: bool = True) -> str:
        """Open a link to an install or sign-in page, decide, and return the address it leads to (with code and state), unvisited."""
        async with Browser(self._world.base_url, self.name) as browser:
            return await browser.decide(url, allow=allow, team_id=workspace.id if workspace else None)

    async def install(self, url: str, workspace: Workspace | Enterprise | None = None, *, allow: bool = True) -> Landing:
        """Open the product's install link, allow what is asked, follow it back, and return the page at the end."""
        async with Browser(self._world.base_url, self.name) as browser:
            return await browser.land(await browser.decide(url, allow=allow, team_id=workspace.id if workspace else None))

    sign_in = install

    # seeing

    def say(self, channel: Channel, text: str) -> Seen:
        """Write in a channel they are in."""
        return Seen(posting.by_person(self._world, channel, self._member(channel), text))

    def reads(self, channel: Channel) -> bool:
        """Whether they can read what is said in the channel."""
        workspace = self._world.workspace_of(channel)
        user = workspace.user_of(self.account)
        return user is not None and sight.can_read(workspace, user, channel)

    def channels(self, workspace: Workspace) -> list[Channel]:
        """Return the channels they are in."""
        return sight.channels(workspace, self.user(workspace))

    def posts(self, channel: Channel) -> list[Seen]:
        """Return what is said in a channel they can read, oldest first."""
        if not self.reads(channel):
            raise CannotError(f"{self.name} cannot read #{channel.name}")
        return [Seen(one) for one in channel.messages.values()]

    def whispers(self, workspace: Workspace) -> list[Seen]:
        """Return what only they were shown, oldest first."""
        return [Seen(one) for one in self._world.whispers if one.team_id == workspace.id and one.to == self.id(workspace) and not one.gone]

    def dms(self, workspace: Workspace) -> list[Seen]:
        """Return what our app wrote to them directly, oldest first."""
        talk = workspace.direct_with(self.id(workspace))
        return [Seen(one) for one in talk.messages.values() if one.bot] if talk else []

    async def next_dm(self, workspace: Workspace, within: float = WITHIN) -> Seen:
        """Return the oldest direct message they have not read this way yet, waiting for it if need be."""
        read = self._read.get(workspace.id, 0)
        await self._world.when(lambda: len(self.dms(workspace)) > read, within)
        self._read[workspace.id] = read + 1
        return self.dms(workspace)[read]

    # inside

    def _resolved(self, workspace: Workspace, text: str) -> str:
        def resolve(match: re.Match[str]) -> str:
            mark, name = match[1], match[2]
            if mark == "#":
                found = next((one.id for one in workspace.channels.values() if one.name == name and not one.is_im), None)
            else:
                found = next((one.id for one in workspace.users.values() if one.name == name), None)
            return f"<{mark}{found}|{name}>" if found else match[0]

        return re.sub(r"(?<![<\w])([@#])([\w.-]+)", resolve, text)

    async def _taken(self, one: Interaction, within: float) -> None:
        try:
            await self._world.when(lambda: one.acknowledged or one.failure, within)
        except TimeoutError:
            raise NoAnswerError(f"the app did not acknowledge within {within} s") from None
        if one.failure is not None:
            raise NoAnswerError(f"failed because the app did not respond ({one.failure})")

    async def _answered(self, one: Interaction, within: float) -> Reply:
        try:
            await self._world.when(lambda: one.failure or (one.acknowledged and one.answered), within)
        except TimeoutError:
            one.given_up = True
            what = "acknowledged and never came back" if one.acknowledged else "did not acknowledge"
            raise NoAnswerError(f"the app {what} within {within} s") from None
        if one.failure is not None:
            raise NoAnswerError(f"failed because the app did not respond ({one.failure})")
        return Reply(self._world, one)
