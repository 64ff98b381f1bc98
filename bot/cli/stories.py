"""Stories of change: stories export."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sqlalchemy import Connection

from bot import clock
from bot.cli.store import in_store
from bot.settings import read_settings
from bot.store import communities
from bot.store.consents import PROGRAMME, USES
from bot.stories import exporting


@click.group()
def stories() -> None:
    """Stories of change."""


@stories.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--use", type=click.Choice(USES), default=PROGRAMME, help="what they are for")
@click.option("--community", metavar="SLUG", help="only those of one group")
@click.option("--replace", is_flag=True, help="over a file that is there")
def export_stories(file: Path, use: str, community: str | None, replace: bool) -> None:
    """Write FILE (.xlsx): stories whose tellers agreed to this use, and numbers to take out.

    Recordings and pictures are not in it. Which stories it has is remembered.
    """
    if file.suffix.lower() != ".xlsx":
        raise click.UsageError(f"{file.name}: name a file that ends with .xlsx")
    if file.exists() and not replace:
        raise click.UsageError(f"{file} is there already: name another file, or say --replace")

    def work(db: Connection) -> bytes:
        return exporting.export(db, None, use, _places(db, community), clock.now())[1]

    _write(file, in_store(read_settings(), work))
    click.echo(f"{file} is written. Recordings and pictures are not in it.")


def _places(db: Connection, slug: str | None) -> list[int] | None:
    if slug is None:
        return None
    found = communities.find(db, slug)
    if found is None:
        known = ", ".join(communities.list_slugs(db)) or "none; load a programme first"
        raise click.UsageError(f"there is no community {slug}; there are: {known}")
    return [found.id]


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        os.replace(fresh, file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise click.UsageError(f"{file}: {error.strerror}; name a folder of your own") from None
