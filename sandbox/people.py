"""A fan, whole: an account on the platform, a browser, and a card."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sandbox.browser import Browser
from sandbox.stripe.people import GOOD_CARD, StripePeople


class Visitor(Protocol):
    """Somebody with an account who lets the product know it, on a page of the platform's."""

    @property
    def name(self) -> str: ...
    async def authorize(self, url: str) -> str:
        """Allow what is asked at ``url`` and return where one is sent then."""
        ...


Account = TypeVar("Account", bound=Visitor)


@dataclass
class Fan(Generic[Account]):
    """Somebody who wants in. ``welcome`` is the address of the page they came back to after paying."""

    person: Account
    browser: Browser
    cashiers: StripePeople
    checkout: str = ""
    welcome: str = ""

    async def open(self, link: str) -> str:
        """Open a paid invite link and return the words shown."""
        return await self.browser.open(link)

    async def sign_in(self) -> str:
        """Continue from the offer with the platform, allow what it asks, and return the words then shown."""
        consent = await self.browser.press("Continue with", follow=False)
        return await self.browser.open(await self.person.authorize(consent))

    async def confirm(self) -> str:
        """Confirm the account and go on to payment; returns the checkout's address."""
        self.checkout = await self.browser.press("Continue to payment", follow=False)
        return self.checkout

    async def pay(self, card: str = GOOD_CARD) -> str:
        """Pay at the checkout and return where one is sent; Refused, with what the page says, when it does not go through."""
        self.welcome = await self.cashiers.pay(self.checkout, card)
        return self.welcome

    async def decline(self) -> str:
        """Try a card that is declined and return what the page says."""
        return await self.cashiers.decline(self.checkout)
