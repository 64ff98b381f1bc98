"""Discreet phones: whoever holds or sees one learns nothing.

Unasked, such a phone hears only that a message waits. What she asked to see is followed by a last
bubble that tells nothing, since the last bubble is what stands in her list of chats.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.messages import Choice, Message, _, refs_of

ASKED_LASTS = timedelta(minutes=10)  # an answer that comes later meets a phone in other hands

WAITING = Message(
    (_("A message is waiting for you."),), choices=(Choice("discreet.show", _("Open")),)
)
CLEAR = Choice("discreet.clear", _("Clear"))
HOW_IT_COMES = _(
    "Here you only read that something waits. "
    "Write OPEN to read it, and CLEAR to empty this screen."
)
CLOSING = _("What now? Clear empties this screen.")

_TELL_NOTHING = ("notice", "nudge")  # kinds of messages that say no more than that something waits

# What these stand for tells who is who, or what somebody wrote.
_TELLING = frozenset(
    {
        "members",
        "organisations",
        "posts",
        "previews",
        "leaves",
        "captions",
        "stories",
        "veiled",
        "veiled_stories",
        "referred",
        "help_contacts",
        "notes",
        "contents",  # what a community says of itself, to itself
        "sessions",  # where the group is not discreet, but her phone is
        "titles",  # of sessions
        "places",
        "visited",
        "packings",
        "reasons",
        "needs",
        "topics",
        "records",  # of sessions
        "tasks",
    }
)
_TELLING_TALKS = (
    "report.",
    "receipts.",
    "concerns.",
    "wording.",
    "session.",
    "place.",
    "details.",
    "changes.",
    "reflect.",
    "reflections.",
    "stories.",
    "consents.",
    "selection.",
    "happy.",
)  # whose questions tell, before anything is answered
# That somebody keeps something for herself.
_TELLING_CHOICES = ("confide.", "lookback.", "reflections.", "mystories.", "selection.", "tree.")


def is_bubble(message: Message) -> bool:
    """Whether it stands on her screen; a menu and what is taken back do not."""
    return not message.commands and message.retract is None


def needs_closing(kind: str, message: Message) -> bool:
    """Whether a last bubble must follow that tells nothing."""
    if kind in _TELL_NOTHING or not is_bubble(message):
        return False
    if (message.step or "").startswith(_TELLING_TALKS):
        return True
    if any(choice.key.startswith(_TELLING_CHOICES) for choice in message.choices):
        return True
    return kind != "direct" or any(ref.table in _TELLING for ref in refs_of(message))


def is_unasked(kind: str, message: Message, asked_at: datetime | None, now: datetime) -> bool:
    """Whether a discreet phone may only be told that this waits."""
    if kind in _TELL_NOTHING or not is_bubble(message):
        return False
    return asked_at is None or asked_at < now - ASKED_LASTS


def clearable(message: Message) -> Message:
    """The same with [Clear] as its last choice."""
    return replace(message, choices=(*message.choices, CLEAR))
