"""How much of a community somebody wants, in words."""

from __future__ import annotations

from bot.messages import _

PACES = {
    "at_once": _("everything, at once"),
    "daily": _("once a day"),
    "weekly": _("once a week"),
    "concerns": _("only what concerns you"),
    "muted": _("nothing"),
}
