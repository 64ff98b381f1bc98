"""How much of a community somebody wants, and of what is said every week, in words."""

from __future__ import annotations

from bot.messages import _

PACES = {
    "at_once": _("everything, at once"),
    "daily": _("once a day"),
    "weekly": _("once a week"),
    "concerns": _("only what concerns you"),
    "muted": _("nothing"),
}
RHYTHMS = {
    "all": _("tip, question and what peers said"),
    "prompt": _("only questions"),
    "tip": _("only tips"),
    "fortnight": _("every second week"),
    "none": _("nothing"),
}
