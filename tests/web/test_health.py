import json

from tests.web.site import Site, Visitor


async def test_alive_is_alive(fan: Visitor) -> None:
    answer = await fan.get("/healthz")
    assert (answer.status, json.loads(answer.text)) == (200, {"alive": True})


async def test_ready_is_ready_only_when_every_check_holds_and_names_each(site: Site, fan: Visitor) -> None:
    assert (await fan.get("/readyz")).status == 200
    site.checks["lodge"] = False
    answer = await fan.get("/readyz")
    assert (answer.status, json.loads(answer.text)) == (503, {"database": True, "lodge": False})


async def test_requests_are_counted_by_route_and_only_the_machine_may_look(fan: Visitor) -> None:
    await fan.get("/j/gold")
    await fan.get("/j/gold")
    await fan.get("/j/unknown")
    answer = await fan.get("/metrics")
    assert 'doorman_requests_total{method="GET",route="/j/{code}",status="200"} 2' in answer.text
    assert 'doorman_requests_total{method="GET",route="/j/{code}",status="404"} 1' in answer.text
    assert (await fan.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"})).status == 404


async def test_search_engines_are_asked_to_stay_away(fan: Visitor) -> None:
    answer = await fan.get("/robots.txt")
    assert answer.text == "User-agent: *\nDisallow: /\n"
    assert answer.headers["Content-Type"].startswith("text/plain")
