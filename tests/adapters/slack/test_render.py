"""Whatever anybody wrote is shown letter by letter, mentions nobody, hides no link, and fits."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import render
from core.commands import CommandReply, ReplyButton
from core.ids import PlatformUserId
from core.platform import Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Span, Text, Url
from sandbox.slack import blocks as limits

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WORDS = st.text(max_size=4000) | st.sampled_from(
    ["<!channel>", "@here", "<@U1>", "<https://evil.example|https://bank.example>", "*b* `c` ~s~"]
)
SPANS: st.SearchStrategy[Span] = st.one_of(
    WORDS,
    st.builds(Bold, WORDS),
    st.builds(Code, WORDS),
    st.builds(Url, WORDS),
    st.just(Moment(AT)),
    st.just(Mention(PlatformUserId("U9"))),
)
TEXTS: st.SearchStrategy[Text] = st.lists(SPANS, max_size=8).map(tuple)


def elements(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for block in body["blocks"] if block["type"] == "rich_text" for section in block["elements"] for one in section["elements"]]


def rich(*text: Span) -> list[dict[str, Any]]:
    return elements(render.message(Message("Title", text)))


@given(title=WORDS, body=TEXTS, fields=st.lists(st.tuples(WORDS, TEXTS), max_size=25), labels=st.lists(WORDS, max_size=30))
def test_everything_fits_whatever_it_is(title: str, body: Text, fields: list[tuple[str, Text]], labels: list[str]) -> None:
    buttons = tuple(ReplyButton(label, action="plan archive:1") for label in labels)

    made = render.reply(CommandReply(title, body, buttons, tuple(fields)))

    assert limits.problems(made["blocks"]) == []
    assert len(made["blocks"]) <= 50
    assert sum(len(str(one.get("text", ""))) for one in elements(made)) <= render.WORDS + render.FIELDS
    assert 0 < len(made["text"]) <= 5 * render.NOTICE


@given(title=WORDS, body=TEXTS)
def test_only_our_own_spans_mention_or_link(title: str, body: Text) -> None:
    made = render.message(Message(title, body))

    assert {one["type"] for one in elements(made)} <= {"text", "link", "user", "date"}
    assert [one["user_id"] for one in elements(made) if one["type"] == "user"] == ["U9"] * sum(
        one["type"] == "user" for one in elements(made)
    )
    assert all(one["url"].startswith(("http://", "https://")) and "text" not in one for one in elements(made) if one["type"] == "link")
    assert "<" not in made["text"]
    assert ">" not in made["text"]


@given(st.text(min_size=1, max_size=1000))
def test_plain_text_arrives_letter_by_letter(text: str) -> None:
    assert rich(text) == [{"type": "text", "text": text}]


def test_each_span_has_its_element() -> None:
    said = (Bold("b"), Code("c"), Url("https://x.example"), Mention(PlatformUserId("U1")), Moment(AT, MomentStyle.RELATIVE))

    assert rich(*said) == [
        {"type": "text", "text": "b", "style": {"bold": True}},
        {"type": "text", "text": "c", "style": {"code": True}},
        {"type": "link", "url": "https://x.example"},
        {"type": "user", "user_id": "U1"},
        {"type": "date", "timestamp": int(AT.timestamp()), "format": "{ago}", "fallback": "2 November 2026, 09:00 UTC"},
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "nothing", "http://", "https://x.example/" + "a" * 3000])
def test_what_is_no_address_is_no_link(url: str) -> None:
    assert rich(Url(url)) == [{"type": "text", "text": url}]


def test_a_notification_says_the_same_in_short_and_escaped() -> None:
    made = render.message(Message("A & B", ("<!channel> pays\nnow",)))

    assert made["text"] == "A &amp; B: &lt;!channel&gt; pays now"
    assert len(render.message(Message("x" * 5000, ()))["text"]) == render.NOTICE


def test_buttons_run_commands_or_open_addresses() -> None:
    (actions,) = [
        block
        for block in render.reply(
            CommandReply("Plans", (), (ReplyButton("Pay", url="https://x.example/pay"), ReplyButton("Archive", action="plan archive:p-1")))
        )["blocks"]
        if block["type"] == "actions"
    ]
    pay, archive = actions["elements"]

    assert (pay["url"], pay["action_id"]) == ("https://x.example/pay", "go:0")
    assert (archive["value"], archive["action_id"]) == ("plan archive:p-1", "do:1")


@pytest.mark.parametrize(
    "button", [ReplyButton("A"), ReplyButton("A", action="x" * 2001), ReplyButton("A", url="https://x.example/" + "a" * 3000)]
)
def test_a_button_that_cannot_work_is_a_bug_of_ours(button: ReplyButton) -> None:
    with pytest.raises(ValueError, match="a button's"):
        render.reply(CommandReply("x", (), (button,)))


def test_fields_stand_under_the_body_a_line_each() -> None:
    made = render.reply(
        CommandReply(
            "Plan", ("Body",), (ReplyButton("Open", url="https://x.example"),), (("Price", ("5 USD",)), ("Trial", (Bold("none"),)))
        )
    )

    assert "".join(one["text"] for one in elements(made)) == "Body\nPrice: 5 USD\nTrial: none"


@pytest.mark.parametrize(
    ("named", "typed"),
    [
        ("/join", "/pay join"),
        ("/doorman plan create", "/pay plan create"),
        ("/doorman", "/pay"),
        ("doorman sweep", "doorman sweep"),
        ("cs_1", "cs_1"),
    ],
)
def test_commands_are_named_as_they_are_typed_in_slack(named: str, typed: str) -> None:
    made = render.reply(CommandReply("x", (Code(named), " /join"), (), (("Next", (Code(named),)),)), "/pay")
    (words,) = [block for block in made["blocks"] if block["type"] == "rich_text"]
    codes = [one["text"] for one in words["elements"][0]["elements"] if (one.get("style") or {}).get("code")]
    assert codes == [typed, typed]
    assert " /join" in [one["text"] for one in words["elements"][0]["elements"]], "what others wrote is left as it is"
