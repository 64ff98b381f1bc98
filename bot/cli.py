"""The command line: run, web, worker, migrate, load, invite, doctor.

Exit codes: 0 fine, 1 a failure, 2 wrong use.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import uvicorn
import uvloop
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import command as alembic
from bot import clock, doctor, logs, programme, seals
from bot.app import App, list_channels
from bot.channels.simulator import phones
from bot.db import Database, StoreDown, store_errors
from bot.i18n import render
from bot.invitation import invitation
from bot.qr import png
from bot.seals import SealError
from bot.settings import ROOT, Settings, SettingsError, read_settings
from bot.store import communities, invites, secrets
from bot.store.references import References
from bot.web import build

T = TypeVar("T")

DEMO = ROOT / "docs" / "demo-programme.yaml"
INVITE_LASTS = 30  # days
ROLES = ["member", "facilitator", "focal_point"]


def main() -> None:
    """Run a command; whatever goes wrong is one line that names the mend."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(1)
    except (SettingsError, programme.ProgrammeError) as error:
        _fail(str(error))
    except SealError as error:
        _fail(f"LINKLINE_KEYS do not fit this store: {error}. Put the store's own key back.")
    except StoreDown:
        _fail(
            "DATABASE_URL: the store does not answer, or has no tables. Start it, then run "
            "`linkline migrate`."
        )


def _fail(line: str) -> NoReturn:
    click.echo(f"linkline: {line}", err=True)
    sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Linkline: communities of practice on Telegram and WhatsApp."""


@cli.command()
def run() -> None:
    """Everything in one process; in development with the simulator and a demo programme."""
    settings = read_settings()
    logs.configure()
    _migrate(settings)
    if settings.development:
        _load(settings, DEMO)
    _serve(settings, work=True)


@cli.command()
def web() -> None:
    """Webhooks only; start as many as you like beside the workers."""
    settings = read_settings()
    logs.configure()
    _serve(settings, work=False)


@cli.command()
def worker() -> None:
    """Send, tick the clock, and poll where there is no public address."""
    settings = read_settings()
    logs.configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(App(settings)))


async def _work(app: App) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    app.start_sending()
    app.start_listening()
    click.echo("Linkline worker is at work. Stop it with Ctrl-C.")
    await stopped.wait()
    await app.stop()


def _serve(settings: Settings, *, work: bool) -> None:
    app = build(App(settings), work=work)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,
    )
    listening = _listen(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises them again after a clean stop
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_Server(config, settings).serve(sockets=[listening]))


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(
            f"HOST and PORT: cannot listen on {settings.host}:{settings.port} ({reason}); "
            f"choose another PORT, or stop what listens there"
        ) from None
    return listening


class _Server(uvicorn.Server):
    """uvicorn, saying in one line where it is once it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def shutdown(self, sockets: Any = None) -> None:
        phones().close()  # else the open pages of the simulator hold the server up
        await super().shutdown(sockets)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started and self.servers:
            port = self.servers[0].sockets[0].getsockname()[1]
            what = "Linkline with its simulator" if self._settings.development else "Linkline"
            click.echo(f"{what}: http://{self._settings.host}:{port}")
            sys.stdout.flush()


@cli.command()
def migrate() -> None:
    """Bring the store's tables up to date."""
    _migrate(read_settings())
    click.echo("The store is up to date.")


def _migrate(settings: Settings) -> None:
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


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Load a programme: its communities and their facilitators. Again = no change."""
    counts = _load(read_settings(), file)
    click.echo(
        f"Loaded {counts['communities']} communities, {counts['facilitators']} facilitators."
    )


def _load(settings: Settings, file: Path) -> dict[str, int]:
    found = programme.read(file)
    lanes = {each.name: each.lane for each in list_channels(settings)}
    if found.demo_members and not settings.development:
        raise programme.ProgrammeError(f"{file.name}: demo_members are for development only")
    return _in_store(settings, lambda db: programme.load(db, found, lanes, clock.now()))


@cli.command()
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

    code, found = _in_store(settings, work)
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
        click.echo("To send on:\n" + _in_store(settings, lambda db: _invitation(db, found, links)))


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

    if not _in_store(settings, work):
        raise click.UsageError(f"there is no such code for {slug}, or it has ended already")
    click.echo("Ended: nobody else comes in with this code.")


def _in_store(settings: Settings, work: Callable[[Connection], T]) -> T:
    """One transaction on the store of the settings."""
    seals.use(seals.Keyring(settings.keys()))
    database = Database(settings.database_url)
    try:
        database.run_now(secrets.open_store)
        return database.run_now(work)
    finally:
        database.close()


@cli.command(name="doctor")
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
