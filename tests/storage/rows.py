"""A community with one row in every table, all of its values told apart by a letter."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlmodel import SQLModel

from core.dispatch import Lane
from core.ids import (
    AccountId,
    ApplicationId,
    CauseId,
    ChangeId,
    CommunityId,
    CouponId,
    CustomerId,
    EndpointId,
    EntitlementId,
    GiftId,
    GrantId,
    InviteId,
    MemberId,
    OrderId,
    OwnerTaskId,
    PlanId,
    PlatformName,
    PlatformUserId,
    PriceId,
    ResourceId,
    RoundId,
    SpaceId,
    StripeAccountId,
    SubscriptionId,
    TipId,
    WaitlistId,
)
from core.payments import IntervalUnit
from core.platform import ResourceKind
from sandbox.mark import MARK
from storage.account_changes import AccountChangeRow
from storage.accounts import AccountRow
from storage.applications import ApplicationRow
from storage.audit import AuditRow
from storage.cancellations import CancellationRow, Outcome
from storage.causes import CauseRow
from storage.communities import CommunityRow
from storage.coupons import CouponRow
from storage.credentials import CredentialRow
from storage.customers import CustomerRow
from storage.database import Database
from storage.deliveries import DeliveryRow
from storage.disputes import DisputeRow
from storage.entitlements import EntitlementRow, SourceKind
from storage.extensions import ExtensionRow
from storage.gifts import GiftRow
from storage.grants import GrantRow
from storage.inbox import InboxKind, InboxRow
from storage.invites import InviteRow
from storage.lanes import LaneRow
from storage.ledger import LedgerRow
from storage.members import MemberRow
from storage.orders import OrderRow
from storage.outbox import OutboxKind, OutboxRow
from storage.owner_tasks import OwnerTaskRow
from storage.plan_resources import PlanResourceRow
from storage.plans import PlanRow
from storage.price_moves import PriceMoveRow
from storage.prices import PriceRow
from storage.resources import ResourceRow
from storage.rounds import RoundRow
from storage.spaces import SpaceRow
from storage.states import BrowserRow, StateRow
from storage.stripe_accounts import StripeAccountKind, StripeAccountRow
from storage.subscriptions import SubscriptionRow
from storage.tips import TipRow
from storage.trials import TrialRow
from storage.uninvited import UninvitedRow
from storage.upsert import table
from storage.waitlist_entries import WaitlistEntryRow
from storage.webhook_endpoints import WebhookEndpointRow

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LANE = Lane("work:00")
PLATFORM = PlatformName("somewhere")
SECRET = f"xoxb-a-secret-nobody-may-read-{MARK}"
Row = TypeVar("Row", bound=SQLModel)


def inbox_row(name: str, **changes: Any) -> InboxRow:  # noqa: ANN401 - any column
    """Return a delivery that is due; ``name`` tells its id and its event apart."""
    row = InboxRow(
        id=f"{name}-inbox",
        kind=InboxKind.STRIPE,
        source="stripe:env",
        event_id=f"evt_{name}",
        type="invoice.paid",
        lane=LANE,
        payload=b"{}",
        received_at=AT,
        due_at=AT,
    )
    return changed(row, **changes)


def outbox_row(x: str, **changes: Any) -> OutboxRow:  # noqa: ANN401
    row = OutboxRow(
        id=f"{x}-outbox",
        community_id=CommunityId(x),
        kind=OutboxKind.NOTICE,
        lane=LANE,
        subject=f"{x}-member",
        dedupe=f"{x}-once",
        created_at=AT,
        due_at=AT,
        cause_id=CauseId("cause"),
    )
    return changed(row, **changes)


def changed(row: Row, **changes: Any) -> Row:  # noqa: ANN401
    """Return a copy of ``row`` with other values in some columns."""
    return type(row)(**(row.model_dump() | changes))


def everything(x: str) -> list[SQLModel]:
    """Return one row of every table for community ``x``, in an order the foreign keys allow."""
    return [*_tenant(x), *_sale(x), *_offers(x), *_access(x), *_books(x)]


def _tenant(x: str) -> list[SQLModel]:
    community, account = CommunityId(x), StripeAccountId(f"{x}-stripe")
    space = SpaceId(f"{x}-space")
    return [
        CommunityRow(id=community, name=x, currency="USD", created_at=AT),
        StripeAccountRow(id=account, kind=StripeAccountKind.RESTRICTED, community_id=community, key=SECRET, created_at=AT),
        WebhookEndpointRow(
            id=EndpointId(f"{x}-endpoint"), stripe_account_id=account, path=f"{x}-path", secrets=f"whsec_{SECRET}", created_at=AT
        ),
        SpaceRow(
            id=space, community_id=community, platform=PLATFORM, external_id=f"{x}-1", name=x, installer=PlatformUserId("7"), created_at=AT
        ),
        ResourceRow(
            id=ResourceId(f"{x}-resource"),
            community_id=community,
            space_id=space,
            kind=ResourceKind.ROLE,
            external_id=f"{x}-9",
            name="Gold",
        ),
        MemberRow(id=MemberId(f"{x}-member"), community_id=community, created_at=AT),
        AccountRow(
            id=AccountId(f"{x}-account"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            platform=PLATFORM,
            external_id=PlatformUserId(f"{x}-42"),
            name="Ann",
            created_at=AT,
        ),
        AccountChangeRow(
            id=ChangeId(f"{x}-change"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            platform=PLATFORM,
            old_id=AccountId(f"{x}-account"),
            new_id=AccountId(f"{x}-account"),
            at=AT,
        ),
        CustomerRow(
            id=CustomerId(f"{x}-customer"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            stripe_account_id=account,
            stripe_customer_id=f"cus_{x}",
            currency="USD",
        ),
    ]


def _sale(x: str) -> list[SQLModel]:
    community, account = CommunityId(x), StripeAccountId(f"{x}-stripe")
    plan, price = PlanId(f"{x}-plan"), PriceId(f"{x}-price")
    return [
        PlanRow(
            id=plan,
            community_id=community,
            name="Gold",
            name_key="gold",
            interval_unit=IntervalUnit.MONTH,
            stripe_account_id=account,
            created_at=AT,
        ),
        PriceRow(
            id=price,
            community_id=community,
            plan_id=plan,
            stripe_account_id=account,
            stripe_price_id=f"price_{x}",
            amount=999,
            currency="USD",
            interval_unit=IntervalUnit.MONTH,
            interval_count=1,
        ),
        PlanResourceRow(plan_id=plan, resource_id=ResourceId(f"{x}-resource"), community_id=community),
        InviteRow(
            id=InviteId(f"{x}-invite"),
            community_id=community,
            plan_id=plan,
            code=f"{x}-code",
            created_by=PlatformUserId("7"),
            created_at=AT,
        ),
        OrderRow(
            id=OrderId(f"{x}-order"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            account_id=AccountId(f"{x}-account"),
            plan_id=plan,
            price_id=price,
            invite_id=InviteId(f"{x}-invite"),
            stripe_account_id=account,
            checkout_session_id=f"cs_{x}",
            created_at=AT,
            expires_at=AT,
        ),
        DeliveryRow(order_id=OrderId(f"{x}-order"), community_id=community, paid_at=AT, due_at=AT),
        SubscriptionRow(
            id=SubscriptionId(f"{x}-subscription"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            plan_id=plan,
            stripe_account_id=account,
            stripe_subscription_id=f"sub_{x}",
            stripe_customer_id=f"cus_{x}",
            stripe_price_id=f"price_{x}",
            status="active",
            started_at=AT,
            period_end=AT,
            fetched_at=AT,
        ),
    ]


def _offers(x: str) -> list[SQLModel]:
    community, member, account = CommunityId(x), MemberId(f"{x}-member"), AccountId(f"{x}-account")
    plan, stripe = PlanId(f"{x}-plan"), StripeAccountId(f"{x}-stripe")
    subscription = SubscriptionId(f"{x}-subscription")
    return [
        TrialRow(id=f"{x}-trial", community_id=community, member_id=member, order_id=OrderId(f"{x}-order"), mark="member:m", at=AT),
        WaitlistEntryRow(
            id=WaitlistId(f"{x}-waitlist"), community_id=community, plan_id=plan, member_id=member, account_id=account, since=AT
        ),
        GiftRow(
            id=GiftId(f"{x}-gift"),
            community_id=community,
            member_id=member,
            giver="Ann",
            plan_id=plan,
            interval_unit=IntervalUnit.MONTH,
            amount=999,
            currency="USD",
            for_account_id=account,
            code_hash=f"{x}-gift",
            checkout_session_id=f"cs_gift_{x}",
            taken_by=member,
            stripe_account_id=stripe,
            created_at=AT,
            expires_at=AT,
        ),
        DisputeRow(
            id=f"{x}-dispute",
            community_id=community,
            member_id=member,
            stripe_account_id=stripe,
            stripe_dispute_id=f"du_{x}",
            source_kind="subscription",
            source_id=subscription,
            order_id=OrderId(f"{x}-order"),
            status="needs_response",
            amount=999,
            currency="USD",
            opened_at=AT,
        ),
        ExtensionRow(
            id=f"{x}-extension",
            community_id=community,
            subscription_id=subscription,
            source_id=f"{x}-gift",
            seconds=3600,
            until=AT,
            at=AT,
            cause_id=CauseId("cause"),
        ),
        CouponRow(
            id=CouponId(f"{x}-coupon"),
            community_id=community,
            stripe_account_id=stripe,
            code=f"SPRING-{x}",
            percent=20,
            plan_id=plan,
            created_at=AT,
        ),
        ApplicationRow(
            id=ApplicationId(f"{x}-application"), community_id=community, plan_id=plan, member_id=member, account_id=account, asked_at=AT
        ),
        PriceMoveRow(
            id=f"{x}-move",
            community_id=community,
            subscription_id=subscription,
            price_id=PriceId(f"{x}-price"),
            due_at=AT,
            cause_id=CauseId("cause"),
        ),
        CancellationRow(
            id=f"{x}-cancellation",
            community_id=community,
            member_id=member,
            subscription_id=subscription,
            reason="unused",
            outcome=Outcome.SAVED,
            at=AT,
        ),
    ]


def _access(x: str) -> list[SQLModel]:
    community, member = CommunityId(x), MemberId(f"{x}-member")
    return [
        EntitlementRow(
            id=EntitlementId(f"{x}-entitlement"),
            community_id=community,
            member_id=member,
            lane=LANE,
            plan_id=PlanId(f"{x}-plan"),
            source_kind=SourceKind.SUBSCRIPTION,
            source_id=f"{x}-subscription",
            starts_at=AT,
            cause_id=CauseId("cause"),
        ),
        GrantRow(
            id=GrantId(f"{x}-grant"),
            community_id=community,
            member_id=member,
            account_id=AccountId(f"{x}-account"),
            resource_id=ResourceId(f"{x}-resource"),
            lane=LANE,
            wanted=True,
            due_at=AT,
            changed_at=AT,
            cause_id=CauseId("cause"),
        ),
        OwnerTaskRow(
            id=OwnerTaskId(f"{x}-task"),
            community_id=community,
            grant_id=GrantId(f"{x}-grant"),
            why="forbidden",
            opened_at=AT,
            due_at=AT,
            remind_at=AT,
        ),
        UninvitedRow(resource_id=ResourceId(f"{x}-resource"), external_id=PlatformUserId("43"), community_id=community, seen_at=AT),
        RoundRow(id=RoundId(f"{x}-round"), community_id=community, started_at=AT, cause_id=CauseId("cause")),
        CauseRow(
            id=CauseId(f"{x}-cause"),
            kind=InboxKind.STRIPE,
            source="stripe:env",
            event_id=f"evt_{x}",
            type="invoice.paid",
            object_id="in_1",
            received_at=AT,
        ),
        inbox_row(x, handle=f'{{"token": "{SECRET}"}}'),
        outbox_row(x),
        CredentialRow(platform=PLATFORM, subject=f"{x}:42", purpose="join", secret=SECRET, expires_at=AT),
        LaneRow(lane=Lane(f"work:{x}"), epoch=1, taken_at=AT),
        StateRow(state_hash=x, browser_hash=x, platform=PLATFORM, purpose="join", subject=f"{x}-code", expires_at=AT),
        BrowserRow(browser_hash=x, platform=PLATFORM, user=PlatformUserId("42"), name="Ann", expires_at=AT),
    ]


def _books(x: str) -> list[SQLModel]:
    community, account = CommunityId(x), StripeAccountId(f"{x}-stripe")
    return [
        TipRow(
            id=TipId(f"{x}-tip"),
            community_id=community,
            member_id=MemberId(f"{x}-member"),
            space_id=SpaceId(f"{x}-space"),
            amount=500,
            currency="USD",
            stripe_account_id=account,
            checkout_session_id=f"cs_tip_{x}",
            created_at=AT,
            expires_at=AT,
        ),
        LedgerRow(
            id=f"{x}-posting",
            community_id=community,
            stripe_account_id=account,
            debit="processor",
            credit="income",
            amount=999,
            currency="USD",
            cause=f"payment:pi_{x}",
            at=AT,
        ),
        AuditRow(
            id=f"{x}-audit",
            community_id=community,
            at=AT,
            cause_id=CauseId("cause"),
            action="plan.archived",
            subject_kind="plan",
            subject_id=f"{x}-plan",
        ),
    ]


async def store(db: Database, rows: Sequence[SQLModel]) -> None:
    """Insert rows one after the other, in one transaction."""
    async with db.transaction() as session:
        for row in rows:
            await session.execute(table(type(row)).insert().values(row.model_dump()))
