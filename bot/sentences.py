"""The bot's own sentences, found again by some words of them, as they stand on a phone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import regex
from babel.messages.pofile import read_po

from bot.i18n import LOCALES, Own, fold

# What is said there keeps somebody safe, tells who reads something and with whose name, or is what
# she agreed to: it reads the same everywhere.
FIXED = frozenset(
    {
        "bot/discretion.py", "bot/mydata/__init__.py", "bot/mydata/promises.py",
        "bot/nameless.py", "bot/responses.py", "bot/templates.py", "bot/truth.py",
        "handlers/concerns.py", "handlers/discreet.py",
        "handlers/doubt.py", "handlers/forget.py", "handlers/given.py", "handlers/heavy.py",
        "handlers/moderation.py", "handlers/myanswers.py", "handlers/mydata.py",
        "handlers/nameless.py", "handlers/outcomes.py", "handlers/readers.py",
        "handlers/receipts.py", "handlers/report.py", "handlers/responses.py",
        "handlers/secret.py", "handlers/stop.py", "handlers/support.py", "handlers/vouch.py",
    }
)  # fmt: skip
FIXED_WORDS = (
    *("What is kept:", "Do you agree?", "I agree"),  # in the welcome
    *("Which group shall see it?", "With my name", "Without my name", "Others first read"),
    *("It cannot hide what", "The group is small:"),  # who reads a question, and whose it is
)
# Words to type, and what only developers see: nobody hears them in a chat.
UNHEARD = ("bot/typed.py", "bot/when/words.py", "bot/smalltalk.py", "bot/web/", "bot/rehearsal/")
HOLDS = 2.0  # what it scores that the very words stand in it
ENOUGH = 0.7  # of its threes of letters are the same
LONG = 8  # letters; what is shorter stands in too many sentences
_FIELD = regex.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One of the catalogue, as it is said in one language."""

    msgid: str
    plural: str | None
    forms: tuple[str, ...]
    files: frozenset[str]  # in which it stands

    @property
    def is_fixed(self) -> bool:
        return bool(self.files & FIXED) or self.msgid.startswith(FIXED_WORDS)


@cache
def all_of(language: str) -> Mapping[str, Sentence]:
    """All that is said in a language, by its English; retired ones are said no more."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        messages = [each for each in read_po(file, locale=language) if each.id]
    found = {}
    for each in messages:
        msgid, plural = each.id if isinstance(each.id, tuple) else (str(each.id), None)
        said = each.string if isinstance(each.string, tuple) else (each.string,)
        usual = (msgid,) if plural is None else (msgid, plural)[-len(said) :]
        forms = tuple(str(form or other) for form, other in zip(said, usual, strict=False))
        files = frozenset(file for file, _line in each.locations)
        if not all(file.startswith(UNHEARD) for file in files):
            found[msgid] = Sentence(msgid, plural, forms, files)
    return found


def search(
    language: str, words: str, own: Own, without: Collection[str], most: int = 6
) -> list[Sentence]:
    """Those that hold these words, or are part of them, best first; also as a programme says it."""
    typed = fold(_FIELD.sub(" ", words))
    wanted = _threes(typed)
    found = []
    for msgid, sentence in all_of(language).items():
        forms = (*own.get((language, msgid), ()), *sentence.forms)
        score = max(_alike(typed, wanted, fold(_FIELD.sub(" ", form))) for form in forms)
        if score >= ENOUGH and msgid not in without:
            found.append((-score, len(forms[0]), msgid, sentence))
    found.sort(key=lambda each: each[:3])
    if (
        found and found[0][0] <= -HOLDS
    ):  # where it stands as it is, what is only like it is not meant
        found = [each for each in found if each[0] <= -HOLDS]
    return [sentence for *_order, sentence in found[:most]]


def _alike(typed: str, wanted: frozenset[str], text: str) -> float:
    if not all(any(sign.isalpha() for sign in each) for each in (typed, text)):
        return 0.0
    if typed == text:
        return HOLDS + 1
    if typed in text:
        return HOLDS
    threes = _threes(text)
    shared = len(wanted & threes)
    part = shared / len(threes) if len(text) >= LONG else 0.0  # a whole bubble was sent
    return max(part, shared / len(wanted) if len(typed) >= LONG else 0.0)


@cache
def _threes(text: str) -> frozenset[str]:
    padded = f" {text} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))
