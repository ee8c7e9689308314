"""The people of the sandbox and their workspaces."""

from sandbox.slack import birth, installation, roster
from sandbox.slack.person import NoAnswerError, Person
from sandbox.slack.plans import Plan
from sandbox.slack.steward import CannotError
from sandbox.slack.users import Account
from sandbox.slack.workspaces import Workspace
from sandbox.slack.world import World

__all__ = ["CannotError", "NoAnswerError", "People", "Person"]


class People:
    """Makes people and workspaces."""

    def __init__(self, world: World) -> None:
        self._world = world

    def person(self, name: str, email: str | None = None, real_name: str | None = None) -> Person:
        """Create someone with an e-mail address, in no workspace yet."""
        name = name.lower()
        account = Account(name, email or f"{name}@example.org", real_name or name.title())
        self._world.accounts[name] = account
        return Person(self._world, account)

    def find(self, name: str) -> Person | None:
        """Return the person of that name, if there is one."""
        account = self._world.accounts.get(name.lower())
        return Person(self._world, account) if account else None

    def workspace(self, owner: Person, name: str, plan: Plan | str = Plan.PRO, organisation: str | None = None) -> Workspace:
        """Create a workspace with #general and its primary owner; on Enterprise it belongs to an organisation."""
        return birth.found_workspace(self._world, owner.account, name, Plan(plan), organisation)

    def join(self, person: Person, workspace: Workspace) -> None:
        """Let someone be a member, however they got in."""
        roster.join(self._world, workspace, person.account)

    def install(self, workspace: Workspace, *, by: Person | None = None) -> str:
        """Put our app in with every scope of its manifest, as its configuration page's own button does, and return the bot token."""
        user = by.user(workspace) if by else next(iter(workspace.users.values()))
        return installation.install(self._world, workspace, user, self._world.app.bot_scopes).value

    def user_token(self, person: Person, workspace: Workspace, *scopes: str) -> str:
        """Return a token that acts as the person, as if they had allowed ``scopes``."""
        return installation.allow(self._world, workspace, person.user(workspace), frozenset(scopes), rotating=False).value
