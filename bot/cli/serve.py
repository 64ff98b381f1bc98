"""What runs: everything (run), webhooks only (web), sending and the clock (worker)."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from typing import Any

import click
import uvicorn
import uvloop

from bot import disks, logs
from bot.app import App
from bot.channels.simulator import phones
from bot.cli.store import DEMO, load_library, load_programme, migrate_store
from bot.db import Database
from bot.settings import Settings, SettingsError, read_settings
from bot.tenancy import Occupied, Tenancy
from bot.tree import lettering
from bot.web import build


@click.command()
def run() -> None:
    """Everything in one process; in development with the simulator and a demo programme."""
    settings = _ready()
    migrate_store(settings)
    load_library(settings)
    if settings.development:
        load_programme(settings, DEMO)
    _serve(settings, work=True)


@click.command()
def web() -> None:
    """Webhooks only; start as many as you like beside the workers."""
    settings = _ready()
    _serve(settings, work=False)


@click.command()
def worker() -> None:
    """Send, tick the clock, and poll where there is no public address."""
    settings = _ready()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(App(settings)))


def _ready() -> Settings:
    """Settings, logs, and the store kept from being exchanged below us. Raises SettingsError."""
    settings = read_settings()
    logs.configure()
    disks.check(settings)
    lettering.check()
    _stay(settings)
    return settings


_held: list[Tenancy] = []  # until this process ends


def _stay(settings: Settings) -> None:
    tenancy = Tenancy(Database(settings.database_url))
    try:
        tenancy.share()
    except Occupied:
        raise SettingsError(
            "DATABASE_URL: a restore is at work on this store; wait for it"
        ) from None
    except OSError as error:
        raise SettingsError(f"DATABASE_URL: {error.strerror}; name a folder of your own") from None
    _held.append(tenancy)


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
