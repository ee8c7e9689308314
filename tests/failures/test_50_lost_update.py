"""A user group that somebody else writes at the same moment: their write replaces ours, and we see it by looking back."""

import asyncio
from weakref import WeakValueDictionary

from adapters.slack.group_list import Group
from adapters.slack.user_groups import UserGroups
from core.errors import TransientError
from core.ids import PlatformUserId
from core.platform import Resource, ResourceKind
from tests.failures.scene import Scene, played

Users = frozenset[PlatformUserId]
ANN, BEN, RIVALS = PlatformUserId("U1"), PlatformUserId("U2"), PlatformUserId("U3")


class Contested(UserGroups):
    """A group whose every write is followed by one of somebody who had read the list before it."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[Resource, asyncio.Lock] = WeakValueDictionary()
        self.users: Users = frozenset({ANN})
        self.rival = True

    async def _read(self, resource: Resource) -> Group:
        assert resource.kind is ResourceKind.USER_GROUP
        return Group("S1", "Fans", self.users, off=False, ours_off=False)

    async def _update(self, resource: Resource, users: Users) -> None:  # noqa: ARG002 - there is one
        before, self.users = self.users, users
        if self.rival:
            self.users = before | {RIVALS}


@played
async def test_a_write_that_was_replaced_is_not_taken_for_done(scene: Scene) -> None:
    groups, fans = Contested(), Resource(scene.town.space, ResourceKind.USER_GROUP, "S1")

    lost = dict(await groups.apply(fans, frozenset({BEN}), frozenset()))
    groups.rival = False
    done = dict(await groups.apply(fans, frozenset({BEN}), frozenset()))

    assert isinstance(lost[BEN], TransientError)
    assert done == {BEN: None}
    assert groups.users == {ANN, BEN, RIVALS}
