"""What must be so once all is quiet, whatever happened before. Each function returns sentences about what is not."""

import json
from collections import Counter
from datetime import timedelta

from core.events import FOR_CREATOR, Notice, NoticeKind
from core.ids import PlatformUserId
from membership.sweep import KEEP_DONE
from membership.wording import to_member
from sandbox.memory.adapter import spoken
from tests.simulation.people import People
from tests.simulation.program import settings
from tests.simulation.town import FANS, PLANS

ADDRESS = settings().settings.public_url
NOTICES = """
SELECT accounts.external_id, to_say.payload FROM to_say LEFT JOIN accounts ON accounts.member_id = to_say.subject
"""
"""What was to be said, to each account of whom it is about."""


def violations(people: People) -> list[str]:
    """Return everything that is not as it must be."""
    checks = (access, deliveries, money, books, orders, words, fences)
    return [*people.town.bugs, *(found for check in checks for found in check(people))]


def access(people: People) -> list[str]:
    """Whoever has paid, and nobody else, holds what was paid for; what the creator gave by hand stays."""
    town, found = people.town, []
    names = {external: name for name, external in town.roles.items()}
    ought: dict[PlatformUserId, set[str]] = {user: set(people.by_hand.get(user, ())) for user in town.fans}
    for who in range(FANS):
        for plan in people.paid_for(who):
            ought[seat(people, who)] |= set(PLANS[plan])
    for user, held in town.place.members.items():
        if user != town.creator and (has := {names[one] for one in held}) != ought[user]:
            found.append(f"access: {town.world.people[user].name} ({user}) holds {sorted(has)} and ought to hold {sorted(ought[user])}")
    return found


def seat(people: People, who: int) -> PlatformUserId:
    """Return the account a fan's membership is for now, which is for the product to say: the first, until a change is through."""
    first, second = people.town.fans[who], people.town.fans[who + FANS]
    sql = "SELECT external_id FROM accounts WHERE active AND external_id IN (?, ?)"
    return PlatformUserId(next((row[0] for row in people.town.disk.ask(sql, first, second)), first))


def deliveries(people: People) -> list[str]:
    """Nothing that was taken in is lost or forgotten: each is done, or given up with its reason."""
    town = people.town
    rows = town.disk.ask("SELECT event_id, status, error, type FROM inbox")
    kept = town.clock.now() - KEEP_DONE + timedelta(days=7)  # a sweep may have run in a process whose clock was wrong
    missing = {event for event, at in town.accepted.items() if at > kept} - {row[0] for row in rows}
    waiting = [f"deliveries: {kind} waits for ever: {error}" for _, status, error, kind in rows if status == "pending"]
    given_up = [f"deliveries: {kind} was given up: {error}" for _, status, error, kind in rows if status == "dead"]
    return [f"deliveries: {event} was taken in and is gone" for event in sorted(missing)] + waiting + given_up


def money(people: People) -> list[str]:
    """Nothing is taken twice: one checkout an order, one customer a member, one subscription that lives of a plan."""
    account, found = people.town.model.default, []
    orders = Counter(row["client_reference_id"] for row in account.table("checkout.session"))
    found += [f"money: order {order} has {number} checkouts" for order, number in orders.items() if number > 1]
    members = Counter(row["metadata"].get("member", row.id) for row in account.table("customer"))
    found += [f"money: member {member} is {number} customers" for member, number in members.items() if number > 1]
    living: Counter[tuple[int, str]] = Counter()
    for session, who, plan in people.sessions():
        one = account.table("subscription").find(session["subscription"] or "")
        if one is not None and one["status"] in {"active", "trialing", "past_due"}:
            living[who, plan] += 1
    return found + [f"money: fan {who} pays {number} times for {plan}" for (who, plan), number in living.items() if number > 1]


def books(people: People) -> list[str]:
    """Every payment and every refund is in the books, once."""
    account = people.town.model.default
    booked = {row[0]: row[1] for row in people.town.disk.ask("SELECT cause, amount FROM ledger")}
    true = {f"payment:{one['payment_intent']}": one["amount"] for one in account.table("charge") if one["paid"]}
    true |= {f"refund:{one.id}": one["amount"] for one in account.table("refund") if one["status"] == "succeeded"}
    kept = {cause: amount for cause, amount in booked.items() if cause.startswith(("payment:", "refund:"))}
    wrong = sorted(cause for cause in {*true, *kept} if true.get(cause) != kept.get(cause))
    return [f"books: {cause} is {kept.get(cause, 'not booked')} and ought to be {true.get(cause, 'not there')}" for cause in wrong]


def orders(people: People) -> list[str]:
    """Every order that was paid is known to be."""
    status = dict(people.town.disk.ask("SELECT checkout_session_id, status FROM orders"))
    paid = [session for session, _, _ in people.sessions() if session["payment_status"] == "paid"]
    return [f"orders: {one.id} is paid, and here it is {status.get(one.id)}" for one in paid if status.get(one.id) != "paid"]


REMINDERS = 4
"""Of one failed payment: at once, after a day, after three and on the last day."""


def words(people: People) -> list[str]:
    """Nobody is told twice of one thing, beyond what a crash excuses; a failed payment is spoken of four times, a welcome once."""
    town = people.town
    name = str(town.disk.ask("SELECT name FROM communities")[0][0])
    to_say: Counter[tuple[str, str]] = Counter()
    kinds = Counter(json.loads(payload)["kind"] for (payload,) in town.disk.ask("SELECT payload FROM to_say"))
    for user, payload in town.disk.ask(NOTICES):
        notice = Notice.from_payload(json.loads(payload))
        if notice.kind not in FOR_CREATOR:
            to_say[user, spoken(to_member(notice, name, ADDRESS))] += 1
    heard = Counter((user, text) for user in town.fans for text in town.world.people[user].inbox)
    doubles = {what: number - to_say[what] for what, number in heard.items() if 0 < to_say[what] < number}  # a late answer is no notice
    failures = sum(one["attempt_count"] > (one["status"] == "paid") for one in town.model.default.table("invoice"))
    sources = town.disk.ask("SELECT count(*) FROM entitlements")[0][0]
    found = [f"words: {user} heard “{text[:40]}” {number} times too often" for (user, text), number in doubles.items()]
    found = found if sum(doubles.values()) > town.excuses else []
    spells = Counter(key.rpartition(":")[0] for (key,) in town.disk.ask("SELECT dedupe FROM outbox WHERE dedupe LIKE 'payment_failed:%'"))
    found += [f"words: {number} reminders of {spell}" for spell, number in spells.items() if number > REMINDERS]
    if kinds[NoticeKind.PAYMENT_FAILED] and not failures:
        found.append(f"words: {kinds[NoticeKind.PAYMENT_FAILED]} reminders, and no payment failed")
    if kinds[NoticeKind.WELCOME] > 2 * sources:  # the account before a change, and the one after it
        found.append(f"words: {kinds[NoticeKind.WELCOME]} welcomes for {sources} reasons to be inside")
    return found


def fences(people: People) -> list[str]:
    """Nobody records what belongs to a lane that is another's."""
    return [f"fences: {row[0]}" for row in people.town.disk.ask("SELECT what FROM trespasses")]
