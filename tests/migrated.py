"""A database brought up to date as the product does it."""

import asyncio

from storage import schema
from storage.engine import create_engines
from storage.vault import Vault


def migrated(url: str) -> None:
    """Bring a database up to date as the product does."""

    async def run() -> None:
        engines = create_engines(url, Vault(["the key that made the template"]))
        await schema.upgrade(engines)
        await engines.dispose()

    asyncio.run(run())
