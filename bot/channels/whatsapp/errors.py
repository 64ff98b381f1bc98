"""Twilio's codes in our closed list: one table (twilio.com/docs/api/errors).

Most of those with 63 in front come in a status callback, not in the answer to the send.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from twilio.base.exceptions import TwilioRestException

from bot import logs, metrics
from bot.channels import Gone, Rejected, SendError, TryLater, Unknown, WindowClosed

SOON = timedelta(seconds=2)
PAUSE = timedelta(minutes=1)  # while somebody mends the settings

log = logs.get("whatsapp")


@dataclass(frozen=True, slots=True)
class Row:
    """What one code means.

    gone      she cannot be reached at this address until she writes
    later     not taken now, and may be tried again
    settings  nothing of ours passes: somebody must mend it; an alarm
    window    only a template passes now
    template  this template passes no more; `template` says what became of it
    media     the file did not pass, the words may
    rejected  this message will never pass
    """

    code: int
    means: str
    template: str | None = None


ROWS = (
    Row(20003, "settings"),  # who we say we are
    Row(20404, "rejected"),
    Row(20429, "later"),  # too many calls at once
    Row(21211, "gone"),
    Row(21614, "gone"),
    Row(21408, "settings"),  # region not enabled
    Row(21606, "settings"),
    Row(21703, "settings"),
    Row(63007, "settings"),  # no such sender
    Row(21609, "settings"),  # address of the status callback
    Row(21610, "gone"),  # she wrote STOP to Twilio
    Row(21611, "later"),
    Row(30001, "later"),
    Row(14107, "later"),  # their queue is full
    Row(21617, "rejected"),  # too long
    Row(21620, "rejected"),  # address of a file
    Row(21655, "rejected"),
    Row(21656, "rejected"),
    Row(92007, "rejected"),  # content or its variables
    Row(63001, "settings"),
    Row(63003, "gone"),
    Row(63024, "gone"),  # not on WhatsApp
    Row(63005, "rejected"),
    Row(63013, "rejected"),
    Row(63021, "rejected"),
    Row(63010, "later"),
    Row(63012, "later"),  # an outage of theirs
    Row(63014, "gone"),
    Row(63033, "gone"),  # she has blocked us
    Row(63015, "gone"),  # she has not joined the sandbox
    Row(63016, "window"),
    Row(63017, "later"),
    Row(63018, "later"),  # too fast, to all or to her
    Row(63019, "media"),
    Row(63027, "rejected"),
    Row(63028, "rejected"),
    Row(63029, "rejected"),  # template: language, count, download
    Row(63032, "rejected"),  # Meta tries something out on her; it says nothing of the next one
    Row(63038, "settings"),  # the account's limit of the day
    Row(63040, "template", "rejected"),
    Row(63041, "template", "paused"),
    Row(63042, "template", "disabled"),
    Row(63049, "rejected"),  # Meta chose not to deliver this one
    Row(63051, "settings"),
    Row(63112, "settings"),  # the sender or the account is locked
)
BY_CODE = {row.code: row for row in ROWS}
STRANGE = Row(0, "rejected")
CONTENT = frozenset({21655, 21656, 92007, 63021})  # a template that Twilio cannot use


def send_error(error: TwilioRestException) -> SendError:
    """What a refused send means for the sender."""
    code, status = as_number(str(error.code)), error.status
    row = BY_CODE.get(code)
    if row is None and status == 401:
        row = BY_CODE[20003]
    elif row is None and status == 429:
        row = BY_CODE[20429]
    elif row is None and status >= 500:
        return Unknown(str(status))
    return _as_error(row or _count(code), str(code))


def _as_error(row: Row, code: str) -> SendError:
    if row.means == "settings":
        alarm(row, code)
        return TryLater(code, PAUSE, whole_lane=True)
    if row.means == "later":
        return TryLater(code, SOON)
    return {"gone": Gone, "window": WindowClosed}.get(row.means, Rejected)(code)


def of_receipt(code: str | None) -> Row:
    """What a failed status callback means."""
    row = BY_CODE.get(as_number(code or ""))
    if row is None:
        return _count(as_number(code or ""))
    if row.means == "settings":
        alarm(row, str(row.code))
    return row


def alarm(row: Row, code: str) -> None:
    log.error("settings_refused", lane="whatsapp", code=code)


def _count(code: int) -> Row:
    """A code that nobody has told us about."""
    log.warning("code_unknown", lane="whatsapp", code=code)
    metrics.STRANGE.labels("whatsapp").inc()
    return STRANGE


def as_number(text: str) -> int:
    """A whole number of at most nine digits; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
