"""Paid invite links: made, listed, withdrawn, and looked at by whoever opens one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, InviteId, PlanId, PlatformName, PlatformUserId
from core.offer import check_link
from core.people import Identity
from storage import invites, plans
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.invites import InviteRow
from storage.plans import PlanRow, PlanView

LONGEST_LIFE = timedelta(days=3650)
MOST_USES = 100_000
LONGEST_TAG = 40
UNFINISHED = "making it was interrupted. Run /doorman plan create with the same name once more, and it is finished."


@dataclass(frozen=True, slots=True)
class InviteView:
    """A link as its creator sees it."""

    code: str
    url: str
    plan_name: str
    max_uses: int | None
    uses: int
    expires_at: datetime | None
    bound_name: str
    tag: str
    revoked: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A link as whoever opens it sees it."""

    invite: InviteView
    invite_id: InviteId
    community_id: CommunityId
    community_name: str
    plan: PlanView
    platform: PlatformName
    """Where the payer must prove who they are."""
    bound: Identity | None


class Invites:
    """Makes and finds links."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._public_url = public_url.rstrip("/")

    async def create(  # noqa: PLR0913 - a link has this many sides
        self,
        community: CommunityId,
        plan: str,
        *,
        max_uses: int | None = None,
        lifetime: timedelta | None = None,
        bound: Identity | None = None,
        tag: str = "",
        personal: bool = False,
        actor: str,
        cause: CauseId,
    ) -> InviteView:
        """Make a link for a plan (by id or name). ``cause`` names it: the same command run again finds the same link.

        Refusals ``plan_unknown``, ``plan_broken``, ``bad_uses``, ``bad_lifetime``, ``bad_tag``.
        """
        _check(max_uses, lifetime, tag)
        async with self._db.transaction() as session:
            known = await session.get(InviteRow, InviteId(cause))
            row = await self._plan(session, community, plan)
            view = await plans.view(session, row)
            if known is not None:
                return self._view(known, view)
            if not view.sellable:
                raise Refusal("plan_broken", f"“{view.name}” can't be sold right now: {view.problem or UNFINISHED}")
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            invite = InviteRow(
                id=InviteId(cause),
                community_id=community,
                plan_id=row.id,
                code=self._ids.new(),
                max_uses=max_uses,
                expires_at=trail.at + lifetime if lifetime else None,
                bound_platform=bound.platform if bound else None,
                bound_realm=bound.realm if bound else "",
                bound_user=bound.user if bound else None,
                bound_name=bound.name if bound else "",
                tag=tag,
                personal=personal,
                created_by=PlatformUserId(actor),
                created_at=trail.at,
            )
            session.add(invite)
            record(session, trail, community, "invite.created", ("invite", invite.id), after={"plan": view.name, "tag": tag})
            return self._view(invite, view)

    async def own(self, community: CommunityId, plan: PlanId, who: Identity) -> InviteView:
        """Return the one link by which somebody may buy a plan, the same whenever they ask. Refusals as ``create``."""
        cause = CauseId(f"own:{plan}:{who.platform}:{who.realm}:{who.user}")
        return await self.create(community, plan, bound=who, personal=True, actor=who.actor, cause=cause)

    async def listing(self, community: CommunityId) -> Sequence[InviteView]:
        """Return a community's links, newest first, without the personal ones."""
        async with self._db.reading() as session:
            found = await invites.listing(session, community)
            names = {plan.id: plan for plan in [await plans.view(session, row) for row in await invites.plans_of(session, community)]}
            return [self._view(invite, names[invite.plan_id]) for invite in found]

    async def revoke(self, community: CommunityId, code: str, *, actor: str, cause: CauseId) -> InviteView:
        """Withdraw a link; who paid through it stays. Refusal ``invite_unknown``."""
        code = code.strip().rstrip("/").rpartition("/")[2]
        async with self._db.transaction() as session:
            facts = await invites.look(session, code)
            if facts is None or facts.invite.community_id != community:
                raise Refusal("invite_unknown", "There is no such link here. /doorman link list shows them all.")
            if facts.invite.revoked_at is None:
                trail = Trail(self._ids, self._clock.now(), cause, actor)
                facts.invite.revoked_at = trail.at
                session.add(facts.invite)
                record(session, trail, community, "invite.revoked", ("invite", facts.invite.id))
            return self._view(facts.invite, facts.plan)

    async def look(self, code: str) -> Offer:
        """Return what a link offers; Refusals as core.offer.check_link, and ``invite_unknown``."""
        async with self._db.reading() as session:
            facts = await invites.look(session, code)
        if facts is None:
            raise Refusal("invite_unknown", "There is no such link. Check it letter by letter, or ask for a new one.")
        check_link(facts.link, self._clock.now())
        invite = facts.invite
        bound = None
        if invite.bound_user is not None and invite.bound_platform is not None:
            bound = Identity(invite.bound_platform, invite.bound_realm, invite.bound_user, invite.bound_name)
        return Offer(
            invite=self._view(invite, facts.plan),
            invite_id=invite.id,
            community_id=invite.community_id,
            community_name=facts.community.name,
            plan=facts.plan,
            platform=bound.platform if bound else facts.plan.resources[0].platform,
            bound=bound,
        )

    async def _plan(self, session: Session, community: CommunityId, plan: str) -> PlanRow:
        row = await session.get(PlanRow, PlanId(plan))
        if row is None or row.community_id != community:
            row = await plans.by_name(session, community, plan)
        if row is None:
            raise Refusal("plan_unknown", f"There is no plan “{plan[:60]}” here. /doorman plan list shows them all.")
        return row

    def _view(self, invite: InviteRow, plan: PlanView) -> InviteView:
        now = self._clock.now()
        spent = invite.max_uses is not None and invite.uses >= invite.max_uses
        over = invite.expires_at is not None and invite.expires_at <= now
        return InviteView(
            code=invite.code,
            url=f"{self._public_url}/j/{invite.code}",
            plan_name=plan.name,
            max_uses=invite.max_uses,
            uses=invite.uses,
            expires_at=invite.expires_at,
            bound_name=invite.bound_name,
            tag=invite.tag,
            revoked=invite.revoked_at is not None,
            usable=plan.sellable and invite.revoked_at is None and not spent and not over,
        )


def _check(max_uses: int | None, lifetime: timedelta | None, tag: str) -> None:
    if max_uses is not None and not 1 <= max_uses <= MOST_USES:
        raise Refusal("bad_uses", f"A link can be used 1 to {MOST_USES:,} times. Leave uses out for no limit.")
    if lifetime is not None and not timedelta(0) < lifetime <= LONGEST_LIFE:
        raise Refusal("bad_lifetime", "A link lives from a minute to ten years. Leave expires out for a link that stays.")
    if len(tag) > LONGEST_TAG:
        raise Refusal("bad_tag", f"The tag is too long. Use {LONGEST_TAG} letters or fewer.")
