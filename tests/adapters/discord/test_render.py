"""What people wrote is shown letter by letter, and everything fits."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord import render
from core.commands import CommandReply, ReplyButton
from core.ids import PlatformUserId
from core.platform import LinkButton, Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Text, Url

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOSTILE = [
    "@everyone", "@here", "<@123>", "<@&123>", "<#5>", "[click](https://evil.example)", "](", "`", "```", "**", "__", "||", "~~",
    "> ", ">>> ", "# ", "-# ", "- ", "1. ", "\\", "<t:0:R>", "</tip:1>", "https://shop.example/a_b", "\n", "a", " ",
    "<https://evil.example>", "[https://good.example](https://evil.example)", "https://good.example/](https://evil.example)",
]  # fmt: skip
anything = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=12).map("".join)
spans = st.lists(st.one_of(anything, anything.map(Bold), anything.map(Code), anything.map(Url)), max_size=6).map(tuple)
MASKED = re.compile(r"(?<!\\)\[[^\]]*(?<!\\)\]\(")
PINGS = re.compile(r"@everyone|@here|<@|<#|<t:|</")


def shown(markdown: str) -> str:
    """What a reader sees of escaped plain text."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", markdown).replace("\u200b", "")


@given(anything)
def test_nothing_a_person_wrote_can_ping_or_hide_a_link(text: str) -> None:
    written = render.escape(text)

    assert not PINGS.search(written)
    assert not MASKED.search(written)


@given(anything)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    assert shown(render.escape(text)) == text.replace("\u200b", "")


@given(spans, st.integers(0, 300))
def test_any_text_fits_its_limit(text: Text, limit: int) -> None:
    assert len(render.markdown(text, limit)) <= limit


@given(spans)
def test_no_span_made_of_a_persons_words_can_ping(text: Text) -> None:
    assert not PINGS.search(render.markdown(text, 4096))


@settings(max_examples=40)
@given(
    st.builds(
        CommandReply,
        title=anything,
        body=spans,
        buttons=st.lists(st.builds(ReplyButton, label=anything, action=st.just("plan archive:1")), max_size=30).map(tuple),
        fields=st.lists(st.tuples(anything, spans), max_size=30).map(tuple),
    )
)
def test_every_reply_is_one_discord_takes(reply: CommandReply) -> None:
    body = render.reply(reply)
    embed = body["embeds"][0]

    sizes = [len(embed["title"]), len(embed["description"]), *(len(field["name"]) + len(field["value"]) for field in embed["fields"])]
    assert sum(sizes) <= 6000
    assert len(embed["title"]) <= 256
    assert len(embed["description"]) <= 4096
    assert len(embed["fields"]) <= 25
    assert all(field["name"] and field["value"] for field in embed["fields"])
    assert all(len(field["name"]) <= 256 and len(field["value"]) <= 1024 for field in embed["fields"])
    assert len(body["components"]) <= 5
    assert all(1 <= len(row["components"]) <= 5 for row in body["components"])
    assert all(1 <= len(button["label"]) <= 80 for row in body["components"] for button in row["components"])
    assert body["allowed_mentions"] == {"parse": []}


def test_a_long_title_and_long_fields_are_cut_with_a_sign() -> None:
    body = render.reply(CommandReply("t" * 300, ("b" * 5000,), fields=(("f" * 300, ("v" * 2000,)),)))
    embed = body["embeds"][0]

    assert embed["title"] == "t" * 255 + "…"
    assert embed["description"] == "b" * 4095 + "…"
    assert embed["fields"][0]["value"] == "v" * 1023 + "…"


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (Bold("2 * 3"), "**2 \\* 3**"),
        (Code("ABC-1"), "`ABC-1`"),
        (Url("https://shop.example/a_b?c=1"), "https://shop.example/a_b?c=1"),
        (Url("javascript:alert(1)"), "javascript:alert(1)"),
        (Mention(PlatformUserId("42")), "<@42>"),
        (Moment(AT), "<t:1793610000:D>"),
        (Moment(AT, MomentStyle.DATE_TIME), "<t:1793610000:f>"),
        (Moment(AT, MomentStyle.RELATIVE), "<t:1793610000:R>"),
    ],
)
def test_each_span_has_its_own_form(span: Bold | Code | Url | Mention | Moment, written: str) -> None:
    assert render.markdown((span,), 100) == written


def test_a_mention_of_something_that_is_no_id_is_plain_text() -> None:
    assert not PINGS.search(render.markdown((Mention(PlatformUserId("1><@&2")),), 100))


def test_a_price_and_an_address_stay_readable() -> None:
    assert render.escape("9.99 USD (monthly), see https://shop.example/a_b-c") == "9.99 USD (monthly), see https://shop.example/a_b-c"


def test_buttons_open_addresses_or_run_actions() -> None:
    body = render.reply(
        CommandReply("t", (), buttons=(ReplyButton("Pay", url="https://pay.example"), ReplyButton("Archive", action="plan archive:1")))
    )

    assert body["components"][0]["components"] == [
        {"type": 2, "style": 5, "label": "Pay", "url": "https://pay.example"},
        {"type": 2, "style": 2, "label": "Archive", "custom_id": "plan archive:1"},
    ]


def test_an_address_too_long_for_a_button_becomes_a_link_of_ours_under_the_text() -> None:
    url = "https://pay.example/" + "x" * 600

    body = render.message(Message("Pay", ("Soon.",), (LinkButton("Pay now", url),)))

    assert body["components"] == []
    assert body["embeds"][0]["description"] == f"Soon.\n\n**[Pay now]({url})**"


@pytest.mark.parametrize("action", ["", "x" * 101])
def test_a_button_with_an_impossible_action_is_our_bug(action: str) -> None:
    with pytest.raises(ValueError, match="action"):
        render.reply(CommandReply("t", (), buttons=(ReplyButton("b", action=action),)))
