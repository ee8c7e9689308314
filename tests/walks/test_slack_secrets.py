"""No secret in the database, nor (as the canary over every test sees) in any log line, over a journey that touches every kind there is."""

import re
from pathlib import Path

from sqlalchemy import text

from sandbox.mark import MARK
from tests.canary import Canary
from tests.walks.club import Club, found_workspace
from tests.walks.shop import open_shop
from tests.walks.stage import Stage, open_stage

AT_REST = re.compile(rb"xox[a-z]-|xapp-|(?<![\w-])[sr]k_(?:test|live)_|whsec_|%s" % MARK.encode())


async def journey(stage: Stage) -> None:
    """Sell on Discord, attach a workspace, link with a code, sign in with Slack, pay, refuse a token, lose the app and have it again."""
    shop = await open_shop(stage, "Gold")
    link = await shop.sells()
    club = Club(stage, *found_workspace(stage.town))
    attach = await shop.command("doorman setup", attach=True)
    await club.installs(attach.button("Add Slack")["url"])
    club.creator.add_app(club.gold)
    await club.command("plan add Gold #gold")
    ben, here, sol = shop.fan("ben"), club.fan("ben"), club.fan("sol")
    await shop.buys(ben, link)
    code = re.search(r"/claim code:([\w-]+)", (await ben.command(shop.server, "link")).words)
    assert code is not None
    await club.command(f"claim {code[1]}", by=here)
    await club.buys(sol, link)
    assert here.reads(club.gold)
    assert sol.reads(club.gold)
    stage.town.slack.refuse("conversations.kick", "invalid_auth")
    await shop.cancels(ben)
    async with stage.town.slack.outage():
        await stage.advance(days=32)
    await stage.advance(hours=2)
    club.creator.uninstall(club.workspace)
    await stage.settled()
    await club.installs()


async def test_no_row_holds_a_secret_and_every_logger_is_heard(
    canary: Canary, walk_database: str, folder_in_memory: Path, record: Path | None
) -> None:
    async with open_stage(walk_database, record=record) as stage:
        await journey(stage)
        rows = await dump(stage)
    assert canary.seen > 1_000, "every logger speaks"
    assert canary.caught, "some of what they say does hold secrets before it is masked"
    found = AT_REST.search(rows)
    assert found is None, rows[max(0, found.start() - 300) : found.end() + 100]
    files = stored(folder_in_memory)
    assert bool(files) is walk_database.startswith("sqlite")
    assert [name for name, data in files.items() if AT_REST.search(data)] == []


def stored(folder: Path) -> dict[str, bytes]:
    """Return the bytes of the SQLite database, and of its log if there is one, by file."""
    return {file.name: file.read_bytes() for file in folder.glob("doorman.db*")}


async def dump(stage: Stage) -> bytes:
    """Return every column of every row as the database has it."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if stage.database_url.startswith("postgresql"):
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    lines: list[str] = []
    async with stage.doorman.base.db.reading() as session:
        for name in list((await session.execute(text(names))).scalars()):
            lines += map(repr, (await session.execute(text(f'SELECT * FROM "{name}"'))).all())  # noqa: S608 - the schema's own names
    assert len(lines) > 50
    return "\n".join(lines).encode()
