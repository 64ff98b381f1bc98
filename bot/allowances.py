"""How often something may be done: each allowance stands here, and is counted in the store.

An allowance that fails "open" lets her go on when counting itself fails (what is at stake is her
being heard); one that fails "closed" does not (what is at stake is somebody guessing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import Connection

from bot import logs
from bot.db import must_end
from bot.messages import Text, _
from bot.store import tallies

log = logs.get("allowances")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """So much, so often."""

    name: str
    most: int
    per: timedelta
    who: Literal["member", "address"]
    fails: Literal["open", "closed"]
    over: Text  # what she hears when it is over


_LATER = _("That is as much as goes in one day. Please go on tomorrow.")
_WAIT = _("Many codes were tried. Please wait half an hour, then try again.")
_HALF_HOUR = timedelta(minutes=30)

QUESTIONS = Allowance("questions", 20, DAY, "member", "open", _LATER)
TOPICS = Allowance("topics", 10, DAY, "member", "open", _LATER)  # put into the market
ANSWERS = Allowance(
    "answers", 60, HOUR, "member", "open", _("That was a lot in one hour. Please go on later.")
)
ANNOUNCEMENTS = Allowance("announcements", 5, DAY, "member", "closed", _LATER)
SESSIONS = Allowance("sessions", 10, DAY, "member", "closed", _LATER)  # made
INVITES = Allowance("invites", 20, DAY, "member", "closed", _LATER)
ROLE_OFFERS = Allowance("role offers", 10, DAY, "member", "closed", _LATER)
REPORTS = Allowance("reports", 5, DAY, "address", "open", _LATER)
CODES = Allowance("codes", 5, _HALF_HOUR, "address", "closed", _WAIT)  # invites, links, vouches
RECEIPTS = Allowance("receipts", 8, _HALF_HOUR, "address", "closed", _WAIT)
SECRETS = Allowance("secrets", 5, _HALF_HOUR, "member", "closed", _WAIT)
MESSAGES = Allowance(
    "messages",
    30,
    MINUTE,
    "address",
    "open",
    _(
        "That was very much at once. What comes in this minute is kept, but not passed on: "
        "please send it again a little later. STOP and HELP work."
    ),
)
ALL = (
    QUESTIONS, TOPICS, ANSWERS, ANNOUNCEMENTS, SESSIONS, INVITES, ROLE_OFFERS, REPORTS, CODES,
    RECEIPTS, SECRETS, MESSAGES,
)  # fmt: skip


def take(db: Connection, allowance: Allowance, who: int, now: datetime) -> bool:
    """Count it; False if it is over. `who` is a member's or an address's id, as it says."""
    try:
        with db.begin_nested():
            return tallies.take(db, allowance.name, who, allowance.most, allowance.per, now)
    except Exception as error:
        if must_end(error):  # nothing works now: the whole turn is tried again
            raise
        log.error("not_counted", error=type(error).__name__, where=logs.where(error))
        return allowance.fails == "open"


# Messages a minute are counted in the address row, which each turn reads and writes anyway.


class Heard(Protocol):
    """What is known of an address before this message: meeting.Sender."""

    @property
    def heard_since(self) -> datetime | None: ...
    @property
    def heard_count(self) -> int: ...


def heard(sender: Heard, now: datetime) -> tuple[datetime, int]:
    """The minute that is counted, and how much came in it with this message."""
    since = sender.heard_since
    if since is None or not since <= now < since + MESSAGES.per:
        return now, 1
    return since, sender.heard_count + 1


def flood(sender: Heard, now: datetime) -> Literal["", "begins", "goes on"]:
    """Whether this message is one too many; it is answered when that begins, and then no more."""
    _since, count = heard(sender, now)
    if count <= MESSAGES.most:
        return ""
    return "begins" if count == MESSAGES.most + 1 else "goes on"


URGENT = frozenset({"stop", "start", "help", "support", "report"})  # heard in a flood too
