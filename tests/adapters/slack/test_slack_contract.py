"""The contract on Slack, where a few things are otherwise: nothing sold carries powers, and no app can bring a stranger in."""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from core.errors import MemberUnreachable, PermissionMissing, Refusal
from core.platform import AdmissionOutcome, EventKind
from sandbox.clock import VirtualClock
from tests.adapters.contract import REDIRECT, PlatformContract
from tests.adapters.slack.emulated import Emulated


class TestSlack(PlatformContract):
    missing: ClassVar = "channel_missing"
    beyond: ClassVar = ("restricted_action", "remove people from #gold")
    forbidden: ClassVar = ("missing_scope", "groups:write")
    shut_out: ClassVar = "deactivated"

    @pytest.fixture
    async def world(self, clock: VirtualClock) -> AsyncIterator[Emulated]:
        async with Emulated(clock).connected() as emulated:
            yield emulated

    async def test_a_resource_that_became_dangerous_is_given_to_nobody_but_can_be_taken(self, world: Emulated) -> None:  # type: ignore[override]
        """An archived channel takes and loses nobody, so whoever is in it stays until it is back."""
        fan, late = world.insider("fan"), world.insider("late")
        await world.adapter.grant(world.resource, fan, reason="paid")
        await world.make_dangerous(world.resource)

        with pytest.raises(PermissionMissing, match="Unarchive"):
            await world.adapter.grant(world.resource, late, reason="paid")
        with pytest.raises(Refusal) as refusal:
            await world.adapter.check(world.resource)
        assert refusal.value.code == "is_archived"
        with pytest.raises(PermissionMissing, match="Unarchive"):
            await world.adapter.revoke(world.resource, fan, reason="ended")

    async def test_a_payer_who_signed_in_is_put_inside_once(self, world: Emulated) -> None:  # type: ignore[override]
        """Signing in proves who they are; they come in by the creator's link."""
        stranger = world.outsider("stranger")
        account = await world.adapter.exchange(await world.sign_in(stranger), REDIRECT)
        assert (account.user, account.realm, account.name.lower()) == (stranger, world.space.realm, "stranger")

        admitted = await world.adapter.admit(world.space, stranger, account.token, [world.resource], reason="paid")
        assert (admitted.outcome, admitted.invite_url) == (AdmissionOutcome.INVITED, "")

        assert await world.accept(stranger, admitted.invite_url)
        again = await world.adapter.admit(world.space, stranger, account.token, [world.resource], reason="paid")
        assert again.outcome is AdmissionOutcome.ALREADY_INSIDE

    @pytest.mark.parametrize("token", [None, "a token that is no good"])
    async def test_without_a_good_token_there_is_an_invite_for_one_person(self, world: Emulated, token: str | None) -> None:  # type: ignore[override]
        """There are no invites for one person: the creator's link lets in whoever has it, and lets nobody into a channel."""
        fan = world.outsider("fan")

        admitted = await world.adapter.admit(world.space, fan, token, [world.resource], reason="paid")

        assert (admitted.outcome, admitted.invite_url) == (AdmissionOutcome.INVITED, "")
        assert not world.inside(fan)
        assert await world.accept(fan, admitted.invite_url)
        assert world.held(fan) == frozenset()
        await world.inbound.event(EventKind.MEMBER_JOINED, fan)

    async def test_an_invite_is_no_help_to_someone_banned(self, world: Emulated) -> None:  # type: ignore[override]
        fan = world.insider("fan")
        world.ban(fan)

        with pytest.raises(MemberUnreachable, match=self.shut_out):
            await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
