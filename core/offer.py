"""May this link be used? Pure."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import Refusal


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What decides whether a link sells."""

    revoked: bool
    expires_at: datetime | None
    max_uses: int | None
    uses: int
    plan_name: str
    plan_active: bool
    problem: str
    """Why the plan cannot be delivered now; empty when it can."""
    community_name: str


def check_link(facts: LinkFacts, now: datetime) -> None:
    """Raise the Refusal that says why the link does not sell, and what to do."""
    ask = f"Ask in {facts.community_name} for a new one."
    if facts.revoked:
        raise Refusal("invite_revoked", f"This link was withdrawn. {ask}")
    if facts.expires_at is not None and facts.expires_at <= now:
        raise Refusal("invite_expired", f"This link ran out on {facts.expires_at:%-d %B %Y}. {ask}")
    if facts.max_uses is not None and facts.uses >= facts.max_uses:
        raise Refusal("invite_used_up", f"This link has been used as often as it may be. {ask}")
    if not facts.plan_active:
        raise Refusal("plan_archived", f"“{facts.plan_name}” is no longer sold. Ask in {facts.community_name} what is.")
    if facts.problem:
        raise Refusal(
            "plan_broken",
            f"“{facts.plan_name}” can't be delivered right now, so it is not sold. "
            f"{facts.community_name} has been told; please try again later.",
        )
