"""The store's own secrets, made once and sealed with the keys of the settings."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bot import seals
from bot.db import insert_new
from bot.models.people import secrets


def open_store(db: Connection) -> None:
    """Make or read the lookup key. Raises SealError if LINKLINE_KEYS are not this store's."""
    new = insert_new(db, secrets).values(name="lookup", value=seals.new_key())
    db.execute(new.on_conflict_do_nothing())
    found = db.execute(select(secrets.c.value).where(secrets.c.name == "lookup")).scalar_one()
    # Sealed anew with the newest key, so that older ones can be dropped after a rotation.
    db.execute(update(secrets).where(secrets.c.name == "lookup").values(value=found))
    seals.keyring().use_lookup_key(found)
