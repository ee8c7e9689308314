"""Bringing the app into a workspace from its owner's browser: https://docs.slack.dev/authentication/installing-with-oauth."""

from collections.abc import Sequence

from yarl import URL

from adapters.slack.asking import exchanged, said
from adapters.slack.client import Wire
from adapters.slack.installations import Installations
from adapters.slack.installed import Installed
from adapters.slack.scopes import BOT_SCOPES
from adapters.slack.settings import Settings
from adapters.slack.spaces import space_of
from core.clock import Clock
from core.errors import ExternalError, PermanentError, Refusal
from core.ids import PlatformUserId
from core.platform import Installation

_PAGE = 100
_NOWHERE = (
    "The app is in the organisation {name}, but in none of its workspaces yet. Add it to one under Organisation settings, Integrations, "
    "Installed apps; then open the link again."
)
_BAD_CODE = frozenset({"invalid_code", "code_already_used", "bad_redirect_uri", "invalid_grant_type"})
_BAD_CLIENT = frozenset({"invalid_client_id", "bad_client_secret"})


class Install:
    """The two halves of the flow: where to send the browser, and what its return is worth."""

    def __init__(self, settings: Settings, wire: Wire, installations: Installations, clock: Clock) -> None:
        self._settings, self._wire, self._installations, self._clock = settings, wire, installations, clock

    def install_url(self, state: str, redirect_uri: str) -> str:
        query = {"client_id": self._settings.client_id, "scope": ",".join(BOT_SCOPES), "state": state, "redirect_uri": redirect_uri}
        return str(URL(f"{self._settings.site}/oauth/v2/authorize").with_query(query))

    async def install(self, code: str, redirect_uri: str) -> Sequence[Installation]:
        """Keep the installation and return the workspaces it is for: several only when it is a whole organisation's."""
        installed = Installed.from_answer(await self._answer(code, redirect_uri), self._clock.now())
        installer = PlatformUserId(installed.installer)
        if installed.team:
            await self._installations.save(installed)
            return [Installation(space_of(installed.team, installed.enterprise), installed.name, installer)]
        chosen = await self._workspaces(installed)
        if not chosen:
            raise Refusal("no_workspace", _NOWHERE.format(name=installed.name))
        await self._installations.save(installed)
        return [Installation(space_of(team, installed.enterprise), name, installer) for team, name in chosen]

    async def _workspaces(self, installed: Installed) -> list[tuple[str, str]]:
        """Return the workspaces the organisation put the app into, by id and name."""
        found: list[tuple[str, str]] = []
        cursor = ""
        while True:
            web = self._wire.web(installed.bot_token, installed.enterprise)
            answer = await said(web.api_call("auth.teams.list", data={"cursor": cursor, "limit": _PAGE}))
            found += [(str(team["id"]), str(team["name"])) for team in answer["teams"]]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    async def _answer(self, code: str, redirect_uri: str) -> dict[str, object]:
        try:
            return await exchanged(self._wire, self._settings, "oauth.v2.access", code=code, redirect_uri=redirect_uri)
        except ExternalError as error:
            raise refused(error) from error


def refused(error: ExternalError) -> Exception:
    """Return what it means when a code is not exchanged: the answer to the person, or to the operator."""
    if error.code in _BAD_CODE:
        return Refusal("bad_code", "Slack did not accept that any more. Go back and continue with Slack again.")
    if error.code in _BAD_CLIENT:
        message = (
            "Slack refuses the app's client id or secret. Put those under Basic Information into SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
        )
        return PermanentError(message, code=error.code)
    return error
