"""What is wrong with our standing in a workspace, and which way out is left there, for `doctor`."""

from collections.abc import Sequence

from adapters.slack.channels import Channels
from adapters.slack.installations import Installations
from adapters.slack.scim import Scim
from adapters.slack.settings import Settings
from adapters.slack.standing import Standings
from core.errors import InstallationRevoked, PermanentError
from core.platform import Space

_GONE = "The app is not in the workspace any more. Add it again from the setup page."
_BY_SCIM = "Until then, whoever must leave such a channel loses their account in the workspace: SLACK_SCIM_TOKEN is set."
_BY_HAND = "Until then, whoever must leave such a channel has to be removed by hand; the notices say whom."


class Probe:
    """Asks Slack about us. The ways out, best first: removing from channels, the user group, ending the account, an owner's hand."""

    def __init__(self, settings: Settings, installations: Installations, standings: Standings, channels: Channels, scim: Scim) -> None:
        self._settings, self._installations = settings, installations
        self._standings, self._channels, self._scim = standings, channels, scim

    async def findings(self, space: Space) -> Sequence[str]:
        """Return a sentence for each thing to put right in ``space``."""
        try:
            found = await self._standings.lacking(space)
        except InstallationRevoked:
            return [_GONE]
        kept = self._channels.kept(space)
        trouble = await self._trouble(space)
        return [*found, *kept, *([_BY_HAND if trouble or not self._scim.configured else _BY_SCIM] if kept else []), *trouble]

    async def _trouble(self, space: Space) -> list[str]:
        if not self._scim.configured:
            return []
        trouble = await self._scim.trouble((await self._standings.of(space)).user)
        return [str(trouble)] if trouble is not None else []

    async def identify(self) -> str:
        """Say as whom we are known; PermanentError that says what to do when the token the operator set is refused."""
        way = "over Socket Mode" if self._settings.socket_mode else "by signed requests to /slack/events"
        try:
            own = await self._installations.own()
        except InstallationRevoked as error:
            message = f"Slack refuses SLACK_BOT_TOKEN ({error.code}). Copy it again: your app, Install App, Bot User OAuth Token."
            raise PermanentError(message, code=error.code) from error
        if own is None:
            return f"Workspaces add the app on our page /slack/install, and reach it {way}."
        return f"Signed in to {own.name}, reached {way}. Write /invite and the app's name in each channel that is sold."
