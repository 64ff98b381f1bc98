"""Hiding: why a facilitator hides what somebody said, as she chooses it and its author hears it."""

from __future__ import annotations

from bot.messages import Choice, Text, _
from bot.offers import CANCEL

WHY = _("Why? The one who wrote it hears the reason.")
CHOICES = (
    Choice("name", _("It names somebody")),
    Choice("hurt", _("It may hurt")),
    Choice("place", _("Not for this group")),
    Choice("other", _("Another reason")),
    CANCEL,
)
REASONS: dict[str, Text] = {
    "name": _("it names or shows somebody"),
    "hurt": _("it may hurt somebody"),
    "place": _("it does not belong in this group"),
    "other": _("a reason the facilitator can tell you"),
}
