from tests.web.site import Site, Visitor


async def test_a_platforms_request_reaches_its_adapter_as_it_came(site: Site, fan: Visitor) -> None:
    answer = await fan.request("POST", "/harbour/events/x?y=1", data=b"a=1&payload", headers={"X-Signature": "v0=1"})
    assert (answer.status, answer.text) == (202, "taken")
    assert site.harbour.requests == [("POST", "/events/x", "v0=1", b"a=1&payload")]


async def test_a_platform_that_takes_no_requests_has_no_address(fan: Visitor) -> None:
    assert (await fan.request("POST", "/lodge/events")).status == 404


async def test_a_platforms_request_is_bounded_too(site: Site, fan: Visitor) -> None:
    assert (await fan.request("POST", "/harbour/events", data=b"x" * (1024 * 1024 + 1))).status == 413
    assert not site.harbour.requests
