"""Greetings, thanks and signs of life: none of them is a question."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from bot.i18n import fold, word_list
from bot.messages import N_, File

GREETINGS = N_("hello, hi, hey, good morning, good afternoon, good evening")
THANKS = N_("thanks, thank you, thank you very much, many thanks")
SIGNS = N_("ok, okay, good, fine, great, sure, noted")
YES = N_("yes, i agree, agree")
NO = N_("no, not now")

PASSED_ON = ("voice", "video", "photo", "document")

_LETTERS = regex.compile(r"\p{L}")
_WORDS = regex.compile(r"[\p{L}\p{N}]")


def is_greeting(text: str) -> bool:
    return _is_one_of(text, GREETINGS)


def is_thanks(text: str) -> bool:
    return _is_one_of(text, THANKS)


def has_words(text: str) -> bool:
    """Whether there is a letter in it at all."""
    return _LETTERS.search(text) is not None


def yes_or_no(text: str) -> str | None:
    """ "yes" or "no", however it is said; None for anything else."""
    return "yes" if _is_one_of(text, YES) else "no" if _is_one_of(text, NO) else None


def is_agreement(text: str) -> bool:
    """yes, no, ok: said to a question, but not which of several."""
    return any(_is_one_of(text, words) for words in (SIGNS, YES, NO))


def is_small(text: str, files: Iterable[File] = ()) -> bool:
    """True if there is nothing in it to pass on: a greeting, thanks, ok, emoji, a sticker."""
    kinds = {file.kind for file in files}
    if kinds - {"sticker"}:
        return False
    if not _WORDS.search(text):
        return True
    return is_agreement(text) or is_greeting(text) or is_thanks(text)


def can_be_passed_on(text: str, files: Iterable[File]) -> bool:
    """Whether others can read, hear or see it: places, contacts and stickers are not passed on."""
    return bool(text) or any(file.kind in PASSED_ON for file in files)


def is_taken(text: str, usual: str = "") -> bool:
    """Whether it is no label: typed, it would be an answer, small talk, or a place on a list.

    A button that says yes `usual`ly may say it in other words.
    """
    said = yes_or_no(text)
    if said is not None and said == yes_or_no(usual):
        return False
    return fold(text).isdecimal() or is_small(text)


def _is_one_of(text: str, words: str) -> bool:
    return len(text) < 60 and fold(text) in word_list(words)
