"""Events, and the endpoints they are sent to: docs.stripe.com/api/events, docs.stripe.com/api/webhook_endpoints."""

from sandbox.stripe.account import API_VERSION, Account
from sandbox.stripe.call import Call, Route, delete, get, listing, post
from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.event_types import EVENT_TYPES
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, merged, metadata, text, unsettable
from sandbox.stripe.resource import Json, Resource
from sandbox.stripe.table import by_age

MOST_TYPES = 20


def endpoints_for(account: Account, kind: str) -> list[Resource]:
    """Return the enabled endpoints that want an event of ``kind`` in ``account``: its own, and its platform's Connect endpoints."""
    found = [row for row in account.table("webhook_endpoint") if not row.hidden["connect"]]
    if account.platform is not None:
        found += [row for row in account.platform.table("webhook_endpoint") if row.hidden["connect"]]
    return [row for row in found if row["status"] == "enabled" and ("*" in row["enabled_events"] or kind in row["enabled_events"])]


def address(account: Account, event: Resource) -> None:
    """Note whom an event is to be sent to."""
    for endpoint in endpoints_for(account, event["type"]):
        event.hidden["deliveries"][endpoint.id] = "pending"
    event["pending_webhooks"] = len(event.hidden["deliveries"])
    if event["pending_webhooks"]:
        account.undelivered[event.id] = event


def note_delivery(account: Account, event: Resource, endpoint: str, state: str) -> None:
    """Record ``delivered`` or ``failed`` (given up) for one endpoint."""
    deliveries: dict[str, str] = event.hidden["deliveries"]
    deliveries[endpoint] = state
    event["pending_webhooks"] = sum(each == "pending" for each in deliveries.values())
    if all(each == "delivered" for each in deliveries.values()):
        account.undelivered.pop(event.id, None)
    else:
        account.undelivered[event.id] = event


def create_endpoint(account: Account, params: Json) -> Resource:
    """Make a webhook endpoint; its ``secret`` is in ``hidden["secrets"]``."""
    if not params["url"].startswith(("http://", "https://")):
        raise ApiError("Not a valid URL", code="url_invalid", param="url")
    version = params.get("api_version", API_VERSION)
    if version != API_VERSION:
        raise invalid(f"Invalid api_version: {version}. This sandbox speaks {API_VERSION} only.", "api_version")
    shown = {
        "id": account.ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": version,
        "application": None,
        "created": account.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged(None, params.get("metadata", {})),
        "status": "enabled",
        "url": params["url"],
    }
    hidden: Json = {"secrets": [f"whsec_{account.ids.secret(32)}"], "connect": params.get("connect", False)}
    return account.table("webhook_endpoint").add(Resource(shown, hidden))


def _wanted(value: object, name: str) -> object:
    """Read one type of event, or "*" for all of them."""
    if text(value, name) != "*" and str(value) not in EVENT_TYPES:
        raise invalid(f"Invalid {name}: must be one of the types of events, or *", name)
    return value


def _create(call: Call) -> Json:
    endpoint = create_endpoint(call.account, call.params)
    return {**endpoint, "secret": endpoint.hidden["secrets"][0]}


def _update(call: Call) -> Json:
    endpoint, given = call.get("webhook_endpoint"), call.params
    endpoint.update({key: given[key] for key in ("description", "enabled_events", "url") if key in given})
    if "disabled" in given:
        endpoint["status"] = "disabled" if given["disabled"] else "enabled"
    if "metadata" in given:
        endpoint["metadata"] = merged(endpoint["metadata"], given["metadata"])
    return endpoint


def _delete(call: Call) -> Json:
    endpoint = call.get("webhook_endpoint")
    endpoint["status"] = "disabled"
    call.account.table("webhook_endpoint").remove(endpoint)
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def _list(call: Call) -> Json:
    given = call.params
    types = given.get("types")
    if types is not None and len(types) > MOST_TYPES:
        raise invalid(f"You may pass at most {MOST_TYPES} types.", "types")
    if types is not None and given.get("type"):
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    wanted = given.get("delivery_success")
    oldest = call.account.now() - call.account.policy.event_kept

    def keep(row: Resource) -> bool:
        delivered = row.id not in call.account.undelivered
        return _matches(row["type"], types) and wanted in {None, delivered} and row["created"] >= oldest

    kind = given.get("type")
    if kind and kind.endswith("*"):
        types, kind = [kind], None
    waiting = sorted(call.account.undelivered.values(), key=by_age) if wanted is False and kind is None else None
    return page(call, call.account.table("event"), keep, among=waiting, type=kind)


def _matches(kind: str, types: list[str] | None) -> bool:
    if types is None or kind in types:
        return True
    return any(each.endswith(".*") and kind.startswith(each[:-1]) for each in types)


ENDPOINT = {"description": unsettable(text), "enabled_events": array(_wanted), "metadata": metadata, "url": text}
FILTERS = {"delivery_success": boolean, "type": text, "types": array(text)}
ROUTES: list[Route] = [
    listing("/v1/events", _list, FILTERS),
    get("/v1/events/*", lambda call: call.get("event")),
    post("/v1/webhook_endpoints", _create, {**ENDPOINT, "api_version": text, "connect": boolean}, "enabled_events", "url"),
    listing("/v1/webhook_endpoints", lambda call: page(call, call.account.table("webhook_endpoint"))),
    get("/v1/webhook_endpoints/*", lambda call: call.get("webhook_endpoint")),
    post("/v1/webhook_endpoints/*", _update, {**ENDPOINT, "disabled": boolean}),
    delete("/v1/webhook_endpoints/*", _delete),
]
