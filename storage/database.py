"""The only place that commits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import sqlalchemy.ext.asyncio
import sqlalchemy.orm
import sqlmodel.ext.asyncio.session
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from core.boundary import inside_transaction
from core.dispatch import Lane
from storage.engine import GLANCE, Engines

LANES = "doorman.lanes"
"""Key of ``session.info``: lanes to wake once the transaction is durable."""


class _Session(sqlmodel.Session):
    execute = sqlalchemy.orm.Session.execute


class Session(sqlmodel.ext.asyncio.session.AsyncSession):
    """SQLModel's session with SQLAlchemy's own ``execute``: SQLModel warns at each use of its own, which upserts and unions need."""

    sync_session_class = _Session
    execute = sqlalchemy.ext.asyncio.AsyncSession.execute


class Database:
    """Opens transactions and wakes the lanes that got work in them, after the commit and never before."""

    def __init__(self, engines: Engines, *, wake: Callable[[Lane], None] | None = None) -> None:
        self.engines = engines
        self._wake = wake
        self._writing = async_sessionmaker(engines.writer, class_=Session, expire_on_commit=False)
        self._reading = async_sessionmaker(engines.reader, class_=Session, expire_on_commit=False)
        self._glancing = async_sessionmaker(engines.reader.execution_options(**{GLANCE: True}), class_=Session, expire_on_commit=False)
        self._woken: dict[Lane, asyncio.Event] = {}
        self.before_commit: Callable[[], None] | None = None
        """Called right before each commit; crash tests abandon the process here."""

    @property
    def sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engines.writer.dialect.name == "sqlite"

    def woken(self, lane: Lane) -> asyncio.Event:
        """Return the event that is set whenever ``lane`` gets work, for whoever is draining it right now."""
        return self._woken.setdefault(lane, asyncio.Event())

    def on_wake(self, wake: Callable[[Lane], None]) -> None:
        """Say who is to be told of lanes with new work."""
        self._wake = wake

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Open a writing transaction; it commits when the block ends and rolls back when the block raises."""
        token = inside_transaction.set(True)
        try:
            async with self._writing() as session:
                await session.begin()
                yield session
                if self.before_commit is not None:
                    self.before_commit()
                await session.commit()
                lanes: set[Lane] = session.info.get(LANES, set())
        finally:
            inside_transaction.reset(token)
        for lane in sorted(lanes):
            self.woken(lane).set()
            if self._wake is not None:
                self._wake(lane)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """Open a snapshot to read from; what is changed in it is thrown away."""
        token = inside_transaction.set(True)
        try:
            async with self._reading() as session:
                yield session
        finally:
            inside_transaction.reset(token)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Session]:
        """Look something up without a snapshot: for one query, or for several that need not agree. Cheaper on SQLite."""
        token = inside_transaction.set(True)
        try:
            async with self._glancing() as session:
                yield session
        finally:
            inside_transaction.reset(token)

    async def ping(self) -> bool:
        """Return whether the database answers."""
        try:
            async with self.reading() as session:
                await session.connection()
        except (OperationalError, OSError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.engines.dispose()


def will_wake(session: AsyncSession, lane: Lane) -> None:
    """Note that ``lane`` has work once this transaction is durable."""
    session.info.setdefault(LANES, set()).add(lane)
