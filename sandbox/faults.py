"""A fault plan: which vendor call goes wrong, how, and how often. Pure; the shells ask it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong with one call or one webhook."""

    RATE_LIMITED = "429"
    SERVER_ERROR = "5xx"
    TIMEOUT_BEFORE = "timeout_before"
    """The connection closes and nothing happened."""
    TIMEOUT_AFTER = "timeout_after"
    """The effect happened, then the connection closes without an answer."""
    DROP = "drop"
    """A webhook is never sent."""
    DUPLICATE = "duplicate"
    """A webhook is sent ``copies`` times."""
    DELAY = "delay"
    """A webhook waits ``seconds`` of the sandbox's time."""
    REORDER = "reorder"
    """A webhook is sent after the next one."""


WEBHOOK_KINDS = frozenset({FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.DELAY, FaultKind.REORDER})
"""What can happen to a webhook; all else happens to calls."""


@dataclass(slots=True)
class Fault:
    """One rule. ``route`` is a regular expression searched in ``"METHOD /path"`` (vendor path, as in the vendor's API)
    or, for webhooks, in ``"WEBHOOK event.type"``. ``times`` None means until lifted.
    """

    service: str
    kind: FaultKind
    route: str = ""
    times: int | None = 1
    status: int = 503
    retry_after: float = 0.2
    seconds: float = 60.0
    copies: int = 2


@dataclass(slots=True)
class FaultPlan:
    """The rules in force, first match wins; what was taken is counted in ``taken``."""

    rules: list[Fault] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force and return it, so that it can be lifted."""
        self.rules.append(fault)
        return fault

    def lift(self, fault: Fault) -> None:
        """Take a rule out; one that ran out by itself is fine."""
        if fault in self.rules:
            self.rules.remove(fault)

    def outage(self, service: str, status: int = 503) -> Fault:
        """Let every call of ``service`` fail until lifted."""
        return self.add(Fault(service, FaultKind.SERVER_ERROR, times=None, status=status))

    def take(self, service: str, what: str) -> Fault | None:
        """Return the fault that strikes ``what`` now, using it up, or None. A rule for calls never strikes a webhook, nor the reverse."""
        webhook = what.startswith("WEBHOOK ")
        for rule in self.rules:
            if rule.service == service and (rule.kind in WEBHOOK_KINDS) is webhook and re.search(rule.route, what):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self.rules.remove(rule)
                self.taken[f"{service} {rule.kind}"] += 1
                return rule
        return None
