import logging

import pytest

from tests.web.site import Site, Visitor

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"token=\xff\xfe"),
        (f"{FORM}; charset=bogus", b"token=x"),
        (f"{FORM}; charset=utf-16", b"token=x"),
        (f"{FORM}; charset=base64", b"token=x"),
        (f"{FORM}; charset=utf-7", b"token=+2AA-"),
        (f"{FORM}; charset=UTF-8", b"token=\xff\xfe"),
    ],
)
@pytest.mark.parametrize("action", ["continue", "checkout", "portal"])
async def test_a_form_nobody_can_read_is_refused_as_foreign(
    site: Site, fan: Visitor, action: str, content_type: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await fan.get("/j/gold")
    page = await fan.request("POST", f"/j/gold/{action}", data=body, headers={"Content-Type": content_type})
    assert page.status == 403
    assert "Open your link" in page.text
    assert not site.checkouts.started
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_form_that_says_it_is_in_utf_8_is_read(fan: Visitor) -> None:
    offer = await fan.get("/j/gold")
    body = f"token={offer.form('/j/gold/continue')['token']}".encode()
    page = await fan.request("POST", "/j/gold/continue", data=body, headers={"Content-Type": f"{FORM}; charset=UTF-8"})
    assert page.status == 303
