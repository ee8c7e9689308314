"""What the pages are given, once, when the app is built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from core.clock import Clock
from core.credentials import Credentials
from core.ids import Ids, PlatformName
from core.platform import Inbound, PlatformAdapter
from storage.database import Database
from web.limits import Buckets
from web.metrics import Counters
from web.ports import Checkouts, Gifts, Installs, Invites, Linking, Statuses, Tips, Waitlist, Webhooks
from web.static import Assets


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the pages call. ``public_url`` is how the world reaches us; ``ready`` names what must be true to serve."""

    public_url: str
    adapters: Mapping[PlatformName, PlatformAdapter]
    invites: Invites
    checkouts: Checkouts
    statuses: Statuses
    tips: Tips
    installs: Installs
    linking: Linking
    gifts: Gifts
    waitlist: Waitlist
    webhooks: Webhooks
    database: Database
    clock: Clock
    ids: Ids
    credentials: Credentials
    inbound: Inbound
    ready: Callable[[], Mapping[str, bool]]


PUBLIC_URL: Final = web.AppKey[str]("PUBLIC_URL")
ADAPTERS: Final = web.AppKey[Mapping[PlatformName, PlatformAdapter]]("ADAPTERS")
INVITES: Final = web.AppKey[Invites]("INVITES")
CHECKOUTS: Final = web.AppKey[Checkouts]("CHECKOUTS")
STATUSES: Final = web.AppKey[Statuses]("STATUSES")
TIPS: Final = web.AppKey[Tips]("TIPS")
INSTALLS: Final = web.AppKey[Installs]("INSTALLS")
LINKING: Final = web.AppKey[Linking]("LINKING")
GIFTS: Final = web.AppKey[Gifts]("GIFTS")
WAITLIST: Final = web.AppKey[Waitlist]("WAITLIST")
WEBHOOKS: Final = web.AppKey[Webhooks]("WEBHOOKS")
DATABASE: Final = web.AppKey[Database]("DATABASE")
CLOCK: Final = web.AppKey[Clock]("CLOCK")
IDS: Final = web.AppKey[Ids]("IDS")
CREDENTIALS: Final = web.AppKey[Credentials]("CREDENTIALS")
INBOUND: Final = web.AppKey[Inbound]("INBOUND")
READY: Final = web.AppKey[Callable[[], Mapping[str, bool]]]("READY")
BUCKETS: Final = web.AppKey[Buckets]("BUCKETS")
COUNTERS: Final = web.AppKey[Counters]("COUNTERS")
ASSETS: Final = web.AppKey[Assets]("ASSETS")


def provide(app: web.Application, services: Services) -> None:
    """Put every service under its key."""
    app[PUBLIC_URL] = services.public_url.rstrip("/")
    app[ADAPTERS] = services.adapters
    app[INVITES] = services.invites
    app[CHECKOUTS] = services.checkouts
    app[STATUSES] = services.statuses
    app[TIPS] = services.tips
    app[INSTALLS] = services.installs
    app[LINKING] = services.linking
    app[GIFTS] = services.gifts
    app[WAITLIST] = services.waitlist
    app[WEBHOOKS] = services.webhooks
    app[DATABASE] = services.database
    app[CLOCK] = services.clock
    app[IDS] = services.ids
    app[CREDENTIALS] = services.credentials
    app[INBOUND] = services.inbound
    app[READY] = services.ready
    app[BUCKETS] = Buckets(services.clock)
    app[COUNTERS] = Counters()
    app[ASSETS] = Assets.load()
