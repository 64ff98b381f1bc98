"""Themes: those of the library, as they are called in the chat."""

from __future__ import annotations

from bot.messages import Text, _

THEMES: dict[str, Text] = {
    "asking": _("Asking for help"),
    "change": _("Bringing change"),
    "feedback": _("Feedback"),
    "inclusion": _("Including everybody"),
    "learning": _("Learning"),
    "sessions": _("Running sessions"),
    "skills": _("Practical skills"),
    "stories": _("Telling stories"),
}
NO_THEME = _("Something else")
