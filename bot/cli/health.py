"""Is everything in order: doctor."""

from __future__ import annotations

import asyncio
import sys

import click

from bot import doctor, seals
from bot.cli.store import alembic_config
from bot.settings import read_settings


@click.command(name="doctor")
@click.option("--new-key", is_flag=True, help="print a fresh key for LINKLINE_KEYS")
def doctor_command(new_key: bool) -> None:
    """Check settings, store, migrations and catalogues; say what to paste where."""
    if new_key:
        return click.echo(seals.new_key())
    settings = read_settings()
    checks = asyncio.run(doctor.check(settings, alembic_config(settings.database_url)))
    for fine, line in checks:
        click.echo(f"{'ok  ' if fine else 'FAIL'}  {line}")
    for line in doctor.paste(settings):
        click.echo(line)
    if not all(fine for fine, _line in checks):
        sys.exit(1)
