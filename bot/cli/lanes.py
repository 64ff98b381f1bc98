"""Who sends where, how fast, and what waits: lanes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from bot import clock
from bot.app import list_channels
from bot.cli.store import in_store
from bot.settings import SettingsError, read_settings
from bot.store import backlog
from bot.store.backlog import Backlog, Lane

SLOW = timedelta(minutes=5)  # what is due for longer than this should not be


@click.command()
@click.argument("name", required=False)
def lanes(name: str | None) -> None:
    """Each sending identity: its owner, rate and backlog, what is oldest, and pauses."""
    settings = read_settings()
    configured = [each.lane for each in list_channels(settings)]
    now = clock.now()
    found = in_store(settings, lambda db: backlog.measure(db, now, configured))
    names = [each.name for each in found.lanes]
    if name is not None and name not in names:
        known = ", ".join(names) or "none yet; set up Telegram or WhatsApp in the settings"
        raise SettingsError(f"there is no lane {name!r}; the lanes are: {known}")
    for each in found.lanes:
        if name in (None, each.name):
            _show(each, each.name in configured, now)
    _show_fan_outs(found, now)


def _show(lane: Lane, configured: bool, now: datetime) -> None:
    click.echo(lane.name)
    for title, line in _lines(lane, now):
        click.echo(f"  {title:<12}{line}")
    for line in _advice(lane, configured, now):
        click.echo(f"  -> {line}")


def _lines(lane: Lane, now: datetime) -> Iterator[tuple[str, str]]:
    yield "owner", "a worker" if lane.owned else "nobody"
    sent = sum(lane.handed.values())
    yield "last minute", f"{_counts(lane.handed)}, {sent / 60:.1f} a second" if sent else "nothing"
    more = " or more" if lane.more else ""
    yield "due", f"{lane.due:,}{more}, the oldest for {_age(lane.oldest_due_at, now)}"
    yield "on its way", f"{lane.sending:,}; perhaps sent, looked up: {lane.unknown:,}"
    yield "later", _counts(lane.later)
    yield "held", _counts(lane.held)
    if lane.paused_until is not None:
        left = (lane.paused_until - now).total_seconds()
        yield "paused", f"for {left:.0f} s more, the provider said {lane.paused_why}"


def _advice(lane: Lane, configured: bool, now: datetime) -> Iterator[str]:
    """What is wrong, and the mend."""
    if not configured:
        yield "not in the settings any more: what waits here leaves when they name it again"
    elif lane.leased_until is not None and not lane.owned:
        yield "its owner is silent: any worker takes it within seconds; run `linkline worker`"
    elif not lane.owned:
        yield "nobody sends: run `linkline worker`"
    elif lane.paused_until is None and _is_old(lane.oldest_due_at, now):
        yield "it is behind: see the rate above, and `linkline doctor` for the provider"
    if lane.held.get("window") or lane.held.get("no_template"):
        yield "some wait until their people write on WhatsApp; `linkline whatsapp templates`"


def _show_fan_outs(found: Backlog, now: datetime) -> None:
    if found.fan_outs:
        oldest = _age(found.oldest_fan_out_at, now)
        click.echo(f"{found.fan_outs} messages are still being told, the oldest for {oldest}")


def _is_old(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at > SLOW


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{many:,} {what}" for what, many in sorted(found.items())) or "none"


def _age(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "no time"
    seconds = int((now - at).total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
