"""Codes that let people in: invite."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy import Connection

from bot import clock, doctor
from bot.cli.store import in_store
from bot.i18n import render
from bot.invitation import invitation
from bot.qr import png
from bot.roles import ROLES
from bot.settings import Settings, read_settings
from bot.store import communities, invites
from bot.store.references import References

INVITE_LASTS = 30  # days


@click.command()
@click.argument("community")
@click.option("--role", type=click.Choice(ROLES), default="member")
@click.option("--uses", type=click.IntRange(1, 1000), default=None, help="members 30, others 1")
@click.option("--days", type=click.IntRange(1, 366), default=INVITE_LASTS, show_default=True)
@click.option("--qr", type=click.Path(path_type=Path), help="a folder for the QR pictures")
@click.option("--end", metavar="CODE", help="end this code; nobody else comes in with it")
@click.option("--json", "as_json", is_flag=True, help="for scripts")
def invite(
    community: str,
    role: str,
    uses: int | None,
    days: int,
    qr: Path | None,
    end: str | None,
    as_json: bool,
) -> None:
    """Make an invite code for COMMUNITY, with links, QR pictures and words to send on."""
    settings = read_settings()
    if end is not None:
        return _end_invite(settings, community, end)
    uses = uses or (30 if role == "member" else 1)
    if qr is not None:
        _make_folder(qr)

    def work(db: Connection) -> tuple[str, communities.Community]:
        found = _community(db, community)
        return invites.add(db, found.id, role, uses, timedelta(days=days), clock.now()), found

    code, found = in_store(settings, work)
    links = asyncio.run(doctor.invite_links(settings, code))
    if qr is not None:
        _save_pictures(qr, links)
    if as_json:
        made = {"code": code, "role": role, "uses": uses, "days": days, **links}
        return click.echo(json.dumps(made))
    click.echo(f"Code: {code} ({role}, {uses} uses, {days} days)")
    for name, link in links.items():
        click.echo(f"{name}: {link}")
    if role == "member":
        click.echo("To send on:\n" + in_store(settings, lambda db: _invitation(db, found, links)))


def _community(db: Connection, slug: str) -> communities.Community:
    found = communities.find(db, slug)
    if found is None:
        known = ", ".join(communities.list_slugs(db)) or "none; load a programme first"
        raise click.UsageError(f"there is no community {slug}; there are: {known}")
    return found


def _invitation(db: Connection, community: communities.Community, links: Mapping[str, str]) -> str:
    said = invitation(community.ref, links.values(), discreet=community.discreet)
    lookup = References(db, [community.ref])
    return "\n\n".join(render(text, "en", lookup) for text in said)


def _make_folder(folder: Path) -> None:
    """Before there is a code that nobody would see."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--qr {folder}: {error.strerror}; name a folder") from None
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"--qr {folder}: nothing can be written there")


def _save_pictures(folder: Path, links: Mapping[str, str]) -> None:
    for name, link in links.items():
        (folder / f"{name}.png").write_bytes(png(link))


def _end_invite(settings: Settings, slug: str, code: str) -> None:
    def work(db: Connection) -> bool:
        given = invites.find(db, invites.find_code(code) or code, clock.now())
        mine = given is not None and given.community_id == _community(db, slug).id
        return mine and given is not None and invites.end(db, given.id, clock.now())

    if not in_store(settings, work):
        raise click.UsageError(f"there is no such code for {slug}, or it has ended already")
    click.echo("Ended: nobody else comes in with this code.")
