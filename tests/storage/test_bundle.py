"""Out of one database and into another, and the same again."""

import json

from core.ids import CommunityId
from storage import bundle
from storage.database import Database
from storage.engine import create_engines
from storage.vault import Vault
from tests.storage.rows import SECRET, everything, store


async def exported(db: Database, community: str = "") -> list[str]:
    async with db.reading() as session:
        return [line async for line in bundle.dump(session, CommunityId(community) or None)]


async def test_a_bundle_goes_into_an_empty_database_and_comes_out_the_same(database: Database, sqlite_template: object, tmp_path: object, vault: Vault) -> None:
    import shutil
    await store(database, [*everything("a"), *everything("b")])
    lines = await exported(database)
    assert {json.loads(line)["table"] for line in lines[1:-1]} == {one.name for one in bundle.tables()}
    assert SECRET not in "".join(lines)
    shutil.copyfile(sqlite_template, tmp_path / "other.db")
    other = Database(create_engines(f"sqlite:///{tmp_path}/other.db", vault))
    async with other.transaction() as session:
        await bundle.load(session, lines)
    assert await exported(other) == lines
    await other.close()
