"""Which resource an option means, and whether it may be sold."""

from bots.commands.call import Call, Desk
from core.errors import Refusal
from core.platform import PlatformAdapter, Resource, ResourceLabel


async def sellable(desk: Desk, call: Call, option: str) -> ResourceLabel:
    """Return the resource ``option`` names, once the platform has said that we can manage it and that it is safe to sell.

    Raises the adapter's Refusal otherwise: which rule, and what to do.
    """
    label = await named(desk, call, option)
    await desk.adapters[call.request.platform].check(label.resource)
    return label


async def named(desk: Desk, call: Call, option: str) -> ResourceLabel:
    """Return the resource ``option`` names. Only a platform with several kinds has to be asked which one it is."""
    adapter = desk.adapters[call.request.platform]
    external_id = call.text(option)
    if not external_id:
        raise Refusal("missing_option", f"Say which one: fill in “{option}”.")
    if len(adapter.resource_kinds) == 1:
        (kind,) = adapter.resource_kinds
        return ResourceLabel(Resource(call.space, kind, external_id), call.label(external_id))
    return await _looked_up(adapter, call, external_id)


async def _looked_up(adapter: PlatformAdapter, call: Call, external_id: str) -> ResourceLabel:
    for label in await adapter.resources(call.space):
        if label.resource.external_id == external_id:
            return label
    raise Refusal("resource_unknown", f"I can't find “{call.label(external_id)}” here any more. Pick another one from the list.")
