from sandbox.discord.errors import Payload
from sandbox.discord.typed import CannotError


def filled(components: list[Payload], values: dict[str, str]) -> list[Payload]:
    """Return a form's components as the client sends them back, each field with its value; CannotError for what does not fit."""
    made = []
    for outer in components:
        inner = outer.get("components") or ([outer["component"]] if "component" in outer else [])
        fields = []
        for one in inner:
            value = values.pop(one["custom_id"], one.get("value") or "")
            if one.get("required", True) and not value:
                raise CannotError(f"the form needs {one['custom_id']}")
            fields.append({"type": one["type"], "custom_id": one["custom_id"], "value": value})
        if "component" in outer:
            made.append({"type": outer["type"], "component": fields[0]})
        elif inner:
            made.append({"type": outer["type"], "components": fields})
    if values:
        raise CannotError(f"the form has no field {', '.join(values)}")
    return made
