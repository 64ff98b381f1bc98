"""The treasurer: counts what was spent, warns of the budget, and tells administrators on Mondays.

A task of the worker and no job, since a provider is asked what is left; that is done outside of
any transaction. What is told has a key, so any number of workers tell it once.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bot import clock, logs
from bot.channels import Balances, Channel, SendError
from bot.db import Database, StoreDown
from bot.messages import Message, Text, _, _n
from bot.store import backups, roles, spending
from bot.store.audiences import Audience
from bot.telling import tell
from bot.timing import MONDAY, MORNING, next_at, zone

LOOK = 60.0  # seconds between looks
STILL = timedelta(days=3)  # so long after Monday morning it is still told
STEPS = (80, 100)  # percent of the budget
OLD = timedelta(days=7)  # of a backup
GIGABYTE = 1_000_000_000

log = logs.get("treasurer")


@dataclass(frozen=True, slots=True)
class Means:
    """What there is, as it was read outside of the store."""

    balances: tuple[tuple[float, str], ...] = ()  # amount and currency
    free: int | None = None  # bytes on the disk of the store
    share: int | None = None  # of all there is, in percent


class Treasurer:
    """One in each worker."""

    def __init__(self, database: Database, channels: Sequence[Channel], store: Path | None) -> None:
        self._database = database
        self._channels = channels
        self._store = store
        self._prices = {each.lane: each.limits.price for each in channels if each.limits.price}
        self._told: set[tuple[int, datetime]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except StoreDown as error:
                log.warning("store_down", error=str(error))
            except Exception as error:
                log.error("treasurer_broke", error=type(error).__name__, where=logs.where(error))
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Count, warn, tell."""
        now = clock.now()
        for lane in self._prices:
            while await self._database.run(partial(spending.count_more, lane=lane, now=now)):
                await asyncio.sleep(0)
        await self._database.run(lambda db: _warn(db, self._prices, now))
        due = [each for each in await self._database.run(_mondays) if each not in self._told]
        if due:
            means = Means(await self._read_balances(), *await asyncio.to_thread(self._read_disk))
            await self._database.run(lambda db: _report(db, due, means, self._prices, now))
            self._told.update(due)

    async def _read_balances(self) -> tuple[tuple[float, str], ...]:
        """Where they can be read; a provider that does not answer is left out."""
        found = []
        for channel in self._channels:
            if not isinstance(channel, Balances):
                continue
            try:
                balance = await channel.balance()
            except (SendError, OSError, TimeoutError) as error:
                log.warning("no_balance", lane=channel.lane, error=type(error).__name__)
                continue
            if balance is not None:
                found.append(balance)
        return tuple(found)

    def _read_disk(self) -> tuple[int | None, int | None]:
        if self._store is None:
            return None, None
        usage = shutil.disk_usage(self._store.parent)
        return usage.free, usage.free * 100 // usage.total


# In the store ------------------------------------------------------------------------------------


def _mondays(db: Connection) -> list[tuple[int, datetime]]:
    """Administrators for whom it was Monday morning lately, and when that was."""
    now = clock.now()
    found = []
    for member_id, timezone in roles.list_administrators(db):
        monday = next_at(now - STILL, zone(timezone), MORNING, MONDAY)
        if monday <= now:
            found.append((member_id, monday))
    return found


def _report(
    db: Connection,
    due: Sequence[tuple[int, datetime]],
    means: Means,
    prices: dict[str, float],
    now: datetime,
) -> None:
    lines = (
        _("How this service is doing:"),
        _backup(backups.find_last(db), now),
        *_means(means),
        *_spent(db, prices, now),
    )
    for member_id, monday in due:
        key = f"weekly/{monday:%Y-%m-%d}/{member_id}"
        tell(db, now, key, Audience("member", member_id), Message(lines), kind="session")


def _backup(made_at: datetime | None, now: datetime) -> Text:
    if made_at is None:
        return _("There is no backup yet. Please ask those who run this service to make one.")
    days = (now - made_at).days
    if now - made_at > OLD:
        return _(
            "The last backup is {n} days old. Please ask those who run this service to make one.",
            n=days,
        )
    if days == 0:
        return _("The last backup is less than a day old.")
    return _n("The last backup is {n} day old.", "The last backup is {n} days old.", n=days)


def _means(means: Means) -> list[Text]:
    said = []
    if means.free is not None:
        free = f"{means.free / GIGABYTE:.1f} GB"
        said.append(_("Free on the disk: {free}, {share} %.", free=free, share=means.share))
    for amount, currency in means.balances:
        said.append(
            _(
                "Left on the WhatsApp account: {amount} {currency}.",
                amount=f"{amount:.2f}",
                currency=currency,
            )
        )
    return said


def _spent(db: Connection, prices: dict[str, float], now: datetime) -> list[Text]:
    if not prices:
        return []
    spent, budget = f"{spending.count_spent(db, prices, now):.2f}", spending.get_budget(db)
    if budget is None:
        return [_("Spent this month: about {spent} US dollars.", spent=spent)]
    return [
        _("Spent this month: about {spent} of {budget} US dollars.", spent=spent, budget=budget)
    ]


def _warn(db: Connection, prices: dict[str, float], now: datetime) -> None:
    """Once a month at each step; nothing is held back."""
    budget = spending.get_budget(db)
    if not budget:
        return
    share = spending.count_spent(db, prices, now) * 100 / budget
    reached = [step for step in STEPS if share >= step]
    if not reached:
        return
    message = Message(
        (
            _(
                "About {share} of this month's budget of {budget} US dollars is used.",
                share=f"{int(share)} %",
                budget=budget,
            ),
            _("Nothing is held back: questions and answers go on as before."),
        )
    )
    for member_id, _timezone in roles.list_administrators(db):
        key = f"budget/{spending.month_of(now)}/{reached[-1]}/{member_id}"
        tell(db, now, key, Audience("member", member_id), message, kind="session")
