"""The doctor: is everything in order, and what to paste where at both providers."""

from __future__ import annotations

import os
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot import disks, seals
from bot.app import list_channels
from bot.channels import Checks, Invites
from bot.db import Database, StoreDown
from bot.i18n import catalogue, languages
from bot.media import cleaning
from bot.media.vault import ShelfDown, Vault, new_name
from bot.seals import SealError
from bot.settings import Settings
from bot.store import communities, keyed, media, sealed, secrets

Check = tuple[bool, str]


async def check(settings: Settings, alembic: Config) -> list[Check]:
    """(fine, what) for settings, store, migrations, catalogues and providers."""
    found: list[Check] = [(True, f"settings: {settings.linkline_env}")]
    found += _store(settings, alembic)
    found += [*_vault(settings), await _cleaning()]
    found += [_catalogue(language) for language in languages() if language != "en"]
    for channel in list_channels(settings):
        if isinstance(channel, Checks):
            found.append(await channel.check())
        await channel.close()
    return found


def paste(settings: Settings) -> list[str]:
    """What to paste where; nothing secret."""
    found = [each for each in list_channels(settings) if isinstance(each, Checks)]
    if not found:
        return ["No provider is set up yet: see .env.example for Telegram and for WhatsApp."]
    return [line for channel in found for line in channel.paste()]


def _store(settings: Settings, alembic: Config) -> list[Check]:
    database = Database(settings.database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        behind = database.run_now(lambda db: _behind(db, alembic))
        if behind:
            return [(False, f"store: {kind}; tables are not up to date, run `linkline migrate`")]
        seals.use(seals.Keyring(settings.keys()))
        database.run_now(secrets.open_store)
        slugs = database.run_now(communities.list_slugs)
        with database.engine.connect() as db:  # reading it all holds nobody up
            keys = [_keys(db), *_lookup_keys(db)]
            files = _files(db)
    except StoreDown:
        return [(False, f"store: {kind} does not answer; check DATABASE_URL and start it")]
    except SealError:
        return [(False, "LINKLINE_KEYS are not the keys of this store; put the right ones back")]
    finally:
        database.close()
    loaded = ", ".join(slugs) or "no community yet; run `linkline load FILE.yaml`"
    return [
        (True, f"store: {kind}, up to date"),
        *keys,
        files,
        (bool(slugs), f"communities: {loaded}"),
    ]


def _behind(db: Connection, alembic: Config) -> bool:
    current = MigrationContext.configure(db).get_current_revision()
    return current != ScriptDirectory.from_config(alembic).get_current_head()


def _files(db: Connection) -> Check:
    """What came as voices, pictures and files, and how far it is."""
    counts = media.count_by_state(db)
    told = ", ".join(f"{counts[state]} {state}" for state in sorted(counts))
    return True, f"files: {told or 'none yet'}"


def _keys(db: Connection) -> Check:
    """Which of LINKLINE_KEYS are needed: how much each of them has sealed."""
    ring, newest, older, foreign = seals.keyring(), 0, 0, 0
    for head, count in sealed.count_by_head(db).items():
        if head == ring.head:
            newest += count
        elif head[1:] in ring.key_ids:
            older += count
        else:
            foreign += count
    if foreign:
        return False, (
            f"keys: {foreign} values are sealed with a key that is not in LINKLINE_KEYS; "
            f"put it back behind the others"
        )
    if older:
        return True, (
            f"keys: {older} of {newest + older} values are sealed with an older key or unpadded; "
            f"run `linkline keys rotate`"
        )
    if len(ring.key_ids) > 1:
        return True, "keys: the first of LINKLINE_KEYS has sealed everything; take the others out"
    return True, "keys: everything is sealed with the key of LINKLINE_KEYS"


def _lookup_keys(db: Connection) -> list[Check]:
    rotating = secrets.get_rotating(db)
    if not rotating.renewed or rotating.next is not None:
        return [(True, "lookup key: half rotated; run `linkline keys rotate` again")]
    if not rotating.old or rotating.switched_at is None:
        return []
    until = rotating.switched_at + keyed.EDITED
    waiting = keyed.count_unnamed(db)
    more = f"; {waiting} addresses are found by it until they write again" if waiting else ""
    return [(True, f"lookup key: the older one is kept until {until:%Y-%m-%d}{more}")]


def _vault(settings: Settings) -> list[Check]:
    """Can it be written and read, does it stay, is everything in it sealed with the newest key."""
    seals.use(seals.Keyring(settings.keys()))
    path = settings.media_path
    try:
        vault = Vault.from_settings(settings)
        vault.try_out(new_name())
        older = len(vault.list_older()) if len(settings.keys()) > 1 else 0
    except ShelfDown as error:
        return [(False, f"files: {error}")]
    found = [(True, f"files: {'a bucket' if path is None else 'a folder'}, written and read")]
    if path is not None:
        found += _folder(settings, path)
    if older:
        found += [
            (True, f"files: {older} are sealed with an older key; run `linkline keys rotate`")
        ]
    return found


def _folder(settings: Settings, path: Path) -> list[Check]:
    if settings.development or settings.linkline_disk == "kept":
        return []
    why = disks.find_loss(path, os.environ, disks.read_mounts())
    if why is not None:
        line = f"files: the folder would be lost with the next restart ({why}); set MEDIA_URL"
        return [(False, f"{line} to a disk that is kept or to s3://, or say LINKLINE_DISK=kept")]
    if settings.database_path is None:
        return [(True, "files: on this machine only; several machines need MEDIA_URL=s3://")]
    return []


async def _cleaning() -> Check:
    try:
        locked = await cleaning.is_locked()
    except (cleaning.TryAgain, cleaning.Unfit):
        return False, "files: nothing can be cleaned here; is there memory for another process?"
    by = "the kernel" if locked else "Python alone: this system knows no seccomp"
    return True, f"files: cleaned in a process that is locked in by {by}"


def _catalogue(language: str) -> Check:
    translated = catalogue(language).gettext("Help") != "Help"
    return translated, f"catalogue {language}: {'read' if translated else 'missing or empty'}"


async def invite_links(settings: Settings, code: str) -> dict[str, str]:
    """A link for each app that is set up."""
    links = {}
    for channel in list_channels(settings):
        link = await channel.invite_link(code) if isinstance(channel, Invites) else None
        if link is not None:
            links[channel.name] = link
        await channel.close()
    return links
