"""The command line: `linkline COMMAND`. Each file beside this one holds a room of commands.

Exit codes: 0 fine, 1 a failure, 2 wrong use.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import NoReturn

import click

from bot import programme
from bot.archive import ArchiveError
from bot.backup import BackupError
from bot.catalogues import CatalogueError
from bot.cli.store import DEMO, alembic_config
from bot.db import StoreDown
from bot.ledgers import LedgerError
from bot.library import LibraryError
from bot.media.vault import ShelfDown
from bot.restoring import RestoreError
from bot.rotation import RotationError
from bot.seals import SealError
from bot.settings import SettingsError, read_settings
from bot.sheets import SheetError
from bot.tree.lettering import Unshaped

__all__ = ["DEMO", "alembic_config", "cli", "main", "read_settings"]


# Their text is one line that names the mend.
FAILURES = (
    ArchiveError,
    BackupError,
    CatalogueError,
    LedgerError,
    LibraryError,
    RestoreError,
    RotationError,
    SettingsError,
    SheetError,
    ShelfDown,
    Unshaped,
    programme.ProgrammeError,
)


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
    except FAILURES as error:
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


def _commands(module: ModuleType) -> Iterator[click.Command]:
    """Those of one room; a group brings its own."""
    found = [each for each in vars(module).values() if isinstance(each, click.Command)]
    groups = [each for each in found if isinstance(each, click.Group)]
    inner = [each for group in groups for each in group.commands.values()]
    yield from (each for each in found if each not in inner)


for _room in pkgutil.iter_modules(__path__):
    for _command in _commands(importlib.import_module(f"{__name__}.{_room.name}")):
        cli.add_command(_command)
