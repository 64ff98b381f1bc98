"""The audit: who did what to whom among those with a role; numbers, no names."""

from __future__ import annotations

from datetime import timedelta

import click

from bot import clock
from bot.cli.store import in_store
from bot.settings import read_settings
from bot.store import audit as lines
from bot.store.audit import Line

HEAD = "when (UTC)\twho\twhat\twhere\twhom"


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True)
@click.option("--community", help="only of this one")
def audit(days: int, community: str | None) -> None:
    """Who did what to whom among those with a role: tab-separated, oldest first.

    A member is her number in this store, as in no other place.
    """
    now = clock.now()
    found = in_store(
        read_settings(), lambda db: lines.list_lines(db, now - timedelta(days=days), community)
    )
    click.echo(HEAD)
    for each in found:
        click.echo(_line(each))


def _line(each: Line) -> str:
    who = "operator or clock" if each.actor_id is None else f"member {each.actor_id}"
    whom = "" if each.subject_id is None else str(each.subject_id)
    at = f"{each.at:%Y-%m-%d %H:%M}"
    return "\t".join((at, who, each.action, each.community or "", whom))
