"""What fans and the creator do, each as a person does it: a page that breaks is shown again or left alone."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.errors import ExternalError, Refusal
from core.ids import CauseId, PlatformUserId
from core.people import Identity
from core.platform import EventKind
from sandbox.memory.world import NAME
from sandbox.stripe import checkout_payment
from sandbox.stripe.checkout_means import PageError
from sandbox.stripe.checkout_payment import Typed
from sandbox.stripe.errors import ApiError
from sandbox.stripe.resource import Resource
from storage.inbox import Busy
from tests.simulation.program import AWAY, Gone
from tests.simulation.town import FANS, Town
from tests.truth import opens
from tests.walks.shop import FAILS_LATER

T = TypeVar("T")
GOOD_CARD = "4242424242424242"
CARDS = {"good": GOOD_CARD, "fails later": FAILS_LATER}
BROKEN_PAGE = (Gone, Refusal, ExternalError, Busy, PageError, ApiError, *AWAY)
"""What a person sees as a page or an answer that leads nowhere for now."""


@dataclass
class People:
    """Everybody, and what is known of them by looking at the world alone."""

    town: Town
    bought: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By Checkout Session: who paid, and for which plan."""
    by_hand: dict[PlatformUserId, set[str]] = field(default_factory=dict)
    """What the creator gave without us."""
    now: dict[int, PlatformUserId] = field(default_factory=dict)
    """The account each fan uses."""

    def user(self, who: int) -> PlatformUserId:
        """Return the account a fan uses."""
        return self.now.get(who, self.town.fans[who])

    def identity(self, who: int) -> Identity:
        """Return who a fan is on the platform."""
        return Identity(NAME, self.town.world.realm, self.user(who), f"Fan {who}")

    async def tries(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Ask the product for something; None when the page was a broken one."""
        try:
            program = self.town.program
        except Gone:
            work.close()
            return None
        try:
            return await program.ask(work)
        except BROKEN_PAGE:
            return None

    # fans

    async def buys(self, who: int, plan: str, card: str) -> None:
        """Open a link, go to the checkout and pay; whoever is sent back to where they were has nothing to pay."""
        session = await self.at_the_checkout(who, plan)
        if session is not None:
            self.charge(session, who, plan, card)

    def charge(self, session: Resource, who: int = 0, plan: str = "Gold", card: str = "good") -> None:
        """Pay on a checkout page; one that does not take the card is left alone."""
        with suppress(PageError, ApiError):
            said = checkout_payment.pay(self.town.model.default, session, Typed(f"fan{who}@example.com", CARDS[card], f"Fan {who}"))
            if said.outcome == "succeeded":
                self.bought[session.id] = who, plan

    async def hurries(self, who: int, plan: str) -> None:
        """Click twice, and pay in whichever window opened."""
        await asyncio.gather(self.at_the_checkout(who, plan), self.buys(who, plan, "good"))

    async def at_the_checkout(self, who: int, plan: str) -> Resource | None:
        """Go as far as the checkout page, and return its session; None when it did not open."""
        town, cases = self.town, self._cases()
        if cases is None:
            return None
        started = await self.tries(cases.start(town.links[plan], self.identity(who), cause=CauseId(town.ids.new())))
        if started is None:
            return None
        return next((row for row in town.model.default.table("checkout.session") if row["url"] == started.url), None)

    def _cases(self) -> Any:  # noqa: ANN401 - the checkouts of a process that runs
        with suppress(Gone):
            return self.town.program.cases.desk.checkouts
        return None

    def cancels(self, who: int, *, resumes: bool = False) -> None:
        """Press the portal's button: the subscription ends with its period, or does not after all."""
        for one in self.subscriptions(who):
            if one["status"] in {"active", "trialing", "past_due"}:
                self.town.dashboard("POST", f"/v1/subscriptions/{one.id}", f"cancel_at_period_end={'false' if resumes else 'true'}")

    def ends(self, who: int) -> None:
        """The creator ends a subscription at once."""
        for one in self.subscriptions(who)[:1]:
            if one["status"] in {"active", "trialing", "past_due"}:
                self.town.dashboard("DELETE", f"/v1/subscriptions/{one.id}")

    def is_refunded(self, who: int, amount: int = 0) -> None:
        """The creator gives the last payment back, or part of it."""
        charges = [one for one in self.charges(who) if one["paid"] and not one["refunded"]]
        for charge in charges[-1:]:
            self.town.dashboard("POST", "/v1/refunds", f"charge={charge.id}" + (f"&amount={amount}" if amount else ""))

    def pays_at_last(self, who: int) -> None:
        """Put a good card on the invoice that could not be collected."""
        for one in self.subscriptions(who):
            if one["status"] == "past_due":
                method = self.town.dashboard("POST", "/v1/payment_methods/pm_card_visa/attach", f"customer={one['customer']}")
                with suppress(ValueError):
                    identifier = method.body.split('"id": "')[1].split('"')[0]
                    self.town.dashboard("POST", f"/v1/invoices/{one['latest_invoice']}/pay", f"payment_method={identifier}")

    async def leaves(self, who: int) -> None:
        """Leave the space."""
        user = self.user(who)
        if user in self.town.place.members:
            del self.town.place.members[user]
            self.by_hand.pop(user, None)
            await self.town.happens(EventKind.MEMBER_LEFT, user)

    async def joins(self, who: int) -> None:
        """Come in, by an invite of ours where there is one."""
        town, user = self.town, self.user(who)
        if user in town.place.members:
            return
        mine = [code for code, bound in town.place.invites.items() if bound == user]
        if mine:
            town.world.accept(town.space, user, mine[-1])
        town.place.members.setdefault(user, set())
        await town.happens(EventKind.MEMBER_JOINED, user)

    async def switches(self, who: int) -> None:
        """Change to another account, in the space like the first."""
        town, new = self.town, town_other(self.town, self.user(who))
        town.place.members.setdefault(new, set())
        with suppress(Gone):
            linking, home = town.program.cases.desk.linking, town.program.cases.desk.communities
            found = await self.tries(home.of_space(town.space))
            if found is None:
                return
            code = await self.tries(linking.offer(found.community_id, self.identity(who), cause=CauseId(town.ids.new())))
            if code is not None:
                identity = Identity(NAME, town.world.realm, new, f"Fan {who} again")
                await self.tries(linking.redeem(code.code, identity, cause=CauseId(town.ids.new())))

    async def asks(self, who: int, words: str = "status") -> None:
        """Type a command."""
        if self.user(who) in self.town.place.members:
            with suppress(Gone):
                await self.tries(self.town.program.adapter.ask(self.town.space, self.user(who), words))

    # the creator

    async def moves(self, role: str, *, above: bool) -> None:
        """Put a role above the bot, or back under it."""
        thing = self.town.place.things[self.town.roles[role]]
        if thing.reachable is above:
            thing.reachable = not above
            await self.town.happens(EventKind.RESOURCES_CHANGED)

    async def kicks(self) -> None:
        """Throw the bot out."""
        if self.town.place.ours:
            self.town.place.ours = False
            await self.town.happens(EventKind.SPACE_REMOVED)

    async def adds_again(self) -> None:
        """Add the bot once more."""
        if not self.town.place.ours:
            self.town.place.ours = True
            await self.town.happens(EventKind.SPACE_ADDED, self.town.creator, self.town.place.name)

    def gives(self, who: int, role: str) -> None:
        """Give a role by hand, to somebody who never bought anything."""
        user = self.user(who)
        if user in self.town.place.members and all(payer != who for payer, _ in self.bought.values()):
            self.town.place.members[user].add(self.town.roles[role])
            self.by_hand.setdefault(user, set()).add(role)

    async def archives(self, plan: str) -> None:
        """Stop selling a plan."""
        with suppress(Gone):
            await self.tries(self.town.program.adapter.ask(self.town.space, self.town.creator, "doorman plan archive", plan=plan))

    # what is known by looking

    def sessions(self) -> list[tuple[Resource, int, str]]:
        """Return every checkout that was paid, by whom, and for what."""
        table = self.town.model.default.table("checkout.session")
        return [(table.get(session), who, plan) for session, (who, plan) in self.bought.items()]

    def subscriptions(self, who: int) -> list[Resource]:
        """Return somebody's subscriptions, oldest first."""
        table = self.town.model.default.table("subscription")
        return [table.get(one["subscription"]) for one, payer, _ in self.sessions() if payer == who and one["subscription"]]

    def charges(self, who: int) -> list[Resource]:
        """Return what was taken from somebody, oldest first."""
        customers = {one["customer"] for one, payer, _ in self.sessions() if payer == who}
        return [one for one in self.town.model.default.table("charge") if one["customer"] in customers]

    def paid_for(self, who: int) -> set[str]:
        """Return the plans that are open to somebody now by the processor's word."""
        account, now = self.town.model.default, self.town.clock.now().timestamp()
        plans = set()
        for session, payer, plan in self.sessions():
            if payer != who:
                continue
            if session["subscription"]:
                still = opens(account, account.table("subscription").get(session["subscription"]), now)
            else:
                charge = next(one for one in account.table("charge") if one["payment_intent"] == session["payment_intent"] and one["paid"])
                still = session["payment_status"] == "paid" and not charge["refunded"]
            if still:
                plans.add(plan)
        return plans


def town_other(town: Town, user: PlatformUserId) -> PlatformUserId:
    """Return the second account of whoever uses ``user``, or the first."""
    return town.fans[(town.fans.index(user) + FANS) % (2 * FANS)]
