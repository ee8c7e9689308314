"""Commands and events as bytes: what an inbox row holds, and how it is read back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.commands import CommandRequest, ReplyHandle
from core.ids import PlatformName, PlatformUserId
from core.platform import EventKind, PlatformEvent, Space


def dump_request(request: CommandRequest) -> tuple[bytes, str]:
    """Return the request without its handle, and the handle apart: it holds a token and is stored encrypted."""
    body = {
        "id": request.id,
        "words": list(request.words),
        "options": dict(request.options),
        "labels": dict(request.labels),
        "platform": request.platform,
        "realm": request.realm,
        "space_external_id": request.space_external_id,
        "space_name": request.space_name,
        "user": request.user,
        "user_name": request.user_name,
        "can_manage": request.can_manage,
        "at": request.at.isoformat(),
    }
    handle = request.handle
    held = {
        "platform": handle.platform,
        "data": dict(handle.data),
        "expires_at": handle.expires_at.isoformat(),
        "user": handle.user,
        "realm": handle.realm,
        "space_external_id": handle.space_external_id,
    }
    return json.dumps(body).encode(), json.dumps(held)


def load_request(payload: bytes, handle: str) -> CommandRequest:
    """Read back what :func:`dump_request` wrote."""
    body: Mapping[str, Any] = json.loads(payload)
    held: Mapping[str, Any] = json.loads(handle)
    return CommandRequest(
        id=body["id"],
        words=tuple(body["words"]),
        options=body["options"],
        platform=PlatformName(body["platform"]),
        realm=body["realm"],
        space_external_id=body["space_external_id"],
        space_name=body["space_name"],
        user=PlatformUserId(body["user"]),
        user_name=body["user_name"],
        can_manage=body["can_manage"],
        at=datetime.fromisoformat(body["at"]),
        handle=ReplyHandle(
            platform=PlatformName(held["platform"]),
            data=held["data"],
            expires_at=datetime.fromisoformat(held["expires_at"]),
            user=PlatformUserId(held["user"]),
            realm=held["realm"],
            space_external_id=held["space_external_id"],
        ),
        labels=body["labels"],
    )


def dump_event(event: PlatformEvent) -> bytes:
    """Return the event as bytes."""
    body = {
        "id": event.id,
        "kind": event.kind,
        "platform": event.space.platform,
        "realm": event.space.realm,
        "space": event.space.external_id,
        "at": event.at.isoformat(),
        "user": event.user,
        "name": event.name,
    }
    return json.dumps(body).encode()


def load_event(payload: bytes) -> PlatformEvent:
    """Read back what :func:`dump_event` wrote."""
    body: Mapping[str, Any] = json.loads(payload)
    return PlatformEvent(
        id=body["id"],
        kind=EventKind(body["kind"]),
        space=Space(PlatformName(body["platform"]), body["realm"], body["space"]),
        at=datetime.fromisoformat(body["at"]),
        user=None if body["user"] is None else PlatformUserId(body["user"]),
        name=body["name"],
    )
