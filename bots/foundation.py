"""What everything else stands on: the clock, the database, the processor's gateways and the adapters, each opened once."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypedDict

from billing.gateways import Gateways
from billing.stripe.accounts import GatewayPool
from bots.clock import FollowedClock
from bots.settings import BadSettings, Configuration
from core.causality import Origin, new_cause
from core.clock import Clock, SystemClock
from core.ids import Ids, PlatformName, RandomIds
from core.platform import PlatformAdapter
from membership.restraint import Restraint
from storage import retrying, schema, stripe_accounts, webhook_endpoints
from storage.audit import Trail
from storage.credentials import CredentialStore
from storage.database import Database
from storage.engine import create_engines, missing, obstacle
from storage.vault import Vault


class Tools(TypedDict):
    """What every use case takes."""

    db: Database
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Foundation:
    """The parts every use case is built from."""

    configuration: Configuration
    clock: Clock
    ids: Ids
    rng: random.Random
    db: Database
    gateways: Gateways
    credentials: CredentialStore
    adapters: Mapping[PlatformName, PlatformAdapter]
    restraint: Restraint = field(default_factory=Restraint)

    def tools(self) -> Tools:
        """Return what every use case takes, as keywords."""
        return {"db": self.db, "clock": self.clock, "ids": self.ids}


@asynccontextmanager
async def open_database(configuration: Configuration) -> AsyncIterator[Database]:
    """Open the database in the settings; nothing is read or changed yet. Raises BadSettings for a file that cannot be written."""
    settings = configuration.settings
    if found := obstacle(settings.database_url.get_secret_value()):
        raise BadSettings([found])
    vault = Vault([key.get_secret_value() for key in settings.secret_key])
    db = Database(create_engines(settings.database_url.get_secret_value(), vault))
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def lay_foundation(
    configuration: Configuration,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    rng: random.Random | None = None,
    touch: bool = True,
    grants_only: bool = False,
) -> AsyncIterator[Foundation]:
    """Open everything, bring the database up to date and make sure of its first rows; leaving closes all in reverse.

    Without ``touch`` the database is left as it is, for whoever only wants to look. With ``grants_only`` nothing is taken from anybody
    until everything was compared once.
    Raises storage.schema.SchemaError when the database is of another version, TransientError when a sandbox's clock is away.
    """
    settings = configuration.settings
    async with AsyncExitStack() as stack:
        if clock is None:
            clock = await stack.enter_async_context(FollowedClock(settings.clock_url)) if settings.clock_url else SystemClock()
        ids = ids or RandomIds()
        db = await stack.enter_async_context(open_database(configuration))
        if touch:
            await prepare(db, clock, ids, migrate=settings.auto_migrate)
        pool = await stack.enter_async_context(GatewayPool(clock, api_url=settings.stripe_api_url))
        keys = [key.get_secret_value() for key in settings.stripe_api_key]
        credentials = CredentialStore(db, clock)
        adapters = {}
        for name, chosen in configuration.platforms.items():
            adapters[name] = chosen.platform.build(chosen.settings, clock=clock, ids=ids, credentials=credentials)
            stack.push_async_callback(adapters[name].close)
        yield Foundation(
            configuration=configuration,
            clock=clock,
            ids=ids,
            rng=rng or random.Random(ids.secret()),  # noqa: S311 - spreads retries, keeps no secret
            db=db,
            gateways=Gateways(db=db, pool=pool, environment_keys=keys),
            credentials=credentials,
            adapters=adapters,
            restraint=Restraint(held=grants_only),
        )


@asynccontextmanager
async def stand_on(configuration: Configuration, *, clock: Clock | None = None, touch: bool = True) -> AsyncIterator[Foundation]:
    """Lay the foundation for one job of the command line, on a database that is at this program's schema.

    Without ``touch`` not even the schema is: SchemaError when it is not up to date, or not there.
    """
    absent = "" if touch else missing(configuration.settings.database_url.get_secret_value())
    if absent:
        raise schema.SchemaError(absent)
    async with lay_foundation(configuration, clock=clock, touch=touch) as base:
        if not await schema.head(base.db.engines):
            raise schema.SchemaError("the database is not up to date; run: doorman migrate")
        yield base


async def prepare(db: Database, clock: Clock, ids: Ids, *, migrate: bool) -> None:
    """Bring the schema up to date, or refuse one that is not, and make sure of the first rows."""
    if migrate:
        await schema.upgrade(db.engines)
    elif not await schema.head(db.engines):
        raise schema.SchemaError("the database is not up to date; run: doorman migrate")
    await prepare_rows(db, clock)
    async with db.transaction() as session:
        await retrying.revive(session, Trail(ids, clock.now(), new_cause(ids, Origin.START)))


async def prepare_rows(db: Database, clock: Clock) -> None:
    """Make sure of the environment's account and endpoint, row one of each."""
    async with db.transaction() as session:
        await stripe_accounts.ensure_environment(session, clock.now())
        await session.flush()
        await webhook_endpoints.ensure_environment(session, clock.now())
