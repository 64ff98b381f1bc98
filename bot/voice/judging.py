"""Judging: which words of an engine are believed. What is not, is left out; nothing is invented."""

from __future__ import annotations

from typing import Literal

import regex

from bot.i18n import fold, tidy

Doubt = Literal["silence", "script", "loop", "invented"]

LONGEST = 6000  # characters: five minutes of fast speech
FASTEST = 40  # characters a second that somebody can say
_SCRIPTS = {"lo": "Lao", "km": "Khmer", "en": "Latin"}
_LETTER = regex.compile(r"\p{L}")
_OURS = {code: regex.compile(rf"(?=\p{{L}})\p{{{name}}}") for code, name in _SCRIPTS.items()}
_OWN_SHARE = 0.5  # of all letters; names and words of others may stand among them
# Five times the same in a row, and that is most of it.
_LOOP = regex.compile(r"(.{1,60}?)\1{4,}")
_LOOP_SHARE = 0.5
# What an engine says of what is no speech: [music], *sighs*, or nothing but (applause).
_SOUND = regex.compile(r"\[[^\]]*\]|♪[^♪]*♪?|\*[^*]*\*|^\s*\([^)]*\)\s*$")

# What engines are known to say about silence and music, if it is all they say.
_SAID_OF_SILENCE = frozenset(
    fold(each).strip(".!… ")
    for each in (
        "you",
        "bye",
        "bye bye",
        "so",
        "oh",
        "thank you",
        "thanks",
        "thank you very much",
        "thank you so much",
        "thank you for watching",
        "thanks for watching",
        "thank you for watching this video",
        "thanks for watching and see you next time",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "don't forget to like and subscribe",
        "see you next time",
        "see you in the next video",
        "subtitles by the amara.org community",
        "subtitles by",
        "transcribed by",
        "ຂອບໃຈ",
        "ຂອບໃຈທີ່ຮັບຊົມ",
        "អរគុណ",
        "សូមអរគុណ",
        "អរគុណសម្រាប់ការទស្សនា",
    )
)


def judge(said: str, language: str, milliseconds: int | None) -> tuple[str | None, Doubt | None]:
    """The words as they may stand, or None and what is wrong with them."""
    words = tidy(_SOUND.sub(" ", said))
    if not _LETTER.search(words) or fold(words).strip(".!… ") in _SAID_OF_SILENCE:
        return None, "silence"
    if not _is_own_script(words, language):
        return None, "script"
    if _is_loop(words):
        return None, "loop"
    seconds = None if milliseconds is None else 1 + milliseconds / 1000
    if len(words) > LONGEST or (seconds is not None and len(words) > FASTEST * seconds):
        return None, "invented"
    return words, None


def _is_own_script(words: str, language: str) -> bool:
    """An engine that does not know a language answers in another one."""
    ours = _OURS.get(language)
    if ours is None:
        return True
    return len(ours.findall(words)) >= _OWN_SHARE * len(_LETTER.findall(words))


def _is_loop(words: str) -> bool:
    """An engine that has lost its way says the same again and again."""
    plain = regex.sub(r"[\s\p{P}]+", "", fold(words))
    repeated = sum(len(found.group(0)) for found in _LOOP.finditer(plain))
    return repeated > _LOOP_SHARE * len(plain) and repeated >= 10
