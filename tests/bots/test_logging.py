import io
import json
import logging
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.logging import configure_logging
from bots.masking import MASK, Masker, printable

CANARIES = [
    "sk_live_canary51ABCDEFGH",
    "sk_test_canary51ABCDEFGH",
    "rk_live_canary51ABCDEFGH",
    "whsec_canaryABCDEFGH0123",
    "cs_test_a1_secret_canaryABC",
    "xoxb-123456-canary-abcdef",
    "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.Gcanry.abcdefghijklmnopqrstuvwxyz0123",
    "a known canary of ours",
]
CONTEXTS = ["{}", "Authorization: Bearer {}", '{{"token": "{}"}}', "https://example.com/?x={}&y=1", "({})", "'{}'"]
Form = Literal["console", "json"]


def fail(why: str) -> None:
    try:
        _raise(why)
    except ValueError:
        logging.getLogger("bots.test").exception("failed")


def _raise(why: str) -> None:
    raise ValueError(why)


@pytest.fixture(params=["console", "json"])
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture
def said(undisturbed: None, form: Form) -> io.StringIO:  # noqa: ARG001 - put back afterwards
    stream = io.StringIO()
    configure_logging("DEBUG", form, secrets=["a known canary of ours"], stream=stream)
    return stream


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("context", CONTEXTS)
def test_no_secret_is_in_a_message_an_argument_an_extra_or_a_traceback(said: io.StringIO, canary: str, context: str) -> None:
    log, text = logging.getLogger("bots.test"), context.format(canary)
    log.debug(text.replace("%", "%%"))
    log.info("got %s", text)
    log.info("got %s", {"inside": [text]})
    log.warning("got", extra={"detail": text, "nested": {"inside": text}})
    fail(text)
    shown = said.getvalue()
    assert "got" in shown
    assert "ValueError" in shown
    assert MASK in shown
    assert canary not in shown


@pytest.mark.parametrize(
    "line",
    [
        "access_token=canary0123456",
        "'client_secret': 'canary0123456'",
        "password: canary0123456",
        "postgres://me:canary0123456@db/x",
        "GET /oauth/callback?code=canary0123456789abc&state=canary0123456789abc",
    ],
)
def test_what_is_called_a_secret_is_one(said: io.StringIO, line: str) -> None:
    logging.getLogger("bots.test").info(line)
    assert "canary" not in said.getvalue()


def test_an_extra_that_is_called_a_secret_is_one(said: io.StringIO) -> None:
    logging.getLogger("bots.test").info("hello", extra={"refresh_token": "canary0123456"})
    assert "canary" not in said.getvalue()


@pytest.mark.parametrize(
    "line", ["error code=50013 in the server", "state: granted", "invite ABCDEFGH1234 for plan Gold", "community rRzIdvaSB7uGbYW2f3PqNQ"]
)
def test_what_helps_is_left_as_it_is(said: io.StringIO, line: str) -> None:
    logging.getLogger("bots.test").info(line)
    assert line in said.getvalue()


def test_an_error_s_code_can_be_read(said: io.StringIO) -> None:
    logging.getLogger("bots.test").warning("refused", extra={"code": "missing_permission", "reference": "rRzIdvaSB7uGbYW2f3PqNQ"})
    assert "missing_permission" in said.getvalue()
    assert "rRzIdvaSB7uGbYW2f3PqNQ" in said.getvalue()


def test_a_library_s_own_chatter_is_not_heard_however_loud_it_sets_itself(said: io.StringIO) -> None:
    vendor = logging.getLogger("vendor.http")
    vendor.setLevel("DEBUG")
    vendor.debug("PUT body with canary")
    vendor.info("canary again")
    vendor.warning("the connection was lost")
    assert "canary" not in said.getvalue()
    assert "the connection was lost" in said.getvalue()


@pytest.mark.usefixtures("undisturbed")
def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    configure_logging("WARNING", "console", stream=stream)
    logging.getLogger("bots.test").info("quiet")
    logging.getLogger("bots.test").warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_a_name_cannot_forge_a_line(said: io.StringIO) -> None:
    logging.getLogger("bots.test").info("joined: %s", "Ann\n2026-01-01 error bots: forged\x1b[31m\u2028x\u202e")
    shown = said.getvalue()
    assert shown.count("\n") == 1
    assert not {"\x1b", "\u2028", "\u202e"} & set(shown)


@pytest.mark.usefixtures("undisturbed")
def test_a_traceback_of_a_forged_name_cannot_start_a_line() -> None:
    stream = io.StringIO()
    configure_logging("INFO", "console", stream=stream)
    fail("Ann\n2026-01-01 error bots: forged")
    assert all(line.startswith(("2026-", "  | ")) for line in stream.getvalue().splitlines())
    assert "\n2026-01-01" not in stream.getvalue()


@pytest.mark.usefixtures("undisturbed")
def test_machines_get_one_object_a_line_with_what_was_said_around_it() -> None:
    stream = io.StringIO()
    configure_logging("INFO", "json", stream=stream)
    logging.getLogger("bots.test").warning("cut %s", "short", extra={"reference": "abc", "tries": 3})
    fail("boom")
    first, second = map(json.loads, stream.getvalue().splitlines())
    time = first.pop("time")
    assert time.endswith("Z")
    assert first == {"level": "warning", "logger": "bots.test", "event": "cut short", "reference": "abc", "tries": 3}
    assert second["exception"].endswith("ValueError: boom")


@given(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6, max_size=60),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).mask(before + secret + after)
    assert secret not in masked.replace(MASK, "\0")


@given(st.text())
def test_what_is_printable_has_no_control_characters(text: str) -> None:
    assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in printable(text))
