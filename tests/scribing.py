"""A worker that only writes voices down, to be killed: python -m tests.scribing ADDRESS SECONDS."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from bot import clock, seals
from bot.db import Database
from bot.media.vault import Vault
from bot.settings import read_settings
from bot.store import secrets
from bot.voice.endpoint import Endpoint
from bot.voice.engines import Engine
from bot.voice.scribe import Scribe
from tests.fakes.ears import KEY


def main(address: str, shift: float) -> None:
    clock.reset(timedelta(seconds=shift))
    settings = read_settings()
    seals.use(seals.Keyring(settings.keys()))
    database = Database(settings.database_url)
    database.run_now(secrets.open_store)
    engine = Engine(address=address)
    vault = Vault.from_settings(settings)
    hears = {"en": Endpoint(engine, KEY)}
    scribe = Scribe(database, {"en": engine}, hears, vault.get, lambda: None)
    asyncio.run(scribe.run())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
