"""Nothing of what Slack gives us in confidence is in the log, however much is logged."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.commands import CommandReply
from sandbox.clock import VirtualClock
from storage.credentials import CredentialStore
from tests.adapters.slack.house import REDIRECT, House


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger at DEBUG, also those that are made while the test runs."""
    caplog.set_level(logging.DEBUG)
    known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    levels = [(logger, logger.level) for logger in known]
    for logger in known:
        logger.setLevel(logging.DEBUG)
    yield caplog
    for logger, level in levels:
        logger.setLevel(level)


def secrets_of(house: House) -> set[str]:
    model = house.emulator.model
    told = {one.value for one in model.tokens._known.values()} | {one.refresh_token for one in model.tokens._known.values()}
    ours = {house.served.client_secret, house.served.signing_secret, house.served.app_token}
    replies = set(model.responses) | set(model.triggers)
    return {secret for secret in told | ours | replies if secret} | set(model.codes._used)


@pytest.mark.parametrize("socket", [False, True], ids=["signed requests", "a socket"])
async def test_no_token_is_in_any_line(
    clock: VirtualClock,
    store: CredentialStore,
    socket: bool,  # noqa: FBT001 - a case of the table
    everything: pytest.LogCaptureFixture,
) -> None:
    house = House(clock, store, socket=socket)
    house.emulator.model.app.token_rotation = True
    async with house.open():
        await house.say(house.ann, "/doorman status")
        form = await house.ann.command(house.club, "/doorman paint")
        await house.ann.submit(form, {"Colour": "Red"})
        await house.ann.command(house.club, "/doorman nonsense")
        await house.adapter.exchange(await house.code(house.bob, house.adapter.authorize_url("state", REDIRECT)), REDIRECT)
        house.clock.advance(timedelta(hours=13))
        await house.say(house.ann, "/doorman plan list")
        house.inbox.failures = 1
        house.emulator.people.join(house.emulator.people.person("fan"), house.club)
        await house.emulator.settled()
        async with house.emulator.outage():
            with pytest.raises(Exception, match="Slack"):
                await house.adapter.reply(house.inbox.requests[-1].handle, CommandReply("x", ()))
            with pytest.raises(Exception, match="Slack"):
                await house.adapter.install("a code", REDIRECT)
        secrets = secrets_of(house)

    text = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in everything.records) + everything.text
    assert len(secrets) > 10
    assert any(record.name.startswith("adapters.slack") for record in everything.records)
    assert [secret for secret in secrets if secret in text] == []
