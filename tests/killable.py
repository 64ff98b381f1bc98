"""A nursery of real `linkline` processes that can be told where to die: `python -m tests.killable`.

It imports the program once and forks a child per order, which saves a second each. A child runs
`bot.cli.main()` with its own settings, files and signals. A point of death is set by wrapping a
function here, so the program itself holds no hook. Orders come as JSON lines on standard input;
when that ends, the nursery ends and its children with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import importlib
import inspect
import json
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import event

import handlers
from bot import (
    cli,
    connecting,
    eraser,
    erasing,
    i18n,
    ledgers,
    reporting,
    restoring,
    scheduler,
    sender,
    timing,
)
from bot import envelopes as opening
from bot import settings as linkline_settings
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.db import Database
from bot.eraser import Eraser
from bot.flight import Flight
from bot.media import fetching
from bot.media.fetching import Fetcher
from bot.media.vault import Vault
from bot.router import Router
from bot.scheduler import Job
from bot.sender import Sender
from bot.store import (
    audiences,
    copying,
    deliveries,
    envelopes,
    erasures,
    fates,
    forgetting,
    inbox,
    lanes,
    media,
    receipts,
    reports,
    secrets,
    traces,
)
from handlers import concerns, report

When = Callable[..., bool]
Die = Callable[[], None]

ON_ITS_WAY = 0.15  # seconds in which the provider takes a request whose answer is never read
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def always(*_: Any, **__: Any) -> bool:
    return True


# Where a process can die -----------------------------------------------------------------------


def before(owner: Any, name: str, when: When = always) -> Callable[[Die], None]:
    """Die on the way into a function, if `when(*arguments)`."""

    def install(die: Die) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if when(*args, **kwargs):
                die()
            return original(*args, **kwargs)

        setattr(owner, name, wrapped)

    return install


def after(owner: Any, name: str, when: When = always) -> Callable[[Die], None]:
    """Die on the way out of a function, if `when(result)`."""

    def install(die: Die) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if when(result):
                die()
            return result

        @functools.wraps(original)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            if when(result):
                die()
            return result

        setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else wrapped)

    return install


def both(*installs: Callable[[Die], None]) -> Callable[[Die], None]:
    def install(die: Die) -> None:
        for each in installs:
            each(die)

    return install


def accepted(*methods: str) -> Callable[[Die], None]:
    """Die when a provider has taken a message and its answer is not read."""

    def install(die: Die) -> None:
        original = aiohttp.ClientResponse.start

        async def start(self: aiohttp.ClientResponse, *args: Any, **kwargs: Any) -> Any:
            if self.method == "POST" and self.url.name in methods:
                await asyncio.sleep(ON_ITS_WAY)
                die()
            return await original(self, *args, **kwargs)

        aiohttp.ClientResponse.start = start  # type: ignore[method-assign]

    return install


def _is_fresh(_sender: Any, _due: Any, part: Any) -> bool:
    return bool(part.state == "sending")


def _is_second_part(_sender: Any, _due: Any, part: Any) -> bool:
    return bool(part.number > 0)


def _has_fates(_db: Any, _lane: str, fates: Any) -> bool:
    return bool(fates)


POINTS: dict[str, Callable[[Die], None]] = {
    "inbox row added": after(inbox, "add", lambda result: result is not None),
    "turn done, not committed": after(Router, "_turn", lambda result: result == "taken"),
    "turn committed, not answered": after(Router, "take"),
    "claimed, not frozen": after(deliveries, "claim", lambda found: bool(found[0])),
    "frozen, not committed": after(deliveries, "freeze"),
    "frozen, not sent": before(Flight, "_send_part", _is_fresh),
    "handed to the channel": both(before(Telegram, "send"), before(WhatsApp, "send")),
    "accepted, answer not read": accepted("sendMessage", "Messages.json"),
    "accepted by WhatsApp, answer not read": accepted("Messages.json"),
    "answer read, not settled": after(Flight, "_send"),
    "about to settle": before(fates, "settle", _has_fates),
    "settled, not committed": after(fates, "settle"),
    "between two parts": before(Flight, "_send_part", _is_second_part),
    "first chunk of a fan-out": before(audiences, "_remember"),
    "further chunk of a fan-out": after(audiences, "go_on", bool),
    "receipt applied, not committed": after(receipts, "apply", bool),
    "lane taken, not recovered": after(lanes, "take"),
    "recovered, not committed": after(lanes, "recover", bool),
    "looked up, not written down": after(WhatsApp, "find"),
    "forgetting begun, not committed": after(forgetting, "begin"),
    "a step of forgetting, not committed": after(erasing, "_go_on"),
    "a post emptied, not committed": after(traces, "empty_post"),
    "said to her removed, not committed": after(forgetting, "remove_settled", lambda f: f[0] > 0),
    "inbox emptied, not committed": after(forgetting, "empty_inbox", lambda found: found[0] > 0),
    "addresses removed, not committed": after(forgetting, "remove_addresses"),
    "rows gone, files not clean": before(Database, "scrub", lambda _self, names: len(names) > 1),
    "files clean, her row there": before(forgetting, "remove_member"),
    "erasure claimed, not committed": after(erasures, "claim", bool),
    "erasure claimed, not done": before(Eraser, "_erase"),
    "erased at the provider, not written down": before(erasures, "remove"),
    "marked as repeated, not committed": after(fates, "mark_repeating"),
    "a file claimed, not committed": after(media, "claim", bool),
    "a file claimed, not fetched": before(Fetcher, "_fetch"),
    "a file fetched, not cleaned": after(Telegram, "fetch"),
    "a file cleaned, not kept": after(fetching, "clean"),
    "a file in the vault, not written down": after(Vault, "put"),
    "a file written down, not committed": after(media, "mark_stored", bool),
    "a file removed, its row still there": after(Vault, "remove"),
    "a report kept, not committed": after(reports, "add"),
    "a report's files taken in, not committed": after(reporting, "take_in"),
    "an envelope opened, not committed": after(envelopes, "remove", bool),
    "readers of a report told, not committed": after(report, "tell"),
    "a file of a report found lost, not committed": after(reporting, "what_became", bool),
    "who reported told, not committed": after(concerns, "tell"),
    "restore: some rows in": after(copying, "write_rows"),
    "restore: rows in, not mended": after(restoring, "_load"),
    "restore: forgotten again, not committed": after(restoring, "_forget_again"),
    "restore: mended, not committed": after(restoring, "_settle"),
    "restore: closing a file": before(restoring, "close_file"),
    "restore: a file closed": after(restoring, "close_file"),
    "restore: in place, not said": after(restoring, "restore"),
}


def die_at(point: str, passes: int, gate: str) -> None:
    """Kill this process when it passes the point for the n-th time after the gate was opened."""
    left = passes

    def die() -> None:
        nonlocal left
        left -= os.path.exists(gate)
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal is on its way

    POINTS[point](die)


# What is faster or smaller than in life ---------------------------------------------------------


def hurry() -> None:
    """Bursts and looks at the store are shorter, fan-outs have chunks of two."""
    for each in pkgutil.iter_modules(handlers.__path__):
        module = importlib.import_module(f"handlers.{each.name}")
        if hasattr(module, "BURST"):
            module.BURST = timedelta(seconds=0.2)
    sender.POLL = 0.05
    sender.SETTLES = timedelta(seconds=0.3)
    for channel in (Telegram, WhatsApp):  # people here are very fast
        channel.limits = replace(channel.limits, chat_rate=None)
    audiences.FAN_OUT = 2
    for kind in timing.MOST_UNASKED:  # and hear a week of words in a minute
        timing.MOST_UNASKED[kind] = 10**6
    secrets.FRESH = 0.5
    eraser.POLL = 0.1
    ledgers.LOOK = 0.1
    eraser.LEASE = timedelta(seconds=1)
    fetching.POLL = 0.2
    fetching.LEASE = timedelta(seconds=3)
    forgetting.FEW = erasing.FEW = 3


def open_at_once() -> None:
    """What is held comes out after a moment, and is looked at often."""
    scheduler.TICK = 0.2  # type: ignore[assignment]
    opening.LOOK = timedelta(seconds=0.2)
    reports.SOONEST, reports.LATEST = timedelta(0), timedelta(seconds=1)
    reporting.SOON = timedelta(seconds=0.4)


ENGINE = ("bot.sender", "bot.flight", "bot.store.messages", "bot.store.audiences")


def _set(**values: Any) -> None:
    """Constants of the engine, in whichever of its files they stand."""
    for name, value in values.items():
        homes = [each for each in map(sys.modules.get, ENGINE) if hasattr(each, name)]
        assert homes, f"the engine has no {name} any more"
        for each in homes:
            setattr(each, name, value)


def soak_quickly() -> None:
    """What waits is tried sooner, however often it was refused; fan-outs are of a hundred."""
    _set(POLL=0.1, SETTLES=timedelta(seconds=0.3), UNKNOWN_WAITS=timedelta(seconds=2), FAN_OUT=100)
    _set(LONGEST_WAIT=timedelta(seconds=8))
    secrets.FRESH = 0.5


def lease_shortly() -> None:
    """Leases last three seconds; who is silent for longer has lost its lanes."""
    _set(LEASE=timedelta(seconds=3), RENEWED=0.8, MARGIN=0.4)


def tick_often() -> None:
    """The clock ticks five times a second, and who asked for it is forgotten at each tick."""
    scheduler.TICK = 0.2  # type: ignore[assignment]
    often = timedelta(seconds=0.2)
    erasing.forget = Job(erasing.forget.name, often, erasing.forget.work)


def give_up_soon() -> None:
    """SQLite waits a moment only for a lock that somebody else holds."""
    make = connecting.sqlite

    def made(url: Any) -> Any:
        engine = make(url)
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=300"))
        return engine

    connecting.sqlite = made


def send_no_telegram() -> None:
    """The sender of Telegram does nothing in this life."""
    run = Sender.run

    async def idle(self: Sender) -> None:
        if self.channel.name == "telegram":
            await asyncio.sleep(3600)
        await run(self)

    idle.__qualname__ = run.__qualname__
    Sender.run = idle  # type: ignore[method-assign]


CHANGES: dict[str, Callable[[], None]] = {
    "hurry": hurry,
    "soak quickly": soak_quickly,
    "lease shortly": lease_shortly,
    "open at once": open_at_once,
    "tick often": tick_often,
    "give up soon": give_up_soon,
    "send no telegram": send_no_telegram,
}


# The nursery ------------------------------------------------------------------------------------


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def ignore_env_file() -> None:
    """A developer's .env is no part of a test."""
    linkline_settings.Settings.model_config["env_file"] = None


def _live(order: dict[str, Any]) -> None:
    """What a child does: become the program, as it was ordered."""
    die_with_parent()
    for number, path in ((0, os.devnull), (1, order["stdout"]), (2, order["stderr"])):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, number)
    os.environ.clear()
    os.environ.update(order["env"])
    for change in order["changes"]:
        CHANGES[change]()
    if order["die_at"]:
        die_at(*order["die_at"])
    sys.argv = ["linkline", *order["args"]]
    cli.main()


def _start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 0
    try:
        _live(order)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _ended(pid: int) -> int | None:
    """The exit code, or the signal as a negative number; None while it lives."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    ignore_env_file()
    for language in i18n.languages():
        i18n.catalogue(language)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer = _ended(order["ended"]) if "ended" in order else _start(order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
