"""Products: docs.stripe.com/api/products."""

from sandbox.stripe import prices
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, delete, get, listing, post
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, merged, metadata, nested, text, unsettable
from sandbox.stripe.resource import Json, Resource

FIELDS = {
    "active": boolean,
    "description": unsettable(text),
    "images": unsettable(array(text)),
    "marketing_features": unsettable(array(nested({"name": text}, "name"))),
    "metadata": metadata,
    "name": text,
    "shippable": boolean,
    "statement_descriptor": unsettable(text),
    "tax_code": unsettable(text),
    "unit_label": unsettable(text),
    "url": unsettable(text),
}


def create(account: Account, params: Json) -> Resource:
    """Make a product, and its default price when asked to."""
    now = account.now()
    product = Resource(
        {
            "id": params.get("id") or account.ids.new("prod", 14),
            "object": "product",
            "active": params.get("active", True),
            "created": now,
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images") or [],
            "livemode": False,
            "marketing_features": params.get("marketing_features") or [],
            "metadata": merged(None, params.get("metadata", {})),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": params.get("shippable"),
            "statement_descriptor": params.get("statement_descriptor"),
            "tax_code": params.get("tax_code"),
            "type": "service",
            "unit_label": params.get("unit_label"),
            "updated": now,
            "url": params.get("url"),
        }
    )
    if account.table("product").find(product.id):
        raise ApiError("Product already exists.", code="resource_already_exists", param="id")
    account.table("product").add(product)
    account.emit("product.created", product)
    if "default_price_data" in params:
        product["default_price"] = prices.create(account, {**params["default_price_data"], "product": product.id}).id
    return product


def _create(call: Call) -> Json:
    return create(call.account, call.params)


def price_of(account: Account, params: Json, prefix: str = "") -> Resource:
    """Make a price and, when ``product_data`` is given, the product first. ``prefix`` names the hash in errors."""
    if ("product" in params) == ("product_data" in params):
        name = f"{prefix}[product]" if prefix else "product"
        raise missing_parameter(name) if "product" not in params else invalid("Give either product or product_data, not both.", name)
    if "product_data" in params:
        params = {**params, "product": create(account, params["product_data"]).id}
    return prices.create(account, params)


def _create_price(call: Call) -> Json:
    return price_of(call.account, call.params)


def _update(call: Call) -> Json:
    product = call.get("product")
    call.named("price", "default_price")
    with call.account.changing(product, "product.updated"):
        change = {key: value for key, value in call.params.items() if key not in {"expand", "metadata"}}
        product.update({key: [] if value is None and key in {"images", "marketing_features"} else value for key, value in change.items()})
        if "metadata" in call.params:
            product["metadata"] = merged(product["metadata"], call.params["metadata"])
        product["updated"] = call.account.now()
    return product


def _delete(call: Call) -> Json:
    product = call.get("product")
    if call.account.table("price").where("product", product.id):
        raise ApiError("This product cannot be deleted because it has one or more user-created prices.")
    call.account.table("product").remove(product)
    call.account.emit("product.deleted", product)
    return {"id": product.id, "object": "product", "deleted": True}


def _list(call: Call) -> Json:
    ids = call.params.get("ids")
    return page(call, call.account.table("product"), lambda row: ids is None or row.id in ids, active=call.params.get("active"))


ROUTES: list[Route] = [
    post("/v1/products", _create, {**FIELDS, "id": text, "default_price_data": nested(prices.DATA, "currency")}, "name"),
    listing("/v1/products", _list, {"active": boolean, "ids": array(text)}),
    get("/v1/products/*", lambda call: call.get("product")),
    post("/v1/products/*", _update, {**FIELDS, "default_price": unsettable(text)}),
    delete("/v1/products/*", _delete),
    *prices.routes(_create_price),
]
