"""The canary over the suite sings when it must: else a silent one would prove nothing."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bots.masking import Masker
from core.ids import RandomIds
from sandbox.clock import VirtualClock
from sandbox.discord.ids import Ids as DiscordIds
from sandbox.mark import MARK
from sandbox.slack.emulator import SlackEmulator
from sandbox.stripe.model import StripeModel
from tests.canary import Canary, sitting

ROOT = Path(__file__).parent.parent
TOKEN = f"xoxb-1-2-abcdefgh{MARK}"


class Unmasked(Masker):
    """Masks nothing."""

    def mask(self, text: str) -> str:
        return text


def fail(log: logging.Logger) -> None:
    try:
        int(TOKEN)
    except ValueError:
        log.exception("failed")


SAYINGS: list[Callable[[logging.Logger], None]] = [
    lambda log: log.debug("calling with %s", TOKEN),
    lambda log: log.warning("refused", extra={"key": f"sk_test_{MARK}"}),
    lambda log: log.info({"token": TOKEN}),
    fail,
]


@pytest.mark.parametrize("say", SAYINGS)
@pytest.mark.parametrize("name", ["adapters.slack", "billing", "vendor.http"])
def test_what_the_masker_does_not_hide_is_heard_at_every_level(say: Callable[[logging.Logger], None], name: str) -> None:
    log = logging.getLogger(name)
    for masker, leaks in ((Masker(), 0), (Unmasked(), 1)):
        canary = Canary(masker)
        with sitting(canary):
            say(log)
        assert (canary.caught, len(canary.leaks)) == (1, leaks)
        assert all(f"{name}, " in leak and "test_canary.py:" in leak and MARK not in leak for leak in canary.leaks)


def test_what_only_the_settings_know_for_a_secret_may_not_be_said_by_us_at_all() -> None:
    canary = Canary()
    with sitting(canary):
        logging.getLogger("web").debug("looking for %s", RandomIds().secret())
        logging.getLogger("vendor.http").debug("PUT %s", RandomIds().secret())
    assert ["web, DEBUG" in leak for leak in canary.leaks] == [True]


def test_a_logger_that_lets_nothing_through_leaks_nothing(request: pytest.FixtureRequest) -> None:
    log = logging.getLogger("vendor.silent")
    log.addFilter(lambda _record: False)
    request.addfinalizer(log.filters.clear)
    canary = Canary(Unmasked())
    with sitting(canary):
        log.warning(TOKEN)
    assert canary.leaks == []


def test_what_was_asked_for_goes_where_it_went(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("web").debug("too quiet")
    caplog.set_level(logging.INFO, "web")
    logging.getLogger("web").info("loud enough")
    assert [record.message for record in caplog.records] == ["loud enough"]


def test_a_child_s_log_is_read_too(tmp_path: Path) -> None:
    log = tmp_path / "child"
    log.write_text(f"all is well\nAuthorization: {TOKEN}\n")
    canary = Canary()
    canary.read(log)
    assert ["child:2" in leak for leak in canary.leaks] == [True]


def test_a_test_that_leaks_fails_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.canary import canary\n")
    body = f"import logging\n\n\ndef test_it():\n    logging.getLogger('storage').debug('opened with %s', {'a-key-' + MARK!r})\n"
    (tmp_path / "test_leaking.py").write_text(body)
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout
    assert "a secret was logged by storage, DEBUG, test_leaking.py:5: 'opened with %s'" in run.stdout


def test_every_secret_of_the_sandbox_bears_the_mark() -> None:
    clock = VirtualClock()
    app, stripe = SlackEmulator(clock).model.app, StripeModel(clock, 0)
    made = [
        app.client_secret,
        app.signing_secret,
        app.verification_token,
        app.app_token,
        stripe.create_key(next(iter(stripe.accounts.values()))),
    ]
    made += [DiscordIds(clock, 0).bot_token(1), DiscordIds(clock, 0).secret(), RandomIds().secret()]
    assert [secret for secret in made if not secret.endswith(MARK)] == []
