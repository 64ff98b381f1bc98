"""What a typed text means: a choice of a list, or the number of a thread."""

from __future__ import annotations

import regex
from sqlalchemy import Connection

from bot.i18n import fold, graphemes, in_all_languages
from bot.messages import refs_of
from bot.smalltalk import yes_or_no
from bot.store import overrides
from bot.store.prompts import Prompt
from bot.store.references import References

LABEL = 20  # graphemes; what is longer was never a label

# "101", "Q101 …", "១០១…": no space is needed before another script; 1.5 and 150,000 are no threads.
_NUMBERED = regex.compile(
    r"\s*q?(\p{Nd}{3,8})(?![\p{Nd}]|[.,]\p{Nd}|[a-z])[\s.:,)-]*(.*)", regex.S | regex.I
)


def find_choice(db: Connection, text: str, prompt: Prompt, member_id: int) -> int | None:
    """The index of the choice that a typed number or label means, in any of our languages."""
    message = prompt.message
    typed = fold(text)
    if not typed or not message.choices:
        return None
    if typed.isdecimal():
        number = int(typed) if len(typed) <= 3 else 0
        return number - 1 if 1 <= number <= len(message.choices) else None
    said = yes_or_no(text)
    lookup = References(db, refs_of(message))
    for index, choice in enumerate(message.choices):
        if choice.key == said or typed in in_all_languages(choice.label, lookup):
            return index
    if graphemes(typed) > LABEL or text.startswith("/"):  # a command is nobody's own label
        return None
    msgids = {choice.label.msgid for choice in message.choices}
    for own in overrides.list_labels(db, msgids, (prompt.community_id, member_id)):
        hers = lookup.reading(own)
        for index, choice in enumerate(message.choices):
            if typed in in_all_languages(choice.label, hers):
                return index
    return None


def is_number(text: str) -> bool:
    """A small number that is not on the list was meant for the list all the same."""
    typed = fold(text)
    return typed.isdecimal() and len(typed) <= 2


def split_number(text: str) -> tuple[int | None, str]:
    """The thread number a text begins with, in any digits, and the rest of it."""
    found = _NUMBERED.fullmatch(text)
    return (None, text) if found is None else (int(found[1]), found[2].strip())
