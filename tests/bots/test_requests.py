from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bots.requests import dump_event, dump_request, load_event, load_request
from core.commands import CommandRequest, ReplyHandle
from core.ids import PlatformName, PlatformUserId
from core.platform import EventKind, PlatformEvent, Space

WORDS = st.text(max_size=20)
TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
NAMES = st.builds(PlatformName, WORDS)
USERS = st.builds(PlatformUserId, WORDS)
VALUES = WORDS | st.integers(min_value=-(2**53), max_value=2**53) | st.booleans()
REQUESTS = st.builds(
    CommandRequest,
    id=WORDS,
    words=st.lists(WORDS, max_size=3).map(tuple),
    options=st.dictionaries(WORDS, VALUES, max_size=4),
    platform=NAMES,
    realm=WORDS,
    space_external_id=WORDS,
    space_name=WORDS,
    user=USERS,
    user_name=WORDS,
    can_manage=st.booleans(),
    at=TIMES,
    handle=st.builds(
        ReplyHandle,
        platform=NAMES,
        data=st.dictionaries(WORDS, WORDS, max_size=3),
        expires_at=TIMES,
        user=USERS,
        realm=WORDS,
        space_external_id=WORDS,
    ),
    labels=st.dictionaries(WORDS, WORDS, max_size=3),
)
EVENTS = st.builds(
    PlatformEvent,
    id=WORDS,
    kind=st.sampled_from(EventKind),
    space=st.builds(Space, NAMES, WORDS, WORDS),
    at=TIMES,
    user=st.none() | USERS,
    name=WORDS,
)


@given(REQUESTS)
def test_a_command_is_read_back_as_it_was_stored(request: CommandRequest) -> None:
    assert load_request(*dump_request(request)) == request


@given(EVENTS)
def test_an_event_is_read_back_as_it_was_stored(event: PlatformEvent) -> None:
    assert load_event(dump_event(event)) == event


def test_the_handle_s_token_is_only_in_the_part_that_is_encrypted() -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    handle = ReplyHandle(PlatformName("acme"), {"token": "canary"}, at, PlatformUserId("1"))
    request = CommandRequest(
        "1", ("join",), {}, handle.platform, "", "2", "Place", handle.user, "Ann", can_manage=False, at=at, handle=handle
    )
    payload, held = dump_request(request)
    assert b"canary" not in payload
    assert "canary" in held
