"""The people who pay: each fills in the hosted pages over HTTP, as a browser without JavaScript would."""

import re
from html import unescape
from types import TracebackType
from typing import Self

import aiohttp

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"


class Refused(Exception):  # noqa: N818 - it is what a person is told, and no bug
    """A page was shown again; the message is what it says."""


class StripePeople:
    """Acts on the pages at ``base_url`` (``async with``). ``api_key`` is needed only by what a creator does in the dashboard."""

    def __init__(self, base_url: str, api_key: str = "") -> None:
        self._base, self._api_key = base_url, api_key
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._http is not None:
            await self._http.close()

    async def pay(self, session: str, card: str = GOOD_CARD, **typed: str) -> str:
        """Pay on a Checkout page (its URL or the session's id) and return where the browser is sent.

        ``typed``: ``email``, ``name``, ``promotion_code``, ``bank_account`` instead of a card, ``outcome`` complete (default) or fail
        for 3-D Secure. Raises :class:`Refused` with what the page says.
        """
        url = session if session.startswith("http") else f"{self._base}/c/pay/{session}"
        await self._get(url)
        outcome = typed.pop("outcome", "complete")
        if code := typed.pop("promotion_code", None):
            await self._post(url, {"action": "code", "promotion_code": code})
        form = {"email": "fan@example.com", "name": "Fan", "card_number": card, "expiry": "12/34", "cvc": "123"} | typed
        place = await self._post(url, form)
        if place.endswith("/authenticate"):
            await self._get(place)
            place = await self._post(place, {"outcome": outcome})
        return place

    async def decline(self, session: str) -> str:
        """Try a card that is declined and return what the page says."""
        try:
            await self.pay(session, DECLINED_CARD)
        except Refused as told:
            return str(told)
        raise AssertionError("the declined card was taken")

    async def look(self, url: str) -> str:
        """Open a page and return its HTML."""
        return await self._get(url)

    async def cancel_subscription(self, portal_url: str, subscription: str | None = None) -> str:
        """Press cancel on the portal page and return the page that follows."""
        return await self._press(portal_url, "cancel", subscription)

    async def resume_subscription(self, portal_url: str, subscription: str | None = None) -> str:
        """Press "keep my subscription" on the portal page and return the page that follows."""
        return await self._press(portal_url, "resume", subscription)

    async def change_card(self, portal_url: str, card: str = GOOD_CARD) -> str:
        """Give another card on the portal page and return the page that follows."""
        await self._get(portal_url)
        return await self._get(await self._post(portal_url, {"action": "card", "card_number": card}))

    async def pay_invoice(self, invoice_url: str, card: str = GOOD_CARD, outcome: str = "complete") -> str:
        """Pay on the hosted invoice page and return the page that follows."""
        await self._get(invoice_url)
        place = await self._post(invoice_url, {"card_number": card})
        if "/authenticate/" in place:
            await self._get(place)
            place = await self._post(place, {"outcome": outcome})
        return await self._get(place)

    async def refund(self, paid: str, amount: int | None = None) -> str:
        """Refund a charge or a payment intent, as the creator does in the dashboard; returns the refund's id."""
        form = {"payment_intent" if paid.startswith("pi_") else "charge": paid} | ({} if amount is None else {"amount": str(amount)})
        return await self._in_dashboard("POST", "/v1/refunds", form)

    async def answer_dispute(self, dispute: str, *, convincing: bool) -> str:
        """Send evidence in a dispute, as the creator does in the dashboard; it decides at once, as in a test account. Returns its id."""
        words = "winning_evidence" if convincing else "losing_evidence"
        return await self._in_dashboard("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": words})

    async def delete_customer(self, customer: str) -> str:
        """Delete a customer, as the creator does in the dashboard; returns their id."""
        return await self._in_dashboard("DELETE", f"/v1/customers/{customer}", {})

    async def _in_dashboard(self, method: str, path: str, form: dict[str, str]) -> str:
        headers = {"Authorization": f"Bearer {self._api_key}"}
        async with self._client.request(method, f"{self._base}{path}", data=form, headers=headers) as answer:
            body = await answer.json()
            if answer.status != 200:  # noqa: PLR2004 - OK
                raise Refused(body["error"]["message"])
            return str(body["id"])

    async def _press(self, portal_url: str, action: str, subscription: str | None) -> str:
        text = await self._get(portal_url)
        forms = re.findall(rf'name="subscription" value="([^"]+)"><button[^>]*value="{action}"', text)
        wanted = subscription or (forms[0] if forms else "")
        if wanted not in forms:
            raise Refused(f"the page has no button to {action} that subscription")
        return await self._get(await self._post(portal_url, {"action": action, "subscription": wanted}))

    async def _get(self, url: str) -> str:
        async with self._client.get(url) as answer:
            return _read(await answer.text(), answer.status)

    async def _post(self, url: str, form: dict[str, str]) -> str:
        async with self._client.post(url, data=form, allow_redirects=False) as answer:
            text = await answer.text()
            if answer.status != 303:  # noqa: PLR2004 - See Other
                _read(text, answer.status)
                return url
            place = answer.headers["Location"]
            return place if place.startswith("http") else f"{self._base}{place}"

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("use StripePeople in `async with`")
        return self._http


def _read(text: str, status: int) -> str:
    told = re.search(r'role="alert"[^>]*>([^<]*)<', text)
    if told or status >= 400:  # noqa: PLR2004 - refused
        title = re.search(r"<title>([^<]*)<", text)
        raise Refused(unescape((told or title or re.search(r"(.*)", text))[1]))  # type: ignore[index] # the last pattern always matches
    return text
