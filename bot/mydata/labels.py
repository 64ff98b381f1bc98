"""What things are called in a file of one's own data."""

from __future__ import annotations

from bot import captioned
from bot.messages import _

APPS = {"telegram": "Telegram", "whatsapp": "WhatsApp"}
ROLES = {
    "member": _("member"),
    "host": _("host"),
    "facilitator": _("facilitator"),
    "monitor": _("monitoring officer"),
    "focal_point": _("safeguarding focal point"),
    "administrator": _("administrator"),
}
STATES = {
    "waiting": _("not welcomed yet"),
    "declined": _("not welcomed"),
    "left": _("has left the group"),
    "ended": _("the group has ended"),
}
PACES = {
    "daily": _("once a day"),
    "weekly": _("once a week"),
    "concerns": _("only what concerns you"),
    "muted": _("nothing from this group"),
}
KINDS = {
    "question": _("question"),
    "answer": _("answer"),
    "reply": _("addition to your question"),
    "outcome": _("what came of your question"),
    "announcement": _("announcement"),
    "content": _("tip or weekly question"),
    "response": _("answer to a weekly question"),
    "harvest": _("notes of a session"),
    "decision": _("decision of a session"),
    "taken": _("what you take with you from a session"),
    "word": _("message to one person about a session"),
    "reflection": _("reflection"),
    "leaf": _("leaf on the Happy Tree"),
    "topic": _("something said beside an offer or an ask"),
}
KEPT = {
    "kept": _("only you see it"),
    "draft": _("not sent"),
    "waiting": _("waits until you are welcomed"),
    "hidden": _("hidden by a facilitator"),
}
FILES = {**captioned.FILES, "location": _("(location)")}
FILE = FILES["document"]
