"""Column types that keep what SQLite forgets: time zones and secrecy; and the shapes of scoped keys."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnClause, DateTime, Dialect, ForeignKeyConstraint, Text, TypeDecorator, UniqueConstraint, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from storage.vault import Vault

SQLModel.metadata.naming_convention = {  # a migration can only change what has a name, and the same one on both databases
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
Json = JSON().with_variant(JSONB(), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused. SQLite alone would give it back naive."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encrypted(TypeDecorator[str]):
    """Text encrypted at rest for its ``place`` (``table.column``), by the vault the engine was built with."""

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).encrypt(self.place, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _vault(dialect).decrypt(self.place, value)


def bind_vault(dialect: Dialect, vault: Vault) -> None:
    """Give an engine's dialect its vault: two databases in one process keep their own keys."""
    dialect.doorman_vault = vault  # type: ignore[attr-defined]


def _vault(dialect: Dialect) -> Vault:
    vault: Vault = dialect.doorman_vault  # type: ignore[attr-defined]
    return vault


def inline(value: StrEnum) -> ColumnClause[str]:
    """Write a constant into the statement itself: SQLite uses a partial index only where it can read that its predicate holds."""
    return literal_column(f"'{value}'", Text())


def owned(table: str) -> UniqueConstraint:
    """Let other tables refer to ``(community_id, id)``, so that the database itself refuses a link across communities."""
    return UniqueConstraint("community_id", "id", name=f"uq_{table}_community_id_id")


def scoped(table: str, column: str, target: str) -> ForeignKeyConstraint:
    """Refer from ``table.column`` to ``target.id`` of the same community."""
    return ForeignKeyConstraint(["community_id", column], [f"{target}.community_id", f"{target}.id"], name=f"fk_{table}_{column}")
