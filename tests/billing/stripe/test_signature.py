import hashlib
import hmac
import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.stripe.signature import TOLERANCE, BadWebhook, ParsedEvent, verify
from core.clock import SystemClock
from sandbox.mark import MARK

SECRET = f"whsec_current{MARK}"
OLD = f"whsec_old{MARK}"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "api_version": "2026-10-28.endive",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "in_1", "object": "invoice"}},
}


def real_now() -> float:
    return SystemClock().now().timestamp()


def mac(body: bytes, timestamp: object, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def signed(body: bytes, timestamp: int | None = None, secret: str = SECRET) -> str:
    at = int(real_now()) if timestamp is None else timestamp
    return f"t={at},v1={mac(body, at, secret)}"


def event(**changes: object) -> bytes:
    return json.dumps({name: value for name, value in {**EVENT, **changes}.items() if value is not ...}).encode()


def accepted(body: bytes, header: str | None = None, *secrets: str) -> ParsedEvent:
    return verify(body, signed(body) if header is None else header, secrets or (SECRET,), real_now())


def test_a_signed_event_is_read() -> None:
    assert accepted(event()) == ParsedEvent(
        id="evt_1",
        type="invoice.paid",
        object_id="in_1",
        api_version="2026-10-28.endive",
        account="",
        livemode=False,
        created=datetime.fromtimestamp(1_790_000_000, UTC),
    )


def test_a_connected_accounts_event_names_the_account() -> None:
    assert accepted(event(account="acct_9", livemode=True, api_version=None)) == ParsedEvent(
        "evt_1", "invoice.paid", "in_1", "", "acct_9", livemode=True, created=datetime.fromtimestamp(1_790_000_000, UTC)
    )


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_both_secrets_are_good_while_one_is_rolled(secret: str) -> None:
    assert accepted(event(), signed(event(), secret=secret), SECRET, OLD).id == "evt_1"


def test_one_good_signature_among_several_is_enough() -> None:
    now = int(real_now())
    header = f"t={now},v1={mac(event(), now, 'whsec_other')},v0=abc,v1={mac(event(), now)}"

    assert accepted(event(), header).id == "evt_1"


@pytest.mark.parametrize("age", [-TOLERANCE + 5, 0, TOLERANCE - 5])
def test_a_signature_within_five_minutes_is_fresh(age: int) -> None:
    assert accepted(event(), signed(event(), int(real_now()) - age)).id == "evt_1"


@pytest.mark.parametrize("age", [TOLERANCE + 1, 86_400, -TOLERANCE - 5, -86_400, -(10**30)])
def test_an_older_or_later_signature_is_refused(age: int) -> None:
    with pytest.raises(BadWebhook):
        accepted(event(), signed(event(), int(real_now()) - age))


def test_our_clock_decides_and_not_the_sdks() -> None:
    with pytest.raises(BadWebhook, match="time"):
        verify(event(), signed(event()), [SECRET], real_now() - TOLERANCE - 5)


def headers(body: bytes) -> dict[str, str | None]:
    now = int(real_now())
    good = mac(body, now)
    return {
        "missing": None,
        "empty": "",
        "blank": " ",
        "garbage": "garbage",
        "only commas": ",,,,",
        "no time": f"v1={good}",
        "empty time": f"t=,v1={good}",
        "time in words": f"t=now,v1={good}",
        "endless time": f"t={'9' * 4000},v1={good}",
        "no signature": f"t={now}",
        "empty signature": f"t={now},v1=",
        "only v0": f"t={now},v0={good}",
        "another secret": f"t={now},v1={mac(body, now, 'whsec_other')}",
        "another body": f"t={now},v1={mac(body + b' ', now)}",
        "another time": f"t={now - 1},v1={good}",
        "letters no signature has": f"t={now},v1={'é' * 64}",
        "undecodable bytes": f"t={now},v1=\udce9",
        "far too long": f"t={now},v1={good}," + "v1=0," * 2000,
    }


@pytest.mark.parametrize("name", headers(b""))
def test_a_header_that_proves_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadWebhook):
        verify(event(), headers(event())[name], [SECRET], real_now())


@pytest.mark.parametrize("secret", ["", " ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_an_empty_secret_opens_nothing(secret: str) -> None:
    with pytest.raises(BadWebhook):
        accepted(event(), signed(event(), secret=secret), secret)


def test_no_secret_opens_nothing() -> None:
    with pytest.raises(BadWebhook):
        verify(event(), signed(event()), [], real_now())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{bad",
        b"\xff\xfe",
        b"[1]",
        b"null",
        b"7",
        b'"evt_1"',
        b"[" * 100_000,
        b"1" * 5000,
        event(object="v2.core.event", data=..., related_object={"id": "sub_1"}),
        event(object=...),
        event(id=...),
        event(id=7),
        event(id=""),
        event(id="evt\x00"),
        event(id="e" * 256),
        event(type=None),
        event(type=["invoice.paid"]),
        event(data=...),
        event(data=None),
        event(data=[]),
        event(data={}),
        event(data={"object": None}),
        event(data={"object": "in_1"}),
        event(data={"object": {}}),
        event(data={"object": {"id": {"id": "in_1"}}}),
        event(livemode=...),
        event(livemode="false"),
        event(livemode=0),
        event(created=...),
        event(created="now"),
        event(created=True),
        event(created=1.5),
        event(created=-1),
        event(created=10**20),
        event(account=7),
        event(account=""),
        event(api_version=20261028),
    ],
    ids=lambda body: body[:60].decode(errors="replace"),
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        accepted(body)


@pytest.mark.parametrize(
    ("body", "header"), [(event(id=7), None), (b'{"card":"4242"', None), (event(), "t=1,v1=4242"), (b"\xff4242", None)]
)
def test_what_is_refused_is_not_quoted(body: bytes, header: str | None) -> None:
    with pytest.raises(BadWebhook) as refused:
        accepted(body, header)

    told = "".join(traceback.format_exception(refused.value, chain=True))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert "4242" not in str(refused.value)
    assert SECRET not in told


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
almost_events = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("evt_1") | anything,
        "object": st.just("event") | anything,
        "type": st.just("invoice.paid") | anything,
        "created": st.integers() | anything,
        "livemode": st.booleans() | anything,
        "account": anything,
        "api_version": anything,
        "data": st.fixed_dictionaries({"object": st.fixed_dictionaries({"id": st.just("in_1") | anything})}) | anything,
    },
)


def verdict(body: bytes, header: str | None, secrets: list[str]) -> ParsedEvent | None:
    try:
        return verify(body, header, secrets, real_now())
    except BadWebhook:
        return None


@given(
    body=st.binary(),
    header=st.none() | st.text() | st.text("tv10=,9aé").map(lambda tail: f"t=1{tail}"),
    secrets=st.lists(st.text(), max_size=3),
)
def test_nothing_that_arrives_unsigned_passes_or_breaks_it(body: bytes, header: str | None, secrets: list[str]) -> None:
    assert verdict(body, header, secrets) is None


@given(body=st.binary() | almost_events.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_signed_is_an_event_or_refused(body: bytes) -> None:
    read = verdict(body, signed(body), [SECRET])

    assert read is None or read == json_view(body)


def json_view(body: bytes) -> ParsedEvent:
    value = json.loads(body)
    return ParsedEvent(
        id=value["id"],
        type=value["type"],
        object_id=value["data"]["object"]["id"],
        api_version=value.get("api_version") or "",
        account=value.get("account") or "",
        livemode=value["livemode"],
        created=datetime.fromtimestamp(value["created"], UTC),
    )
