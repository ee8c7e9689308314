"""What SQLAlchemy and Jinja learn once in a process instead of once an engine and once a server.

A statement is compiled for a dialect, and every engine brings a new one. A program has one engine for its whole life; these tests make
thousands, and would spend a third of their time compiling the same statements again. Here the engines of one kind that share a vault
share what was compiled too. What a statement is compiled to, and when two are the same, stays SQLAlchemy's own business.
The same for templates: Jinja keeps their code by file and by what is in it, as it would on disk.
"""

from collections.abc import MutableMapping
from functools import partialmethod
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.util import LRUCache

_compiled: LRUCache[Any, Any] = LRUCache(4096)
_memos: dict[tuple[object, ...], MutableMapping[Any, Any]] = {}


class _Warm(Dialect):
    """Equal to every other of its class whose vault has the same keys: types that encrypt are compiled with a vault in them."""

    def _kind(self) -> tuple[object, ...]:
        vault = getattr(self, "doorman_vault", None)
        return type(self), vault and vault._keys

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Warm) and self._kind() == other._kind()

    def __hash__(self) -> int:
        return hash(type(self))

    @property
    def _type_memos(self) -> MutableMapping[Any, Any]:  # type: ignore[override]  # there an attribute, made when first asked for
        return _memos.setdefault(self._kind(), WeakKeyDictionary())

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled)


class WarmSQLite(_Warm, SQLiteDialect_aiosqlite):
    """SQLite's dialect, warm."""

    supports_statement_cache = True


class WarmPostgreSQL(_Warm, PGDialectAsync_psycopg):
    """PostgreSQL's dialect, warm."""

    supports_statement_cache = True


class _PostgreSQL(PGDialect_psycopg):
    supports_statement_cache = True

    @classmethod
    def get_async_dialect_cls(cls, _url: URL) -> type[WarmPostgreSQL]:
        return WarmPostgreSQL


class _Templates(BytecodeCache):
    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


def keep_warm() -> None:
    """Let every engine and every template environment made from now on in this process share."""
    Environment.__init__ = partialmethod(Environment.__init__, bytecode_cache=_Templates())  # type: ignore[assignment,method-assign]
    registry.register("sqlite.aiosqlite", __name__, WarmSQLite.__name__)
    registry.register("postgresql.psycopg", __name__, _PostgreSQL.__name__)
