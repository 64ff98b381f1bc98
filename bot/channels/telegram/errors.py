"""Telegram's refusals in our closed list: one table, read from the top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.error import Forbidden as Refused

from bot import logs, metrics
from bot.channels import Gone, Moved, Rejected, SendError, TryLater, Unknown

PAUSE = timedelta(seconds=60)  # while somebody mends the settings
OUTAGE = timedelta(seconds=2)

log = logs.get("telegram")


class Overloaded(NetworkError):
    """Telegram answered that it could not: an outage, and nothing may be lost in it."""


class NotConnected(NetworkError):
    """The request never left this machine."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one refusal means."""

    kind: type[TelegramError]  # as python-telegram-bot names it
    says: str  # part of the description, in small letters; "" = whatever it says
    means: str  # gone, fine, rejected, settings, later, unknown
    code: str


ROWS = (
    Row(Refused, "blocked by the user", "gone", "403"),
    Row(Refused, "user is deactivated", "gone", "403"),
    Row(Refused, "bot was kicked", "gone", "403"),
    Row(Refused, "not a member of", "gone", "403"),
    Row(Refused, "can't initiate", "gone", "403"),
    Row(Refused, "forbidden: ", "gone", "403"),
    Row(Refused, "forbidden (403)", "later", "proxy"),  # not Telegram's words: somebody in between
    # 403 in front, 400 within: about what was said, not about her
    Row(Refused, "", "rejected", "403"),
    Row(BadRequest, "chat not found", "gone", "400"),
    Row(BadRequest, "user not found", "gone", "400"),
    Row(BadRequest, "peer_id_invalid", "gone", "400"),
    Row(BadRequest, "can't initiate", "gone", "400"),
    Row(BadRequest, "message is not modified", "fine", "400"),
    Row(BadRequest, "query is too old", "fine", "400"),
    # we send plain text only: this would be a fault of ours
    Row(BadRequest, "can't parse entities", "rejected", "entities"),
    Row(BadRequest, "message to be replied not found", "rejected", "400"),
    Row(BadRequest, "file is too big", "rejected", "file"),
    Row(BadRequest, "wrong file", "rejected", "file"),
    Row(BadRequest, "wrong http url", "rejected", "file"),
    Row(BadRequest, "failed to get http url", "rejected", "file"),
    Row(BadRequest, "", "rejected", "400"),
    Row(InvalidToken, "", "settings", "401"),
    Row(EndPointNotFound, "", "settings", "404"),
    Row(Conflict, "", "settings", "409"),
    Row(NotConnected, "", "later", "NotConnected"),
    Row(Overloaded, "", "later", "Overloaded"),
    Row(NetworkError, "", "unknown", "network"),
)


def send_error(error: TelegramError) -> SendError | None:
    """What it means for the sender; None = it is as good as done."""
    if isinstance(error, RetryAfter):
        return TryLater("429", error._retry_after, whole_lane=None)
    if isinstance(error, ChatMigrated):
        return Moved("migrated", str(error.new_chat_id))
    row = find(error)
    if row is None:
        return Unknown(type(error).__name__)
    if row.means == "settings":
        log.error("settings_refused", lane="telegram", code=row.code)
        return TryLater(row.code, PAUSE, whole_lane=True)
    if row.means == "later":
        return TryLater(row.code, OUTAGE)
    return _AS_ERROR[row.means](row.code) if row.means != "fine" else None


def fetch_error(error: TelegramError) -> SendError:
    """What it means that a file was not found by its id."""
    if isinstance(error, BadRequest):
        said = error.message.lower()
        if "too big" in said:
            return Rejected("too_big")
        return TryLater("400", PAUSE) if "temporarily" in said else Gone("400")
    told = send_error(error)
    return told if isinstance(told, TryLater) else TryLater(type(error).__name__, PAUSE)


def find(error: TelegramError) -> Row | None:
    """The first row that fits; what is only caught by its kind is counted."""
    said = error.message.lower()
    row = next((each for each in ROWS if isinstance(error, each.kind) and each.says in said), None)
    if row is None or (row.kind in (Refused, BadRequest) and row.says in ("", "forbidden: ")):
        metrics.STRANGE.labels("telegram").inc()
    return row


_AS_ERROR: dict[str, type[SendError]] = {"gone": Gone, "rejected": Rejected, "unknown": Unknown}
