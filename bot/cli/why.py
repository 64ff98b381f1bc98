"""Why did this member not get it: the life of a message, or of a member's last ones, on a screen.

Numbers of rows, times, states and codes: never a name, a number, a chat or a word of anybody.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import Connection

from bot import clock
from bot.app import list_channels
from bot.cli.store import in_store
from bot.settings import Settings, read_settings
from bot.store import whys
from bot.store.whys import Life, Phone, Standing, Told
from bot.timing import NEVER, hours_of, shown, zone

WIDTH = 79
PARTS = 6  # on one screen
ARRIVED = {
    "sent": "the provider took it",
    "delivered": "it is on the phone",
    "read": "it was read",
}
REASONS = {
    "quiet": "it is night (quiet hours) where she is",
    "paused": "she pauses messages",
    "pace": "she wants this community once a day, once a week, less, or not at all",
    "week": "she had her unasked messages of this week",
    "window": "her window is closed: WhatsApp lets nothing through until she writes",
    "no_template": "her window is closed, and no template that WhatsApp approved can tell her",
    "gathered": "it waits for the digest of her day or week",
    "cap": "she had her unasked messages of this week: it comes with the next digest",
    "night": "it is night (quiet hours) where she is; in the morning it is looked at again",
    "rest": "she pauses messages; what was said meanwhile is looked at when she is back",
    "cut": "she had no app any more that it could go to",
    "discreet": "her phone is discreet: she knows that something waits, and opens it",
    "doubt": "perhaps somebody else has her number now",
    "expired": "it came too late to be of use",
    "stopped": "she asked for no messages",
    "left": "she is not in that community any more",
    "erased": "she asked to be forgotten",
    "unreachable": "she blocked us, or the account is gone",
    "media": "it waits, half an hour at most, for a recording or a picture that belongs to it",
    "vault": "the file that belongs to it cannot be read just now",
    "taken_back": "it was taken back or hidden",
    "moved": "its question moved to another community",
    "opened": "what it told of was opened",
    "overtaken": "the question it is about waits no more",
    "unreadable": "the keys do not open its row",
    "poison": "it was taken five times and could not even be put into words",
    "render": "it could not be put into words: see render_failed in the log",
    "nothing": "nothing of it was left to say",
    "unknown": "nobody can say whether it arrived; it was repeated as often as allowed",
    "no_commands": "her app has no menu of commands",
    "no_retract": "her app lets nobody take a message back",
}
MENDS = {
    "window": "It leaves when she writes one word there; a short call helps.",
    "no_template": "See `linkline whatsapp templates`; it leaves when she writes one word there.",
    "discreet": "It leaves when she chooses Open.",
    "doubt": "She says her name when asked, or a facilitator vouches (New number).",
    "unreachable": "She must write to the bot once; later messages come then.",
    "unreadable": "Put the store's own keys back into LINKLINE_KEYS.",
    "stopped": "She writes START when she wants messages again.",
}


@click.command()
@click.argument("whom")
def why(whom: str) -> None:
    """Why WHOM did not get it: d123 is a delivery, m12 a member, or give her address.

    An address is written as in the programme file: telegram:123, whatsapp:+8562055...
    """
    settings = read_settings()
    now = clock.now()
    lines = in_store(settings, lambda db: _explain(db, settings, whom.strip(), now))
    for line in lines:
        for each in textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]:
            click.echo(each)


def _explain(db: Connection, settings: Settings, whom: str, now: datetime) -> list[str]:
    numbered = re.fullmatch(r"([dm]?)([0-9]{1,15})", whom)
    if numbered and numbered[1] != "m":
        life = whys.find_delivery(db, int(numbered[2]), now)
        if life is None:
            raise click.ClickException("there is no such delivery; `linkline why m12` lists hers")
        return [*_of_delivery(life, now)]
    windows = {each.lane: each.limits.window for each in list_channels(settings)}
    member_id = int(numbered[2]) if numbered else _by_address(db, settings, whom)
    standing = None if member_id is None else whys.find_member(db, member_id)
    if standing is None:
        raise click.ClickException(
            "nobody is known by this; give d123, m12 or an address like telegram:123"
        )
    return [*_of_member(standing, windows, now)]


def _by_address(db: Connection, settings: Settings, whom: str) -> int | None:
    """What was typed is looked up and never said again."""
    channel, _colon, name = whom.partition(":")
    lanes = [each.lane for each in list_channels(settings) if each.name == channel]
    return whys.find_by_address(db, lanes, whom if channel == "whatsapp" else name)


# A delivery --------------------------------------------------------------------------------------


def _of_delivery(life: Life, now: datetime) -> Iterator[str]:
    told = life.told
    place = f" in {told.community}" if told.community else ""
    yield f"d{told.id}: {told.kind}{place}, said {_at(told.said_at)}, for m{life.member_id}"
    yield f"app: {told.lane}"
    yield f"state: {_state(told)}"
    if life.instead is not None:
        yield f"said in d{life.instead.id} instead, which is {_state(life.instead)}"
    if life.expires_at is not None:
        yield f"of no use after {_at(life.expires_at)}"
    yield f"taken to be sent: {life.attempts} times"
    for part in life.parts[:PARTS]:
        yield _part(part)
    if len(life.parts) > PARTS:
        yield f"and {len(life.parts) - PARTS} more parts"
    if life.phone is not None:
        yield from _trouble(life.phone)
    yield f"next: {_next(life, now)}"


def _state(told: Told) -> str:
    words = ARRIVED.get(told.state)
    if told.reason is not None:
        words = REASONS.get(told.reason, f"the provider's code is {_code(told.reason)}")
    return f"{told.state} ({words})" if words else told.state


def _code(code: str) -> str:
    """Whatever stands there, only what a code is made of."""
    return re.sub(r"[^A-Za-z0-9_.-]", "?", code)


def _part(part: Any) -> str:
    said = [f"part {part.part + 1}: put into words {_at(part.created_at)}"]
    said.append("not handed over" if part.handed_at is None else f"handed {_at(part.handed_at)}")
    said.append(part.state if part.error is None else f"{part.state}, code {_code(part.error)}")
    if part.told_at is not None:
        said.append(f"receipt {_at(part.told_at)}")
    if part.repeats:
        said.append(f"repeated {part.repeats} times")
    return "; ".join(said)


def _next(life: Life, now: datetime) -> str:
    told = life.told
    if told.state == "sending":
        return "it is on its way; if its worker died, the next one looks after it"
    if told.state == "held" and told.reason in ("quiet", "paused", "pace", "week"):
        return f"looked at again at {_when(told.due_at, life.timezone)}"
    if told.state in ("queued", "unknown"):
        return _in_line(life, now)
    if told.state == "folded":
        return "nothing more: it is told in the other message"
    mend = MENDS.get(told.reason or "")
    return mend or ("it waits" if told.state == "held" else "nothing more happens with it")


def _in_line(life: Life, now: datetime) -> str:
    told = life.told
    if not life.lane_owned:
        return f"no worker owns lane {told.lane}: start one (`linkline worker`)"
    if life.lane_paused_until is not None:
        code = _code(life.lane_paused_why or "unknown")
        return f"lane {told.lane} rests until {_at(life.lane_paused_until)} because of {code}"
    if told.due_at > now:
        return f"it is tried at {_when(told.due_at, life.timezone)}"
    return "it leaves when its turn in line comes: `linkline lanes` shows the line"


# A member ----------------------------------------------------------------------------------------


def _of_member(
    found: Standing, windows: dict[str, timedelta | None], now: datetime
) -> Iterator[str]:
    hours = hours_of(found.quiet_from, found.quiet_until, found.timezone)
    quiet = "none" if hours == NEVER else f"{shown(hours)} {found.timezone or 'UTC'}"
    discreet = ", discreet phone" if found.discreet else ""
    yield (
        f"m{found.id}: {found.state}{discreet}; quiet hours: {quiet}; "
        f"{found.unasked} unasked this week"
    )
    if found.state == "stopped":
        yield f"she asked for no messages. {MENDS['stopped']}"
    if found.paused_until is not None and found.paused_until > now:
        yield f"she pauses messages until {_at(found.paused_until)}"
    places = [f"{slug} ({state}, {pace})" for slug, state, pace in found.places]
    yield f"communities: {', '.join(places[:6]) or 'none'}"
    if not found.phones:
        yield "she has no address: nothing can be sent to her"
    for phone in found.phones[:3]:
        yield _phone(phone, windows.get(phone.lane), now)
        yield from _trouble(phone)
    yield "her last messages:" if found.told else "nothing was ever said to her"
    for told in found.told:
        place = f" {told.community}" if told.community else ""
        reason = f", {_code(told.reason)}" if told.reason else ""
        yield f"d{told.id} {_at(told.said_at)} {told.kind}{place}: {told.state}{reason}"


def _phone(phone: Phone, window: timedelta | None, now: datetime) -> str:
    said = [f"app: {phone.lane}{', used first' if phone.preferred else ''}"]
    heard_at = phone.last_inbound_at
    said.append("has not written yet" if heard_at is None else f"wrote last {_at(heard_at)}")
    if window is not None:
        closes_at = None if heard_at is None else heard_at + window
        is_open = closes_at is not None and closes_at >= now
        said.append(f"window open until {_at(closes_at)}" if is_open else "window closed")
    return "; ".join(said)


def _trouble(phone: Phone) -> Iterator[str]:
    if phone.unreachable_at is not None:
        yield f"unreachable since {_at(phone.unreachable_at)}. {MENDS['unreachable']}"
    if phone.doubted_at is not None:
        yield f"in doubt since {_at(phone.doubted_at)}. {MENDS['doubt']}"
    if phone.nudges:
        yield f"told {phone.nudges} times that something waits, last {_at(phone.nudged_at)}"


# Times -------------------------------------------------------------------------------------------


def _at(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _when(at: datetime, timezone: str | None) -> str:
    return f"{_at(at)} ({at.astimezone(zone(timezone)):%H:%M} her time)"
