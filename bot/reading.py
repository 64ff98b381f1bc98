"""What a typed text means: a choice of a list, or the number of a thread."""

from __future__ import annotations

import regex
from sqlalchemy import Connection

from bot.i18n import fold, in_all_languages
from bot.messages import Message, refs_of
from bot.smalltalk import yes_or_no
from bot.store.references import References

# "101", "Q101 …", "១០១…": no space is needed before another script; 1.5 and 150,000 are no threads.
_NUMBERED = regex.compile(
    r"\s*q?(\p{Nd}{3,8})(?![\p{Nd}]|[.,]\p{Nd}|[a-z])[\s.:,)-]*(.*)", regex.S | regex.I
)


def find_choice(db: Connection, text: str, message: Message) -> int | None:
    """The index of the choice that a typed number or label means, in any of our languages."""
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
    return None


def is_number(text: str) -> bool:
    """A small number that is not on the list was meant for the list all the same."""
    typed = fold(text)
    return typed.isdecimal() and len(typed) <= 2


def split_number(text: str) -> tuple[int | None, str]:
    """The thread number a text begins with, in any digits, and the rest of it."""
    found = _NUMBERED.fullmatch(text)
    return (None, text) if found is None else (int(found[1]), found[2].strip())
