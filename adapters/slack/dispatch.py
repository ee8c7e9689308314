"""Bolt as the one that tells requests apart. It neither verifies nor parses: its ways of doing both are wrong for some that are genuine.

A listener runs to its end before the request is answered, so that what was acknowledged is stored and what failed is sent again.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest

from adapters.slack import quiet
from adapters.slack.buttons import Buttons
from adapters.slack.events import Events
from adapters.slack.modals import Forms
from adapters.slack.render import escape
from adapters.slack.replies import Answers
from adapters.slack.slash import Slash
from adapters.slack.usage import NotUnderstoodError
from core.platform import Inbound

log = logging.getLogger(__name__)

OK, UNMATCHED = 200, 404
_ANYTHING = re.compile("")
_INBOUND = "inbound"


@dataclass(frozen=True, slots=True)
class Answered:
    """What to answer Slack: with 200 it is acknowledged, ``body`` (JSON, or nothing) being shown or done at once."""

    status: int
    body: Mapping[str, Any] | None = None

    @property
    def settled(self) -> bool:
        """Whether Slack need not send it again."""
        return self.status == OK


class _Known(AsyncAuthorize):
    """Nobody need be asked whether the app is installed where a genuine request comes from."""

    def __init__(self) -> None:
        """Bolt's own has no annotations."""

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult:
        del context, actor_enterprise_id, actor_team_id, actor_user_id
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


class Dispatcher:
    """Hands each request to the one who takes its kind."""

    def __init__(self, slash: Slash, buttons: Buttons, forms: Forms, events: Events, answers: Answers) -> None:
        self._slash, self._buttons, self._forms, self._events, self._answers = slash, buttons, forms, events, answers
        self._app = app = _app()
        app.command(_ANYTHING)(self._command)
        app.action(_ANYTHING)(self._action)
        app.view(_ANYTHING)(self._view)
        app.event(_ANYTHING)(self._event)
        app.error(_failed)

    async def run(self, body: dict[str, Any], inbound: Inbound) -> Answered:
        """Have ``body`` taken and return how to answer; never raises, since a failure is an answer too."""
        request = AsyncBoltRequest(mode="socket_mode", body=body, headers={}, context={_INBOUND: inbound})
        response = await self._app.async_dispatch(request)
        if response.status == UNMATCHED:
            return Answered(OK)  # a kind we have no use for: anything else would have Slack send it again
        return Answered(response.status, json.loads(response.body) if response.body else None)

    async def _command(self, body: dict[str, Any], ack: AsyncAck, context: AsyncBoltContext) -> None:
        try:
            await self._slash.take(body, context[_INBOUND])
        except NotUnderstoodError as problem:
            await ack({"response_type": "ephemeral", "text": escape(str(problem))})
        else:
            await ack()

    async def _action(self, body: dict[str, Any], ack: AsyncAck, context: AsyncBoltContext) -> None:
        try:
            await self._buttons.take(body, context[_INBOUND])
        except NotUnderstoodError as problem:
            if body.get("response_url"):
                await self._answers.say(body["response_url"], str(problem))
        await ack()

    async def _view(self, body: dict[str, Any], ack: AsyncAck, context: AsyncBoltContext) -> None:
        errors = await self._forms.take(body, context[_INBOUND])
        if errors:
            await ack({"response_action": "errors", "errors": dict(errors)})
        else:
            await ack()

    async def _event(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await self._events.take(body, context[_INBOUND])


def _app() -> AsyncApp:
    return AsyncApp(
        name="doorman",
        logger=quiet.logger,
        process_before_response=True,
        authorize=_Known(),
        request_verification_enabled=False,
        ssl_check_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )


async def _failed(error: Exception, body: dict[str, Any]) -> None:
    log.error("taking in a %s of Slack's failed; it is answered with an error", body.get("type") or "command", exc_info=error)
