"""Secrets at rest."""

from pathlib import Path

import pytest
from sqlalchemy import text

from storage.credentials import CredentialRow
from storage.database import Database
from storage.engine import create_engines
from storage.inbox import InboxRow
from storage.stripe_accounts import StripeAccountRow
from storage.tables import metadata
from storage.types import Encrypted
from storage.vault import UndecryptableError, Vault
from storage.webhook_endpoints import WebhookEndpointRow
from tests.storage.rows import PLATFORM, SECRET, everything, store

OLD, NEW = "an old key, long enough to be one....", "a new key, long enough to be one...."
HOLDERS = {"stripe_accounts.key", "webhook_endpoints.secrets", "inbox.handle", "credentials.secret"}


def test_the_columns_that_hold_secrets_are_encrypted_each_for_itself() -> None:
    encrypted = {
        f"{table.name}.{column.name}": column.type.place
        for table in metadata().tables.values()
        for column in table.columns
        if isinstance(column.type, Encrypted)
    }
    assert encrypted == {place: place for place in HOLDERS}


async def test_secrets_come_back_and_are_nowhere_in_the_database(database: Database) -> None:
    await store(database, everything("a"))
    async with database.reading() as session:
        assert (await session.get_one(StripeAccountRow, "a-stripe")).key == SECRET
        assert SECRET in ((await session.get_one(WebhookEndpointRow, "a-endpoint")).secrets or "")
        assert SECRET in ((await session.get_one(InboxRow, "a-inbox")).handle or "")
        assert (await session.get_one(CredentialRow, (PLATFORM, "a:42", "join"))).secret == SECRET
    dump = await dumped(database)
    assert "a-endpoint" in dump
    assert SECRET not in dump


async def test_no_file_of_an_sqlite_database_holds_a_secret(sqlite_database: Database) -> None:
    await store(sqlite_database, everything("a"))
    files = list(Path(sqlite_database.engines.writer.url.database or "").parent.glob("doorman.db*"))
    content = b"".join(file.read_bytes() for file in files)
    assert b"a-endpoint" in content
    assert SECRET.encode() not in content


async def test_a_secret_that_was_moved_to_another_column_does_not_open(database: Database) -> None:
    await store(database, everything("a"))
    async with database.transaction() as session:
        await session.execute(text("UPDATE webhook_endpoints SET secrets = (SELECT key FROM stripe_accounts)"))
    async with database.reading() as session:
        with pytest.raises(UndecryptableError, match=r"webhook_endpoints\.secrets.*SECRET_KEY"):
            await session.get(WebhookEndpointRow, "a-endpoint")


async def test_a_database_opens_after_its_key_was_rolled(sqlite_url: str) -> None:
    before = Database(create_engines(sqlite_url, Vault([OLD])))
    await store(before, everything("a"))
    await before.close()
    rolled = Database(create_engines(sqlite_url, Vault([NEW, OLD])))
    async with rolled.reading() as session:
        assert (await session.get_one(StripeAccountRow, "a-stripe")).key == SECRET
    await rolled.close()


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    old, new, both = Vault([OLD]), Vault([NEW]), Vault([NEW, OLD])
    assert both.decrypt("t.c", old.encrypt("t.c", SECRET)) == SECRET
    assert new.decrypt("t.c", both.encrypt("t.c", SECRET)) == SECRET
    with pytest.raises(UndecryptableError):
        old.decrypt("t.c", both.encrypt("t.c", SECRET))


def test_a_secret_opens_in_its_own_place_only() -> None:
    vault = Vault([NEW])
    with pytest.raises(UndecryptableError, match=r"t\.other"):
        vault.decrypt("t.other", vault.encrypt("t.c", SECRET))


def test_the_same_secret_looks_different_each_time() -> None:
    vault = Vault([NEW])
    assert vault.encrypt("t.c", SECRET) != vault.encrypt("t.c", SECRET)


def test_a_vault_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Vault([])


async def dumped(db: Database) -> str:
    """Every stored value, as the database shows it to whoever looks in by hand."""
    async with db.reading() as session:
        rows = [row for name in metadata().tables for row in await session.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608
    return "\n".join(map(str, rows))
