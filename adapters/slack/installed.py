"""The app in one workspace, or in one organisation: its token and what belongs to it, as it is kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Installed:
    """One installation. ``team`` is empty when it is for a whole organisation; a token without ``expires_at`` lives for ever."""

    bot_token: str
    team: str
    enterprise: str
    name: str
    bot_user: str
    installer: str
    installed_at: datetime
    bot_id: str = ""
    app: str = ""
    scopes: str = ""
    refresh_token: str = ""
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Installed({self.subject})"

    @property
    def subject(self) -> str:
        """What it is kept under."""
        return self.team or self.enterprise

    def dump(self) -> str:
        """Write it down, secrets and all."""
        times = {"installed_at": self.installed_at.isoformat(), "expires_at": self.expires_at.isoformat() if self.expires_at else None}
        return json.dumps(asdict(self) | times)

    @classmethod
    def load(cls, secret: str) -> Self:
        """Read what :meth:`dump` wrote."""
        body = json.loads(secret)
        ends = body["expires_at"]
        times = {"installed_at": datetime.fromisoformat(body["installed_at"]), "expires_at": datetime.fromisoformat(ends) if ends else None}
        return cls(**body | times)

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], now: datetime) -> Self:
        """Read what oauth.v2.access says of a new installation."""
        team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
        whole = bool(answer.get("is_enterprise_install")) or not team
        return cls(
            bot_token=str(answer["access_token"]),
            team="" if whole else str(team["id"]),
            enterprise=str(enterprise.get("id") or ""),
            name=str((enterprise if whole else team).get("name") or ""),
            bot_user=str(answer.get("bot_user_id") or ""),
            installer=str((answer.get("authed_user") or {}).get("id") or ""),
            installed_at=now,
            app=str(answer.get("app_id") or ""),
            scopes=str(answer.get("scope") or ""),
            refresh_token=str(answer.get("refresh_token") or ""),
            expires_at=end_of(answer, now),
        )


def end_of(answer: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when the token in ``answer`` ends, None when it does not."""
    seconds = answer.get("expires_in")
    return now + timedelta(seconds=int(seconds)) if seconds else None
