"""Access against a model of sets: a role is held while any reason for it lasts, and what we did not give is never ours to take."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.entitlement import change
from core.entitlement import Access, Verdict
from core.ids import CauseId, EntitlementId, Ids, PlanId, PlatformUserId
from core.people import Identity
from sandbox.clock import VirtualClock
from sandbox.memory.world import NAME
from storage import accounts
from storage.audit import Trail
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from tests.bots.bench import Bench, open_bench

ROLES = ("red", "green", "blue", "white")
PLANS = {"one": {"red"}, "two": {"red", "green"}, "three": {"green", "blue"}}
"""White is in no plan."""
STEPS = st.tuples(st.sampled_from(["opens", "opens", "ends"]), st.sampled_from(sorted(PLANS)), st.integers(0, 1))


class Town:
    """A space with three plans that overlap, and people with any number of reasons to hold what these open."""

    def __init__(self, bench: Bench, roles: dict[str, str], plans: dict[str, PlanId]) -> None:
        self.bench, self.roles, self.plans = bench, roles, plans
        self.held: dict[str, EntitlementRow] = {}

    async def write(self, who: Identity, source: str, plan: str, *, opened: bool) -> None:
        """Open or end one source of access, as billing does, and let everything follow."""
        home = await self.bench.cases.desk.communities.of_space(self.bench.space)
        ids, now = self.bench.base.ids, self.bench.clock.now()
        async with self.bench.base.db.transaction() as session:
            account = await accounts.ensure(session, home.community_id, who, ids, now)
            row = self.held.get(source) or EntitlementRow(
                id=EntitlementId(ids.new()), community_id=home.community_id, member_id=account.member_id, plan_id=self.plans[plan],
                source_kind=SourceKind.COMP, source_id=source, starts_at=now, state=EntitlementState.ENDED, cause_id=CauseId(source),
            )  # fmt: skip
            row = await session.merge(row)
            access = Access(Verdict.OPEN, now + timedelta(days=9)) if opened else Access(Verdict.CLOSED)
            await change(session, row, access, self.plans[plan], Trail(ids, now, CauseId(ids.new())))
            self.held[source] = row
        await self.bench.dispatcher.settled()

    def holds(self, who: PlatformUserId) -> set[str]:
        """Return the names of the roles somebody holds on the platform."""
        held = self.bench.world.places[self.bench.space.external_id].members[who]
        return {name for name, external_id in self.roles.items() if external_id in held}

    def gives(self, who: PlatformUserId, roles: set[str]) -> None:
        """Let the creator give roles by hand."""
        self.bench.world.places[self.bench.space.external_id].members[who] |= {self.roles[name] for name in roles}


@pytest.fixture
async def town(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Town]:
    async with open_bench(sqlite_database, clock, ids) as bench:
        roles = {name: bench.world.thing(bench.space, name).external_id for name in ROLES}
        for plan, opened in PLANS.items():
            first, *more = sorted(opened)
            await bench.plan(name=plan, role=roles[first])
            for role in more:
                await bench.ask(bench.creator, "doorman plan add", plan=plan, role=roles[role])
        home = await bench.cases.desk.communities.of_space(bench.space)
        listed = {view.name: view.id for view in await bench.cases.desk.plans.listing(home.community_id)}
        yield Town(bench, roles, listed)


@pytest.mark.long
@settings(max_examples=70, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(by_hand=st.sets(st.sampled_from(ROLES)), steps=st.lists(STEPS, min_size=1, max_size=5))
async def test_a_role_is_held_exactly_while_some_reason_lasts_and_what_others_gave_stays(
    town: Town, by_hand: set[str], steps: list[tuple[str, str, int]]
) -> None:
    user = town.bench.world.person("somebody")
    who = Identity(NAME, "", user, "somebody")
    town.bench.world.places[town.bench.space.external_id].members[user] = set()
    town.gives(user, by_hand)
    running: dict[str, set[str]] = {}
    for verb, plan, number in steps:
        source = f"{user}:{plan}:{number}"
        if verb == "opens":
            running[source] = PLANS[plan]
        else:
            running.pop(source, None)
        await town.write(who, source, plan, opened=verb == "opens")
        assert town.holds(user) == by_hand.union(*running.values())
    for source, plan in [(source, source.split(":")[1]) for source in list(running)]:
        await town.write(who, source, plan, opened=False)
    assert town.holds(user) == by_hand
    touched = {(call.verb, call.subject) for call in town.bench.adapter.calls if call.user == user and call.verb in {"grant", "revoke"}}
    assert not {role for _, role in touched} & {town.roles["white"]}
    assert not {role for verb, role in touched if verb == "revoke"} & {town.roles[name] for name in by_hand}
