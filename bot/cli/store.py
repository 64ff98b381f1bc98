"""The store and what is loaded into it: migrate, load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import command as alembic
from bot import clock, library, programme, seals
from bot.app import list_channels
from bot.db import Database, store_errors
from bot.settings import ROOT, Settings, SettingsError, read_settings
from bot.store import secrets

T = TypeVar("T")

DEMO = ROOT / "docs" / "demo-programme.yaml"


@click.command()
def migrate() -> None:
    """Bring the store's tables up to date, and its library of tips and questions."""
    settings = read_settings()
    migrate_store(settings)
    load_library(settings)
    click.echo("The store is up to date.")


def migrate_store(settings: Settings) -> None:
    """Raises StoreDown, SettingsError."""
    try:
        with store_errors():
            alembic.upgrade(alembic_config(settings.database_url), "head")
    except OSError as error:
        raise SettingsError(f"DATABASE_URL: {error.strerror}; name a folder of your own") from None
    except CommandError:
        raise SettingsError("DATABASE_URL: this store belongs to a newer Linkline") from None


def alembic_config(database_url: str) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "alembic"))
    config.attributes["url"] = database_url
    return config


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Load a programme: its communities and their facilitators. Again = no change."""
    settings = read_settings()
    counts = load_programme(settings, file)
    load_library(settings)
    click.echo(
        f"Loaded {counts['communities']} communities, {counts['facilitators']} facilitators."
    )


def load_programme(settings: Settings, file: Path) -> dict[str, int]:
    """How much was loaded. Raises ProgrammeError."""
    found = programme.read(file)
    lanes = {each.name: each.lane for each in list_channels(settings)}
    if found.demo_members and not settings.development:
        raise programme.ProgrammeError(f"{file.name}: demo_members are for development only")
    return in_store(settings, lambda db: programme.load(db, found, lanes, clock.now()))


def load_library(settings: Settings) -> library.Taken:
    """Take in what the library of this version has. Raises LibraryError."""
    return in_store(settings, lambda db: library.load(db, clock.now()))


def in_store(settings: Settings, work: Callable[[Connection], T]) -> T:
    """One transaction on the store of the settings."""
    seals.use(seals.Keyring(settings.keys()))
    database = Database(settings.database_url)
    try:
        database.run_now(secrets.open_store)
        return database.run_now(work)
    finally:
        database.close()
