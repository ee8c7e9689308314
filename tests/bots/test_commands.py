import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from bots.commands import COMMANDS
from core.commands import Audience, CommandKind, CommandSpec
from core.ids import CommunityId
from core.people import Identity
from core.platform import EventKind
from storage.entitlements import EntitlementRow, EntitlementState
from storage.orders import OrderRow, OrderStatus
from storage.subscriptions import SubscriptionRow
from tests.bots.bench import PUBLIC_URL, Bench, text

CREATOR_COMMANDS: Mapping[str, Mapping[str, object]] = {
    "doorman setup": {},
    "doorman attach": {"code": "x"},
    "doorman plan create": {"name": "Gold", "price": "9.99 USD", "interval": "month", "role": "1"},
    "doorman plan list": {},
    "doorman plan archive": {"plan": "Gold"},
    "doorman plan add": {"plan": "Gold", "role": "1"},
    "doorman plan remove": {"plan": "Gold", "role": "1"},
    "doorman invite": {"plan": "Gold"},
    "doorman link list": {},
    "doorman link revoke": {"link": "x"},
    "doorman tasks": {},
    "doorman progress": {},
    "doorman why": {"who": "x"},
    "doorman doctor": {},
    "refund order": {"argument": "x"},
    "doorman account": {"who": "x"},
    "doorman plan set": {"plan": "Gold"},
    "doorman price add": {"plan": "Gold", "price": "99 USD", "interval": "year"},
    "doorman price change": {"plan": "Gold", "price": "99 USD", "interval": "year", "members": "keep"},
    "doorman price remove": {"plan": "Gold", "interval": "year"},
    "doorman coupon create": {"code": "SPRING", "off": "20%"},
    "doorman coupon list": {},
    "doorman coupon end": {"code": "SPRING"},
    "doorman comp": {"who": "x", "plan": "Gold", "days": 3},
    "doorman move": {"who": "x", "plan": "Gold"},
    "doorman applications": {},
    "doorman retention": {},
    "doorman help": {},
}
SPECS = [command.spec for command in COMMANDS]


async def home(bench: Bench) -> CommunityId:
    return (await bench.cases.desk.communities.of_space(bench.space)).community_id


def code_of(said: str) -> str:
    found = re.search(rf"{PUBLIC_URL}/j/([\w-]+)", said)
    assert found, said
    return found[1]


# The table


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_command_fits_what_platforms_take(spec: CommandSpec) -> None:
    needs = [option.required for option in spec.options]
    assert needs == sorted(needs, reverse=True), "required options come first"
    assert 1 <= len(spec.words) <= 3
    assert len(spec.description) <= 100
    for name, description in [(word, "") for word in spec.words] + [(option.name, option.description) for option in spec.options]:
        assert re.fullmatch(r"[a-z_]{1,32}", name)
        assert len(description) <= 100


def test_no_two_commands_have_the_same_words() -> None:
    assert len({spec.words for spec in SPECS}) == len(SPECS)


def test_all_of_doorman_is_the_creator_s_so_that_it_can_be_hidden_from_members() -> None:
    assert {spec.audience for spec in SPECS if spec.words[0] == "doorman"} == {Audience.CREATOR}
    assert {spec.name for spec in SPECS if spec.audience is Audience.CREATOR} == {*CREATOR_COMMANDS, "application"}
    assert {spec.name for spec in SPECS if spec.audience is Audience.MEMBER} == {
        "join", "status", "manage", "change", "pause", "resume", "cancel", "gift", "link", "claim", "tip", "home",
        "move", "leave", "wait",
    }  # fmt: skip


def test_every_answer_is_for_the_asker_alone() -> None:
    assert all(spec.private for spec in SPECS)


@pytest.mark.parametrize("words", CREATOR_COMMANDS)
async def test_a_member_cannot_use_what_is_the_creator_s_whatever_the_platform_let_through(bench: Bench, words: str) -> None:
    reply = await bench.ask(bench.fan, words, **CREATOR_COMMANDS[words])
    assert text(reply) == "That won't work | Only someone who may manage this community can do that. Ask its owner."


# Plans


async def test_a_plan_is_made_and_the_next_step_is_named(bench: Bench) -> None:
    assert text(await bench.plan()) == (
        "Gold is ready to sell | Gold costs 9.99 USD per month, and opens Gold member. "
        "Next: /doorman invite plan:Gold makes a link you can post anywhere."
    )


async def test_a_plan_with_a_trial_says_so(bench: Bench) -> None:
    assert "costs 9.99 USD per month, after 7 free days, and opens" in text(await bench.plan(trial_days=7))


async def test_a_currency_that_is_not_named_is_the_community_s(bench: Bench) -> None:
    await bench.ask(bench.creator, "doorman setup", currency="eur")
    assert "costs 5.00 EUR once, for life" in text(await bench.plan(price="5", interval="once"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"price": "cheap"}, "I can't read “cheap” as an amount. Write it like 9.99 USD."),
        ({"price": "0.10 USD"}, "0.10 USD is too little to charge by card. Make it 0.50 USD or more."),
        ({"interval": "fortnight"}, "I don't know the interval “fortnight”."),
        ({"name": " "}, "A plan's name has 1 to 60 letters."),
        ({"trial_days": 3, "interval": "once"}, "A trial needs a plan that renews."),
        ({"role": "999"}, "I can't find “999” here any more. Pick another one from the list."),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_and_nothing_is_made(bench: Bench, options: dict[str, object], says: str) -> None:
    reply = await bench.plan(**options)
    assert says in text(reply)
    assert "No plans yet" in text(await bench.ask(bench.creator, "doorman plan list"))


@pytest.mark.parametrize(("flaw", "says"), [("safe", "can do too much to be sold"), ("reachable", "stands above the bot")])
async def test_a_role_that_may_not_be_sold_is_refused_before_anything_is_made(bench: Bench, flaw: str, says: str) -> None:
    setattr(bench.world.places[bench.space.external_id].things[bench.role.external_id], flaw, False)
    assert says in text(await bench.plan())
    assert not list(bench.stripe.account.table("product"))


async def test_a_name_is_taken_once(bench: Bench) -> None:
    await bench.plan()
    assert "There is a plan “Gold” already." in text(await bench.plan(name="gold"))


async def test_the_list_shows_what_is_sold_and_what_is_not(bench: Bench) -> None:
    assert text(await bench.ask(bench.creator, "doorman plan list")) == "No plans yet | Make one with /doorman plan create."
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman plan list"))
    assert "You sell 1 plan" in said
    assert "Gold: 9.99 USD per month. Opens Gold member. 0 members." in said


async def test_an_archived_plan_is_off_the_list(bench: Bench) -> None:
    await bench.plan()
    assert "Gold is no longer sold" in text(await bench.ask(bench.creator, "doorman plan archive", plan="Gold"))
    assert "No plans yet" in text(await bench.ask(bench.creator, "doorman plan list"))


async def test_archiving_what_is_not_there_says_where_to_look(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman plan archive", plan="Silver"))
    assert "There is no plan “Silver” here. /doorman plan list shows them all." in said


async def test_a_role_is_added_and_removed(bench: Bench) -> None:
    await bench.plan()
    lounge = bench.world.thing(bench.space, "Lounge")
    added = text(await bench.ask(bench.creator, "doorman plan add", plan="Gold", role=lounge.external_id))
    assert added == "Gold opens Lounge | Gold now opens Gold member and Lounge."
    removed = text(await bench.ask(bench.creator, "doorman plan remove", plan="Gold", role=bench.role.external_id))
    assert removed == (
        "Gold no longer opens Gold member | Gold now opens Lounge. Members who have Gold member from another plan of yours keep it."
    )
    assert "is all “Gold” opens" in text(await bench.ask(bench.creator, "doorman plan remove", plan="Gold", role=lounge.external_id))


async def test_a_role_that_may_not_be_sold_is_not_added_but_can_be_removed(bench: Bench) -> None:
    await bench.plan()
    lounge = bench.world.thing(bench.space, "Lounge")
    await bench.ask(bench.creator, "doorman plan add", plan="Gold", role=lounge.external_id)
    bench.world.places[bench.space.external_id].things[lounge.external_id].safe = False
    assert "Gold no longer opens Lounge" in text(
        await bench.ask(bench.creator, "doorman plan remove", plan="Gold", role=lounge.external_id)
    )
    assert "can do too much" in text(await bench.ask(bench.creator, "doorman plan add", plan="Gold", role=lounge.external_id))


# Links


async def test_a_link_says_what_it_sells_and_how_long(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman invite", plan="gold", uses=5, expires="7 days", tag="newsletter"))
    assert code_of(said)
    assert "Post it anywhere: whoever pays through it is let in." in said
    assert "It sells 5 times and stops on 9 November 2026, 09:00 UTC. Tag: newsletter" in said
    assert "[Open the link]" in said


async def test_a_link_for_one_person_names_them(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman invite", plan="Gold", **{"for": bench.fan}))
    assert "Fay alone can use it." in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"plan": "Silver"}, "Silver"),
        ({"plan": "Gold", "expires": "soon"}, "I can't read “soon” as a time."),
        ({"plan": ""}, "Say which plan"),
    ],
)
async def test_a_link_that_cannot_be_is_refused(bench: Bench, options: dict[str, object], says: str) -> None:
    await bench.plan()
    assert says in text(await bench.ask(bench.creator, "doorman invite", **options))
    assert "No links yet" in text(await bench.ask(bench.creator, "doorman link list"))


async def test_links_are_listed_and_withdrawn_by_what_was_pasted(bench: Bench) -> None:
    await bench.plan()
    code = code_of(text(await bench.ask(bench.creator, "doorman invite", plan="Gold")))
    assert code in text(await bench.ask(bench.creator, "doorman link list"))
    said = text(await bench.ask(bench.creator, "doorman link revoke", link=f"<{PUBLIC_URL}/j/{code}/?utm=x#top>"))
    assert "It sells Gold to nobody from now on." in said
    assert "Withdrawn." in text(await bench.ask(bench.creator, "doorman link list"))


# Members


async def test_a_member_gets_a_link_of_their_own_that_is_not_in_the_creator_s_list(bench: Bench) -> None:
    await bench.plan()
    reply = await bench.ask(bench.fan, "join")
    assert text(reply) == (
        "Join Cleo's place | Gold costs 9.99 USD per month, and opens Gold member. The link is yours alone. | [Go on to payment]"
    )
    assert reply.buttons[0].url.startswith(f"{PUBLIC_URL}/j/")
    assert "No links yet" in text(await bench.ask(bench.creator, "doorman link list"))


async def test_where_nothing_is_sold_nobody_can_join(bench: Bench) -> None:
    assert "has nothing on sale right now" in text(await bench.ask(bench.fan, "join"))


async def test_with_several_plans_a_member_is_asked_which(bench: Bench) -> None:
    await bench.plan()
    await bench.plan(name="Silver", price="5 USD")
    said = text(await bench.ask(bench.fan, "join"))
    assert "Which plan? | Say which one, like /join plan:Gold." in said
    assert "Silver: 5.00 USD per month. Opens Gold member." in said
    assert "There is no plan called “Bronze”." in text(await bench.ask(bench.fan, "join", plan="Bronze"))
    assert "Silver costs 5.00 USD per month" in text(await bench.ask(bench.fan, "join", plan="silver"))


async def test_whoever_is_no_member_is_told_how_to_become_one(bench: Bench) -> None:
    nothing = "You are not a member yet, and nothing is on sale right now. Ask the owner, or try again later."
    assert text(await bench.ask(bench.fan, "status")) == f"Cleo's place | {nothing}"
    await bench.plan()
    said = text(await bench.ask(bench.fan, "status"))
    assert said == "Cleo's place | You are not a member yet. /join gets you your own link. | [Get Gold]"


async def test_a_status_gives_whoever_may_buy_a_link_of_their_own_and_always_the_same(bench: Bench) -> None:
    await bench.plan()
    bench.clock.advance(timedelta(seconds=1))
    await bench.plan(name="Day", interval="1 days")
    first, again = [await bench.ask(bench.fan, "status") for _ in range(2)]
    assert [button.label for button in first.buttons] == ["Get Gold", "Get Day"]
    assert first.buttons == again.buttons
    offer = await bench.cases.desk.invites.look(code_of(first.buttons[0].url))
    assert offer.bound == Identity(bench.space.platform, "", bench.fan, "Fay")
    for who in (bench.fan, bench.creator):
        reply = await bench.ask(who, "status")
        assert (reply.buttons == first.buttons) is (who == bench.fan)
    await bench.buy(bench.fan, "Fay", "Gold")
    assert "[Get Day] | [Card, invoices, cancel]" in text(await bench.ask(bench.fan, "status")), "a pass can be bought any time"
    assert "Get Gold" not in text(await bench.ask(bench.fan, "status"))
    assert "No links yet" in text(await bench.ask(bench.creator, "doorman link list")), "the creator's list has the creator's links"


async def test_a_status_shows_whoever_paid_and_is_outside_the_way_in(bench: Bench) -> None:
    await bench.plan()
    await bench.adapter.leave(bench.space, bench.fan)
    await bench.buy(bench.fan, "Fay")
    (plan,) = (await bench.cases.desk.statuses.of_member(await home(bench), Identity(bench.space.platform, "", bench.fan, "Fay"))).plans
    (resource,) = plan.resources
    assert resource.invite_url.startswith("https://memory.example/invite/")
    second = bench.world.space("Annexe", bench.creator)
    bench.world.places[second.external_id].members[bench.fan] = set()
    await bench.adapter.happens(EventKind.SPACE_ADDED, second, bench.creator, "Annexe")
    code = text(await bench.ask(bench.creator, "doorman setup", attach=True))
    found = re.search(r"code:([\w-]{43})", code)
    assert found, code
    await bench.answer(await bench.adapter.ask(second, bench.creator, "doorman attach", code=found[1]))
    reply = await bench.answer(await bench.adapter.ask(second, bench.fan, "status"))
    assert (reply.buttons[0].label, reply.buttons[0].url) == ("Go to Cleo's place", resource.invite_url)


async def test_money_on_its_way_is_shown_and_nobody_is_sent_to_pay_again(bench: Bench) -> None:
    await bench.plan()
    started = await bench.start(bench.fan, "Fay")
    async with bench.base.db.transaction() as session:
        (await session.get_one(OrderRow, started.order_id)).status = OrderStatus.PENDING
    assert text(await bench.ask(bench.fan, "status")) == (
        "Your membership in Cleo's place | This is how it stands right now. | "
        "Gold: Your payment for “Gold” is on its way. You are let in as soon as it arrives. | [Card, invoices, cancel]"
    )


async def test_a_payment_that_failed_past_its_grace_is_shown_with_what_to_do(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    async with bench.base.db.transaction() as session:
        (await session.exec(select(SubscriptionRow))).one().status = "past_due"
        entitlement = (await session.exec(select(EntitlementRow))).one()
        entitlement.state, entitlement.ended_at = EntitlementState.ENDED, bench.clock.now()
    said = text(await bench.ask(bench.fan, "status"))
    assert "Gold: Your “Gold” is waiting for a payment. /manage is where you put your card right; don't pay twice." in said
    assert "not a member yet" not in said
    assert "[Get Gold]" not in said
    assert said.endswith("[Card, invoices, cancel]")


async def test_whoever_never_paid_has_nothing_to_manage(bench: Bench) -> None:
    reply = await bench.ask(bench.fan, "manage")
    assert reply.title == "That won't work"
    assert not reply.buttons


async def test_a_member_sees_what_they_have_until_when_and_where_to_change_it(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    reply = await bench.ask(bench.fan, "status")
    assert text(reply) == (
        "Your membership in Cleo's place | This is how it stands right now. | "
        "Gold: Active. You have had it since 2 November 2026. Next payment of 9.99 USD on 2 December 2026.\nGold member: on | "
        "[Card, invoices, cancel]"
    )
    assert reply.buttons[0].url.startswith(bench.stripe.base_url)
    assert bench.world.held(bench.space, bench.fan) == {bench.role}


async def test_whoever_acts_in_the_space_is_in_it_and_gets_what_waited_for_them(bench: Bench) -> None:
    await bench.plan()
    await bench.adapter.leave(bench.space, bench.fan)
    bench.world.places[bench.space.external_id].banned.add(bench.fan)
    await bench.buy(bench.fan, "Fay")
    home = await bench.cases.desk.communities.of_space(bench.space)
    (plan,) = (await bench.cases.desk.statuses.of_member(home.community_id, Identity(bench.space.platform, "", bench.fan, "Fay"))).plans
    assert [resource.note for resource in plan.resources] == ["waits for you to join Cleo's place"]
    bench.world.places[bench.space.external_id].banned.clear()
    bench.world.places[bench.space.external_id].members[bench.fan] = set()  # and nobody told us
    await bench.ask(bench.fan, "status")
    await bench.dispatcher.settled()
    assert bench.world.held(bench.space, bench.fan) == {bench.role}


async def test_a_member_can_open_the_portal_and_comes_back_to_the_space(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    reply = await bench.ask(bench.fan, "manage")
    assert (reply.title, reply.buttons[0].label) == ("Your payments", "Open")
    assert reply.buttons[0].url.startswith(bench.stripe.base_url)


async def test_adding_a_role_to_a_plan_gives_it_to_its_members_and_removing_takes_it(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    lounge = bench.world.thing(bench.space, "Lounge")
    said = text(await bench.ask(bench.creator, "doorman plan add", plan="Gold", role=lounge.external_id))
    assert "1 member will have Lounge in a moment." in said
    assert bench.world.held(bench.space, bench.fan) == {bench.role, lounge}
    await bench.ask(bench.creator, "doorman plan remove", plan="Gold", role=lounge.external_id)
    assert bench.world.held(bench.space, bench.fan) == {bench.role}


async def test_archiving_a_plan_leaves_its_members_what_they_have(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    said = text(await bench.ask(bench.creator, "doorman plan archive", plan="Gold"))
    assert "Its one member keeps it for as long as they pay." in said
    assert bench.world.held(bench.space, bench.fan) == {bench.role}


async def test_a_tip_is_a_button_to_pay_it(bench: Bench) -> None:
    reply = await bench.ask(bench.fan, "tip", amount="$5", message="thank you")
    assert text(reply) == (
        "A tip of 5.00 USD | Once it is paid, Cleo's place is told in your name. Nothing is charged until you pay. | [Pay 5.00 USD]"
    )
    assert reply.buttons[0].url.startswith(bench.stripe.base_url)


async def test_an_anonymous_tip_says_so(bench: Bench) -> None:
    assert "is told without your name." in text(await bench.ask(bench.fan, "tip", amount="5", anonymous=True))


@pytest.mark.parametrize(("amount", "says"), [("much", "I can't read “much”"), ("0.01 USD", "too little to charge"), ("", "Say how much")])
async def test_a_tip_that_cannot_be_is_refused(bench: Bench, amount: str, says: str) -> None:
    assert says in text(await bench.ask(bench.fan, "tip", amount=amount))


@pytest.mark.parametrize("words", ["doorman plan create", "doorman plan add", "doorman plan remove"])
async def test_a_role_that_was_left_out_is_asked_for(bench: Bench, words: str) -> None:
    await bench.plan()
    given = {**CREATOR_COMMANDS[words], "name": "Silver", "role": " "}
    assert text(await bench.ask(bench.creator, words, **given)) == "That won't work | Say which one: fill in “role”."


# Setting up


async def test_setup_shows_how_everything_stands(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman setup"))
    assert "Notices: direct message to whoever added me" in said
    assert "Currency: USD" in said
    assert "After a failed payment: access for 5 days" in said


async def test_setup_tries_the_channel_before_it_is_kept(bench: Bench) -> None:
    channel = bench.world.channel(bench.space)
    await bench.ask(bench.creator, "doorman setup", channel=channel.external_id, grace_days=0)
    (posted,) = bench.world.places[bench.space.external_id].channels[channel.external_id]
    assert posted.startswith("Notices go here")
    said = text(await bench.ask(bench.creator, "doorman setup"))
    assert "After a failed payment: access ends at once" in said
    assert "direct message" not in said


async def test_a_channel_we_may_not_post_in_is_refused_and_nothing_changes(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman setup", channel="nowhere", currency="EUR"))
    assert "I can't post in nowhere. Let me view it and send messages there, or pick another channel. Nothing was changed." in said
    assert "Currency: USD" in text(await bench.ask(bench.creator, "doorman setup"))


@pytest.mark.parametrize(
    ("options", "says"), [({"currency": "QQQ"}, "I don't know the currency"), ({"grace_days": 99}, "Grace is 0 to 21 days.")]
)
async def test_what_cannot_be_set_is_refused(bench: Bench, options: dict[str, object], says: str) -> None:
    assert says in text(await bench.ask(bench.creator, "doorman setup", **options))


async def test_a_second_server_is_attached_with_a_code_and_sells_with_the_first(bench: Bench) -> None:
    second = bench.world.space("Annexe", bench.creator)
    await bench.adapter.happens(EventKind.SPACE_ADDED, second, bench.creator, "Annexe")
    await bench.plan()
    assert "Another place" not in text(await bench.ask(bench.creator, "doorman setup"))
    said = text(await bench.ask(bench.creator, "doorman setup", attach=True))
    shown = re.search(r"/doorman attach code:([\w-]{43}) there\. The code works once, until ", said)
    assert shown, said
    lounge = bench.world.thing(second, "Lounge")
    attached = await bench.answer(await bench.adapter.ask(second, bench.creator, "doorman attach", code=f" `{shown[1]}` "))
    assert text(attached).startswith("Cleo's place is here too | This place is part of Cleo's place now: ")
    added = await bench.answer(await bench.adapter.ask(second, bench.creator, "doorman plan add", plan="Gold", role=lounge.external_id))
    assert "Lounge" in text(added)
    assert "Lounge" in text(await bench.ask(bench.creator, "doorman plan list"))


async def test_a_server_that_sells_already_stays_by_itself(bench: Bench) -> None:
    second = bench.world.space("Annexe", bench.creator)
    await bench.adapter.happens(EventKind.SPACE_ADDED, second, bench.creator, "Annexe")
    await bench.plan()
    said = text(await bench.answer(await bench.adapter.ask(second, bench.creator, "doorman setup", attach=True)))
    shown = re.search(r"code:([\w-]{43})", said)
    assert shown, said
    assert text(await bench.ask(bench.creator, "doorman attach", code=shown[1])) == (
        "That won't work | Cleo's place has plans or members of its own, and they cannot move along. "
        "Keep it as it is, or attach a place where nothing was sold yet."
    )


async def test_a_code_that_is_made_up_is_refused_with_where_to_get_one(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman attach", code="made-up"))
    assert "Get one with /doorman setup attach:True in the community that is set up." in said


async def test_help_names_every_other_command(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman help"))
    assert all(f"/{spec.name}" in said for spec in SPECS if spec.name != "doorman help" and spec.kind is CommandKind.SLASH)


# Places


async def test_with_nothing_on_sale_a_join_says_whom_to_ask(bench: Bench) -> None:
    said = text(await bench.ask(bench.fan, "join"))
    assert said == "That won't work | Cleo's place has nothing on sale right now. Ask its owner, or try again later."


async def test_a_command_in_a_direct_message_is_sent_to_the_community(bench: Bench) -> None:
    asked = await bench.adapter.ask(bench.space, bench.fan, "status")
    handle = replace(asked.handle, data={"request": "direct"}, space_external_id="")
    direct = replace(asked, id="direct", space_external_id="", space_name="", handle=handle)
    await bench.router.on_command(direct)
    assert text(await bench.answer(direct)) == "That won't work | Ask me that in the community it is about, not in a direct message."


async def test_a_member_of_a_server_we_have_not_heard_of_yet_is_asked_to_wait(bench: Bench) -> None:
    new = bench.world.space("Brand new", bench.creator)
    request = await bench.adapter.ask(new, bench.fan, "join")
    said = text(await bench.answer(request))
    assert said == "That won't work | I'm still getting to know this place. Please try again in a minute."
    await bench.adapter.happens(EventKind.SPACE_ADDED, new, bench.creator, "Brand new")
    await bench.dispatcher.settled()
    assert "nothing on sale" in text(await bench.answer(await bench.adapter.ask(new, bench.fan, "join")))


async def test_the_owner_sees_what_only_they_can_do(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman tasks"))
    assert said == "Nothing to do | I can do everything here by myself at the moment."


async def test_our_page_shows_a_member_their_own_and_a_creator_the_community_too(bench: Bench) -> None:
    await bench.plan()
    own, all_of_it = text(await bench.ask(bench.fan, "home")), text(await bench.ask(bench.creator, "home"))
    assert "You are not a member yet." in own
    assert "You sell" not in own
    assert "You sell 1 plan" in all_of_it
    assert "Nothing to do" in all_of_it
    assert "Everything is done" in all_of_it
