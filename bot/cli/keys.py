"""The keys of the store: keys rotate."""

from __future__ import annotations

import asyncio
import gc

import click

from bot import seals
from bot.db import Database
from bot.locks import LaneLock
from bot.media.vault import Vault
from bot.rotation import Rotation, RotationError
from bot.settings import read_settings
from bot.store import secrets

LOCK = "keys"  # one rotation at a time, whoever starts it


@click.group()
def keys() -> None:
    """The keys that seal the store."""


@keys.command()
def rotate() -> None:
    """Seal everything with the first key of LINKLINE_KEYS, and renew the lookup key.

    While Linkline runs. Stop it when you like: the same command goes on where it was.
    """
    settings = read_settings()
    seals.use(seals.Keyring(settings.keys()))
    database = Database(settings.database_url)
    lock = LaneLock(database, LOCK)
    try:
        database.run_now(secrets.open_store)
        if not asyncio.run(lock.acquire()):
            raise RotationError("another `linkline keys rotate` is at work on this store")
        gc.freeze()  # collecting all that was imported takes longer than a batch may
        Rotation(database, Vault.from_settings(settings), click.echo).run()
        click.echo(_done(len(settings.keys())))
    except KeyboardInterrupt:
        raise RotationError("stopped; run the same command again, it goes on from here") from None
    finally:
        asyncio.run(lock.release())
        database.close()


def _done(count: int) -> str:
    if count == 1:
        return "Everything is sealed with the only key of LINKLINE_KEYS."
    return (
        "Everything is sealed with the first key of LINKLINE_KEYS: take the others out and restart "
        "all processes. Keep them with the backups they belong to."
    )
