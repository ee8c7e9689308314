"""Slack, emulated: a model without I/O, and a thin Web API, Socket Mode, OAuth and page shell over it.

    slack = SlackEmulator(clock, seed=7, wire=wire, limits="off", redirect_uris=[…], request_url=None, manifest=None)
    async with slack.serve() as served:        # served.api_url (ends in "/"), .base_url, .client_id, .client_secret,
        …                                      # .signing_secret, .app_token, .authorize_url, .openid_url, .scim_url

Without ``request_url`` everything reaches the app over Socket Mode (``served.app_token``); ``await slack.set_request_url(url)`` checks
the challenge and switches to signed HTTP. ``slack.model.app`` may be changed while it runs (``bot_scopes``, ``events``, ``commands``,
``escaped``, ``messages_tab``, ``token_rotation``, ``socket_mode``, ``request_url``, ``redirect_uris``).

People (``slack.people``): ``person(name, email=None, real_name=None) -> Person``; ``workspace(owner, name, plan="pro",
organisation=None) -> Workspace`` (plans "free", "pro", "business+", "enterprise"); ``join(person, workspace)``;
``install(workspace, by=None) -> bot token`` (no pages, every scope of the manifest); ``user_token(person, workspace, *scopes)``;
``find(name)``.

A Person uses the app: ``await command(workspace, "/doorman plan list", channel=None, within=10) -> Reply``;
``await click(seen, label or action id, value=None) -> Reply``; ``await submit(reply or reply.modal, {label, block or action id: value})
-> Submitted`` (``errors``, ``modal``, ``closed``, ``await reply()``); ``await open_home(workspace) -> Sight``;
``await install(url, workspace=None) -> Landing`` and ``sign_in`` (walk from the product's link through the page and back: ``url``,
``status``, ``words``); ``await authorize(url, workspace=None, allow=True) -> str`` (the redirect, unvisited).
Comes in: ``accept(invite link)``, ``accept_invitation(workspace)`` (by e-mail, Enterprise).
Sees: ``dms(workspace)``, ``await next_dm(workspace)``, ``whispers(workspace)``, ``posts(channel)``, ``reads(channel) -> bool``,
``channels(workspace)``, ``id(workspace)``, ``user(workspace)``, ``mention(workspace)``,
``direct(workspace) -> Channel``; ``say(channel, text)``.
Runs a workspace: ``create_channel(workspace, name, private=False) -> Channel``, ``add_to_channel(channel, person)``,
``remove_from_channel(channel, person)``, ``add_app(channel)``, ``remove_app(channel)``, ``join_channel``, ``leave(channel)``, ``archive``,
``unarchive``, ``rename_channel(channel, name)``, ``delete_channel``, ``create_group(workspace, name, handle, members=()) -> UserGroup``,
``invite_link(workspace) -> str``, ``revoke_link(link)``, ``invite_guest(workspace, person, channels)``, ``deactivate(workspace, person)``,
``reactivate``, ``promote(workspace, person, role=Role.ADMIN)``, ``uninstall(workspace)``.
Whatever the client would not let them do raises CannotError, or RefusedError with Slack's word; no answer raises NoAnswerError.

``Seen``, ``Reply`` and ``Sight`` have ``words``, ``blocks``, ``buttons``, ``button(label)``, ``link(label)``; a Seen has ``text``,
``ephemeral`` and ``pings``, a Reply also ``modal`` and ``followups``. ``workspace.preferences`` (``remove_from_private``,
``remove_from_public``, ``manage_groups``, ``create_private``, ``invite_people``, ``install_apps``, … each the lowest Role that may; an app
counts as a member), ``workspace.channel_named(name)``, ``channel.members``, ``group.users``, ``group.disabled``.

Trouble: ``slack.refuse(method, error, times=1, after=False)``; ``async with slack.outage()``; ``slack.wire.faults`` (service "slack",
route "POST /chat.postMessage", webhooks "WEBHOOK team_join"); ``await slack.sockets.refresh()``, ``warn()``, ``drop_all()``.
Looking back: ``slack.rest.count(method)``, ``slack.rest.calls``, ``slack.limits.refused``, ``slack.deliveries.made``,
``slack.model.hold_moments``; ``await slack.settled()``, ``await slack.check_certificate()``, ``await slack.model.when(condition)``.
"""

from sandbox.slack.emulator import Served, SlackEmulator
from sandbox.slack.manifest import Manifest
from sandbox.slack.plans import Plan, Role

__all__ = ["Manifest", "Plan", "Role", "Served", "SlackEmulator"]
