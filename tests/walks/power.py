"""The power goes at one point of a walk: from then on nothing is written and nothing reaches a vendor."""

import asyncio
from dataclasses import dataclass, field

from sandbox.faults import Fault, FaultKind, FaultPlan


class PowerCut(BaseException):
    """The process is gone; nothing in it may catch this."""


@dataclass
class Power:
    """Counts the points at which a process could end, and ends it at one of them.

    A point is the moment before a commit, before a call to a vendor has its effect, or after it had it and before the answer arrives.
    Between two points nothing lasting happens, so these are all the moments there are.
    """

    points: list[str] = field(default_factory=list)
    cut_at: int | None = None
    cut_in: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    counting: bool = False

    def arm(self, cut_at: int | None = None, cut_in: str = "") -> None:
        """Count from here, and cut at the point of this number (from 1), at the first that is called ``cut_in``, or nowhere."""
        self.points, self.cut_at, self.cut_in, self.gone, self.counting = [], cut_at, cut_in, asyncio.Event(), True

    def restore(self) -> None:
        """Have power again, and count no more."""
        self.gone, self.counting = asyncio.Event(), False

    def reached(self, name: str) -> bool:
        """Count a point and return whether the process ends there."""
        if self.counting:
            self.points.append(name)
            if len(self.points) == self.cut_at or (self.cut_in and name.startswith(self.cut_in)):
                self.gone.set()
                return True
        return False

    def before_commit(self) -> None:
        """Stand in for ``Database.before_commit``."""
        if self.gone.is_set() or self.reached("commit"):
            raise PowerCut


class PowerPlan(FaultPlan):
    """A fault plan through which the power sees every call to a vendor."""

    def __init__(self, power: Power) -> None:
        super().__init__()
        self._power = power

    def take(self, service: str, what: str) -> Fault | None:
        """Let no call through once the power is gone, and cut it where it is to be cut."""
        if what.startswith("WEBHOOK "):
            return super().take(service, what)
        if self._power.gone.is_set() or self._power.reached(f"before {service} {what}"):
            return Fault(service, FaultKind.TIMEOUT_BEFORE)
        if self._power.reached(f"after {service} {what}"):
            return Fault(service, FaultKind.TIMEOUT_AFTER)
        return super().take(service, what)
