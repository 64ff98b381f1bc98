"""A copy of the store, and the store out of a copy: backup, restore, ledger."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from alembic import command as alembic
from bot import archive, clock, ledgers, restoring, seals
from bot import backup as copies
from bot.app import list_channels
from bot.channels import Finds
from bot.cli.store import alembic_config, in_store
from bot.db import Database
from bot.media.vault import Vault
from bot.restoring import Live, Outcome, Plan, RestoreError
from bot.settings import Settings, read_settings
from bot.store import ledger as entries
from bot.tenancy import Occupied, Tenancy

SURE = "replace"


@click.command()
@click.argument("file", required=False)
def backup(file: str | None) -> None:
    """Write the store and its files into FILE (- is standard output), sealed with LINKLINE_KEYS.

    While Linkline runs. Without FILE it becomes linkline-DATE.backup in this folder.
    """
    settings = read_settings()
    now = clock.now()
    name = file or f"linkline-{now:%Y%m%d-%H%M%S}.backup"
    if name == "-" and sys.stdout.isatty():
        raise click.UsageError("a backup is no text: name a FILE, or send it on with a pipe")
    seals.use(seals.Keyring(settings.keys()))
    database = Database(settings.database_url)
    try:
        with _written(name) as target:
            newest = _script(settings).get_current_head() or ""
            size = copies.make(database, Vault.from_settings(settings), target, newest, now)
    finally:
        database.close()
    in_store(settings, lambda db: copies.note(db, now, size))
    click.echo(f"{name}: {size:,} bytes. It opens with LINKLINE_KEYS only.", err=True)


@contextmanager
def _written(name: str) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        handle, fresh = tempfile.mkstemp(dir=path.parent)
    except OSError as error:
        raise copies.BackupError(f"{name} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        raise copies.BackupError(f"{name} cannot be written: {error.strerror}") from None
    finally:
        Path(fresh).unlink(missing_ok=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--ledger",
    "more",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="a ledger that was kept apart; as often as you have one",
)
@click.option("--replace", is_flag=True, help="over a store that is not empty")
@click.option("--yes", is_flag=True, help="do not ask")
@click.option("--send-waiting", is_flag=True, help="also what was probably sent already")
@click.option("--old", is_flag=True, help="a backup older than 90 days")
def restore(
    file: Path, more: tuple[Path, ...], replace: bool, yes: bool, send_waiting: bool, old: bool
) -> None:
    """Bring the store of DATABASE_URL to what FILE holds. Stop web and worker first."""
    settings = read_settings()
    seals.use(seals.Keyring(settings.keys()))
    plan = _plan(settings, file, more, send_waiting)
    if plan.now - plan.head.moment > ledgers.BACKUPS_LAST and not old:
        raise RestoreError(
            "this backup is older than 90 days, so nobody knows who asked to be forgotten since: "
            "take a newer one, or say --old"
        )
    database = Database(settings.database_url)
    tenancy = Tenancy(database)
    try:
        tenancy.take()
        restoring.check(plan)
        live = restoring.look(database)
        _agree(live, replace, yes)
        outcome = restoring.restore(database, plan, live, _upgrade)
    except Occupied:
        raise RestoreError("Linkline is running on this store: stop web and worker first") from None
    finally:
        tenancy.give_back()
        database.close()
    _tell(plan, outcome)


def _plan(settings: Settings, file: Path, more: tuple[Path, ...], send_waiting: bool) -> Plan:
    with file.open("rb") as found:
        head, _line = archive.read_head(found)
    script = _script(settings)
    kept = settings.ledger_path
    return Plan(
        head=head,
        vault=Vault.from_settings(settings),
        open=lambda: file.open("rb"),
        revisions={each.revision for each in script.walk_revisions()},
        newest=script.get_current_head() or "",
        ledgers=(*more, *([kept] if kept and kept.exists() else [])),
        finds=tuple(each.lane for each in list_channels(settings) if isinstance(each, Finds)),
        send_waiting=send_waiting,
        now=clock.now(),
    )


def _agree(live: Live, replace: bool, yes: bool) -> None:
    if live.empty:
        return
    if not replace:
        raise RestoreError("this store is not empty: say --replace to lose what is in it")
    if not yes:
        click.echo("What is in this store now will be gone.", err=True)
        if click.prompt(f"Type {SURE} to go on", err=True, default="") != SURE:
            raise click.Abort


def _upgrade(database: Database, db: Connection | None, revision: str) -> None:
    config = alembic_config(database.url.render_as_string(hide_password=False))
    if db is not None:
        config.attributes["connection"] = db
    alembic.upgrade(config, revision)


def _script(settings: Settings) -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(settings.database_url))


def _tell(plan: Plan, outcome: Outcome) -> None:
    at = _shown(plan.head.moment)
    click.echo(f"Restored {outcome.rows:,} rows as they were at {at}.")
    if outcome.forgotten:
        click.echo(f"Forgotten again: {outcome.forgotten} members who had asked for it since.")
    if not plan.ledgers and not outcome.asked_again:
        click.echo("No ledger was there: who asked since to be forgotten is not known. See README.")
    waiting = outcome.waiting
    if waiting is not None:
        click.echo(
            f"Messages that waited then: {waiting.kept_back} not sent again, since they probably "
            f"were; {waiting.looked_up} looked up at the provider first; {waiting.later} sent "
            f"later; {waiting.cut_short} announcements and the like not carried on."
        )
    click.echo(
        f"What a restore cannot know: who left, said STOP, paused or changed something after {at}, "
        f"and what was asked and answered. Tell the facilitators."
    )
    click.echo(
        "Next: `linkline doctor`, then start; `linkline whatsapp reconcile` fetches the rest."
    )


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@click.command()
@click.argument("file", required=False)
def ledger(file: str | None) -> None:
    """Who was erased, sealed, by number: add it to FILE, or print it. Keep it apart."""
    settings = read_settings()

    def work(db: Connection) -> Any:
        found = entries.list_all(db)
        return found, [ledgers.to_line(each) for each in found]

    found, lines = in_store(settings, work)
    if file is None or file == "-":
        return click.echo("".join(f"{line}\n" for line in lines), nl=False)
    try:
        ledgers.keep(Path(file), found, clock.now())
    except OSError as error:
        raise ledgers.LedgerError(f"{file} cannot be written: {error.strerror}") from None
