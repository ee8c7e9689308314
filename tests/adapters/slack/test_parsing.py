from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.parsing import understand
from adapters.slack.usage import NotUnderstoodError
from bots.commands import COMMANDS
from core.commands import Audience, CommandKind, CommandSpec, Option, OptionKind

CREATE = CommandSpec(
    ("doorman", "plan", "create"),
    "Make a plan",
    (
        Option("name", "What people see", required=True, lowest=1, highest=60),
        Option("price", "Like 9.99 USD", required=True, highest=30),
        Option("interval", "How often", required=True, highest=30),
        Option("role", "What it opens", OptionKind.RESOURCE, required=True),
        Option("trial_days", "Free days", OptionKind.INTEGER, lowest=0, highest=365),
        Option("description", "A sentence", highest=300),
    ),
    Audience.CREATOR,
)
TABLE = (
    CREATE,
    CommandSpec(("doorman", "plan", "list"), "See your plans"),
    CommandSpec(
        ("doorman", "plan", "add"),
        "Open more",
        (Option("plan", "Which", required=True), Option("role", "What", OptionKind.RESOURCE, required=True)),
    ),
    CommandSpec(
        ("doorman", "setup"),
        "Settle the basics",
        (
            Option("channel", "Where to", OptionKind.CHANNEL),
            Option("currency", "Like USD", lowest=3, highest=3),
            Option("attach", "For a code", OptionKind.BOOLEAN),
        ),
    ),
    CommandSpec(("doorman", "invite"), "Make a link", (Option("plan", "Which", required=True), Option("for", "Whom", OptionKind.USER))),
    CommandSpec(("join",), "Become a member", (Option("plan", "Which"),)),
    CommandSpec(("status",), "What you have"),
    CommandSpec(
        ("tip",),
        "Say thanks",
        (
            Option("amount", "Like 5 USD", required=True, highest=30),
            Option("message", "A few words", highest=280),
            Option("anonymous", "Nameless", OptionKind.BOOLEAN),
        ),
    ),
    CommandSpec(("paint",), "Choose", (Option("colour", "Which", choices=("Red", "Dark blue"), required=True),)),
    CommandSpec(("plan", "archive"), "A button", kind=CommandKind.BUTTON),
)


def read(text: str) -> tuple[str, dict[str, Any]]:
    asked = understand(TABLE, text, "/doorman")
    return asked.spec.name, {name: value.value for name, value in asked.values.items()}


def refused(text: str) -> str:
    with pytest.raises(NotUnderstoodError) as problem:
        understand(TABLE, text, "/doorman")
    return str(problem.value)


GOLD = {"name": "Gold", "price": "9.99 USD", "interval": "month", "role": "C0123456789"}


@pytest.mark.parametrize(
    ("typed", "words", "options"),
    [
        ("join", "join", {}),
        ("doorman join", "join", {}),
        ("JOIN Gold", "join", {"plan": "Gold"}),
        ("plan list", "doorman plan list", {}),
        ("doorman  plan\tlist", "doorman plan list", {}),
        ('plan create name:Gold price:"9.99 USD" interval:month role:<#C0123456789|gold>', "doorman plan create", GOLD),
        ("plan create Gold “9.99 USD” month <#C0123456789|gold>", "doorman plan create", GOLD),
        ("plan create Gold 9.99 USD month <#C0123456789|gold>", "doorman plan create", GOLD),
        ("plan create role=<#C0123456789> Gold 9.99 USD month", "doorman plan create", GOLD),
        ("plan create name: Gold price: 9.99 USD interval: month role: C0123456789", "doorman plan create", GOLD),
        ("plan create --name=Gold --price='9.99 USD' month <#C0123456789>", "doorman plan create", GOLD),
        ("plan create Gold 9.99 month <#C0123456789|gold> 7", "doorman plan create", {**GOLD, "price": "9.99", "trial_days": 7}),
        ("plan create Gold $9.99 month <#C0123456789|gold>", "doorman plan create", {**GOLD, "price": "$9.99"}),
        ("plan create Gold 9,99 EUR month <#C0123456789|gold>", "doorman plan create", {**GOLD, "price": "9,99 EUR"}),
        ("plan create Gold eur 9,99 month <#C0123456789|gold>", "doorman plan create", {**GOLD, "price": "eur 9,99"}),
        ("plan create Gold 9,99€ 30 days <#C0123456789|gold>", "doorman plan create", {**GOLD, "price": "9,99€", "interval": "30 days"}),
        ("plan create Gold 9.99 USD month <!subteam^S0123456789|@gold>", "doorman plan create", {**GOLD, "role": "S0123456789"}),
        ("plan create Gold 9.99 USD month #gold", "doorman plan create", {**GOLD, "role": "gold"}),
        (
            "plan create name:Gold and Silver price:9.99 USD interval:month role:<#C0123456789> trial_days:7 days description:All of it",
            "doorman plan create",
            {**GOLD, "name": "Gold and Silver", "trial_days": 7, "description": "All of it"},
        ),
        ("plan add Gold and Silver <#C0123456789>", "doorman plan add", {"plan": "Gold and Silver", "role": "C0123456789"}),
        ("setup <#C0123456789|news> usd yes", "doorman setup", {"channel": "C0123456789", "currency": "usd", "attach": True}),
        ("setup USD", "doorman setup", {"currency": "USD"}),
        ("setup attach", "doorman setup", {"attach": True}),
        ("setup attach:off", "doorman setup", {"attach": False}),
        ("setup attach:True", "doorman setup", {"attach": True}),
        ("invite Gold <@U0123456789|bob>", "doorman invite", {"plan": "Gold", "for": "U0123456789"}),
        ("tip 5 payload", "tip", {"amount": "5", "message": "payload"}),
        ("tip 5 USD thanks a lot", "tip", {"amount": "5 USD", "message": "thanks a lot"}),
        ("tip 5 all of you", "tip", {"amount": "5", "message": "all of you"}),
        ("tip 5 it's you, isn't it", "tip", {"amount": "5", "message": "it's you, isn't it"}),
        ("tip 5 'it's you'", "tip", {"amount": "5", "message": "it's you"}),
        ('tip 5 anonymous message:"say \\"hi\\""', "tip", {"amount": "5", "anonymous": True, "message": 'say "hi"'}),
        ("tip 5 see <https://x.example/a?b=1|x.example/a> and <@U0123456789|bob> &amp; co", "tip",
         {"amount": "5", "message": "see https://x.example/a?b=1 and @bob & co"}),
        ("tip 5 <!channel> <!subteam^S01|@staff> <#C01|news>", "tip", {"amount": "5", "message": "@channel @staff #news"}),
        ("paint dark blue", "paint", {"colour": "Dark blue"}),
        ("paint RED", "paint", {"colour": "Red"}),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(typed: str, words: str, options: dict[str, Any]) -> None:
    assert read(typed) == (words, options)


def test_names_come_with_what_they_are_called() -> None:
    values = understand(TABLE, "plan create Gold 5 month <#C0123456789|gold-room>", "/doorman").values

    assert (values["role"].label, values["role"].sought) == ("gold-room", False)
    sought = understand(TABLE, "plan create Gold 5 month #gold-room", "/doorman").values["role"]
    assert (sought.value, sought.sought) == ("gold-room", True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("statsu", "/doorman status"),
        ("plan crate Gold", "/doorman plan create name:… price:… interval:… role:… [trial_days:…] [description:…]"),
        ("doorman pln list", "/doorman plan list"),
        ("plan", "/doorman plan list: See your plans"),
        ("", "/doorman join [plan:…]: Become a member"),
        ("doorman", "/doorman join [plan:…]: Become a member"),
        ("make me rich", "I don't know “make me rich”"),
        ("plan create Gold 5", "Something is missing: interval, role."),
        ("plan create name:Gold pirce:5 interval:month role:#gold", "There is no option pirce. Did you mean price?"),
        ("plan create Gold 5 month #gold trial_days:soon", "trial_days is a whole number."),
        ("plan create Gold 5 month #gold 366", "trial_days is at most 365."),
        ("plan create Gold 5 month #gold trial_days:-1", "trial_days is at least 0."),
        (f"plan create {'G' * 61} 5 month #gold", "name has at most 60 characters."),
        ("setup currency:US", "currency has at least 3 characters."),
        ("setup attach:maybe", "attach is yes or no."),
        ("invite Gold for:@bob", "Type @ and pick the person"),
        ("status now", "I don't know what “now” is for."),
        ("paint green", "colour is one of: Red, Dark blue."),
        ("plan archive", "I don't know “plan archive”"),
    ],
)
def test_what_is_not_understood_is_answered_with_how_it_is_written(typed: str, said: str) -> None:
    assert said in refused(typed)


def test_a_command_that_needs_something_and_got_nothing_is_told_apart_from_one_that_got_too_little() -> None:
    assert understand(TABLE, "plan create", "/doorman").bare
    assert not understand(TABLE, "join", "/doorman").bare


@pytest.mark.parametrize(
    "spec", [command.spec for command in COMMANDS if command.spec.kind is CommandKind.SLASH], ids=lambda spec: spec.name
)
def test_every_command_of_the_product_is_found_by_its_words(spec: CommandSpec) -> None:
    specs = [command.spec for command in COMMANDS]

    for typed in (spec.words, [word for word in spec.words if word != "doorman"]):
        assert understand(specs, " ".join(typed), "/doorman").spec == spec


def written(spec: CommandSpec, options: dict[str, Any]) -> str:
    """Write a command out as Slack would send it, every value named and quoted."""
    return " ".join([*spec.words, *(f"{name}:{_quoted(spec, name, value)}" for name, value in options.items())])


def _quoted(spec: CommandSpec, name: str, value: object) -> str:
    kind = next(option.kind for option in spec.options if option.name == name)
    if kind is OptionKind.USER:
        return f"<@{value}|bob>"
    if kind in {OptionKind.CHANNEL, OptionKind.RESOURCE}:
        return f"<!subteam^{value}|@gold>" if str(value).startswith("S") else f"<#{value}|gold>"
    escaped = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ids(first: str) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(first), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=8, max_size=11)).map("".join)


def value_for(option: Option) -> st.SearchStrategy[Any]:
    lowest, highest = option.lowest, option.highest
    if option.choices:
        return st.sampled_from(option.choices)
    if option.kind is OptionKind.TEXT:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=lowest or 1, max_size=highest or 80)
    return {
        OptionKind.INTEGER: st.integers(-(10**9) if lowest is None else lowest, 10**9 if highest is None else highest),
        OptionKind.BOOLEAN: st.booleans(),
        OptionKind.USER: ids("UW"),
        OptionKind.CHANNEL: ids("CG"),
        OptionKind.RESOURCE: ids("CGS"),
    }[option.kind]


@st.composite
def requests(draw: st.DrawFn) -> tuple[CommandSpec, dict[str, Any]]:
    spec = draw(st.sampled_from([spec for spec in TABLE if spec.kind is CommandKind.SLASH]))
    chosen = [option for option in spec.options if option.required or draw(st.booleans())]
    return spec, {option.name: draw(value_for(option)) for option in draw(st.permutations(chosen))}


@given(requests())
def test_whatever_is_written_out_reads_back_the_same(request: tuple[CommandSpec, dict[str, Any]]) -> None:
    spec, options = request
    asked = understand(TABLE, written(spec, options), "/doorman")

    assert asked.spec == spec
    assert {name: value.value for name, value in asked.values.items()} == options


@given(st.text(max_size=200))
def test_nothing_anyone_types_breaks_it(text: str) -> None:
    for prefix in ("", "tip ", "plan create ", "setup "):
        with suppress(NotUnderstoodError):
            understand(TABLE, prefix + text, "/doorman")
