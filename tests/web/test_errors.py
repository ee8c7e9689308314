import asyncio
import logging
import re

import pytest

from tests.web.fakes import LODGE, FakeWebhooks
from tests.web.site import Site, Visitor
from web import middleware


def reference(text: str) -> str:
    found = re.search(r"<code>([\w-]{22})</code>", text)
    assert found is not None
    return found[1]


async def test_a_bug_gets_a_reference_that_stands_in_the_log_with_the_traceback(
    site: Site, fan: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    site.invites.links["gold"] = ZeroDivisionError("the row said sk_test_secret")
    page = await fan.get("/j/gold")
    assert page.status == 500
    assert "ZeroDivisionError" not in page.text
    assert "sk_test" not in page.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert reference(page.text) in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_an_address_that_is_not_there_says_what_to_do(fan: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "web")
    page = await fan.get("/nothing/here")
    assert page.status == 404
    assert "Open the link you were given once more." in page.text
    assert reference(page.text) in caplog.text


async def test_a_method_that_does_not_fit_names_those_that_do(fan: Visitor) -> None:
    page = await fan.request("POST", "/j/gold")
    assert (page.status, page.headers["Allow"]) == (405, "GET, HEAD")
    assert reference(page.text)


async def test_a_method_nobody_knows_is_refused_and_not_counted_by_name(fan: Visitor) -> None:
    assert (await fan.request("PROPFIND", "/j/gold")).status == 405
    metrics = (await fan.get("/metrics")).text
    assert "PROPFIND" not in metrics
    assert 'method="other"' in metrics


async def test_a_form_that_is_too_large_is_refused(site: Site, fan: Visitor) -> None:
    page = await fan.request("POST", "/j/gold/checkout", data=b"x" * (1024 * 1024 + 1))
    assert page.status == 413
    assert not site.checkouts.started


async def test_a_body_that_never_ends_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_TIMEOUT", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.base.rpartition(":")[2]))
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnot all")
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert b" 408 " in answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "bogus"])
async def test_a_body_is_taken_as_it_comes_and_one_that_cannot_be_unpacked_is_no_error_of_ours(
    site: Site, fan: Visitor, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.base.rpartition(":")[2]))
    head = f"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + b"hello")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert b" 200 " in answer.partition(b"\r\n")[0]
    assert isinstance(site.webhooks, FakeWebhooks)
    assert [body for _, body, _ in site.webhooks.received] == [b"hello"], "whoever checks the signature has the bytes it is over"
    assert (await fan.get("/healthz")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_visitor_who_leaves_in_the_middle_breaks_nothing(site: Site, fan: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(site.base.rpartition(":")[2]))
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnot all")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await fan.get("/healthz")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_the_log_has_the_route_and_neither_codes_nor_queries_nor_secrets(
    site: Site, fan: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site.invites.sell("c0de-of-the-link")
    page = await fan.get("/j/c0de-of-the-link")
    away = await fan.submit(page, "/j/c0de-of-the-link/continue")
    await fan.get(f"/oauth/{LODGE}/callback?code=code-of-ben&state={away.state}")
    await fan.get("/nothing?token=query-secret")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("web"))
    assert "GET /j/{code} 200" in ours
    assert "GET /oauth/{platform}/callback 303" in ours
    for secret in ("c0de-of-the-link", "code-of-ben", away.state, "query-secret", "join-token", *fan.cookies.values()):
        assert secret not in ours
