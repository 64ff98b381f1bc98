"""What makes words unfit to be said: fields lost, foreign script, too long, signs nobody sees.

One room for all who take words in: the language check, a translator's file, WORDING in a chat.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

import regex

from bot.i18n import fold, guess_language

LABEL = 20  # characters: WhatsApp's quick replies
ABOUT = 256  # characters: Telegram's command descriptions
LENGTHS = {"tip": 400, "prompt": 400, "purpose": 400, "name": 120}  # characters, of contents

SCRIPTS = {"en": "Latin", "lo": "Lao", "km": "Khmer"}
# What languages call themselves stands in its own script everywhere.
OWN_NAMES = ("ພາສາລາວ", "ລາວ", "ភាសាខ្មែរ", "ខ្មែរ", "English")
# Latin words that Lao and Khmer people write as they are.
LATIN = frozenset(
    {"Telegram", "WhatsApp", "Facebook", "Google", "Excel", "Zoom", "PDF", "SMS", "Linkline", "CoP"}
    | {"START", "STOP", "HELP", "MENU", "CANCEL", "Q"}  # words to type, and the Q of Q101
)
_LATIN_WORD = regex.compile(r"\p{Latin}[\p{Latin}\p{M}\p{N}'’_-]*")
_NO_WORDS = regex.compile(r"https?://\S+|(?<!\S)/[a-z0-9_]+|\bQ\d+\b")
_EMOJI_JOINED = regex.compile(r"(?<=[\p{Extended_Pictographic}\ufe0f\U0001f3fb-\U0001f3ff])\u200d")
_PERCENT = regex.compile(r"%(\(\w+\)|[-+#0]*\d*(\.\d+)?)[sdifrxoeg](?!\p{L})")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters that show nothing
_FORMULAS = ("=", "+", "-", "@")
_SENTENCE_ENDS = (".", ":")  # no label ends so
_NAMED = regex.compile(r"\{\w+\}")
_ENDS = {"?": "?？។", ":": ":：៖"}


@dataclass(frozen=True, slots=True)
class Form:
    """One rendering to be judged, beside the English sentence it stands for."""

    language: str
    text: str
    source: str
    is_label: bool = False
    is_about: bool = False
    is_words: bool = False


def of_sentence(
    language: str,
    forms: Sequence[str],
    msgid: str,
    plural: str | None = None,
    *,
    usual: Sequence[str] = (),
) -> list[str]:
    """What is wrong with a sentence of the catalogues put otherwise; `usual`: as they put it.

    Nobody knows here which sentences are labels: one that is short in English and in the
    catalogue may be one, and has to stay short.
    """
    sources = [msgid] if plural is None else [plural] * len(forms)
    if plural is not None and len(forms) > 1:
        sources[0] = msgid
    found = [] if len(sources) == len(forms) else ["it takes one form only"]
    for text, source in zip(forms, sources, strict=False):
        form = Form(
            language,
            text,
            source,
            is_label=may_be_label(msgid, *usual),
            is_words=are_words(msgid),
        )
        found += [what for rule in SENTENCE_RULES for what in rule(form)]
    return list(dict.fromkeys(found))


def of_content(language: str, text: str, source: str, kind: str) -> list[str]:
    """What is wrong with a tip, a question, a name or a purpose in this language."""
    form = Form(language, text, source)
    rules = CONTENT_RULES if kind == "name" else (*CONTENT_RULES, _own_script)
    found = [what for rule in rules for what in rule(form)]
    most = LENGTHS.get(kind)
    if most is not None and len(text) > most:
        found.append(f"{len(text)} characters, at most {most}")
    return found


def may_be_label(*said: str) -> bool:
    """Labels are short however they are said (the English first), and are no sentences."""
    return said[0][-1:] not in _SENTENCE_ENDS and max(map(_width, said)) <= LABEL


def without_fields(text: str) -> str:
    """What a translator has to do with: the sentence without its {names}."""
    return regex.sub(r"\{[^{}]*\}", " ", text)


def _width(text: str) -> int:
    return len(regex.sub(r"\{\w+\}", "", text))


def are_words(msgid: str) -> bool:
    """Words to type, as "hello, hi": nothing else is all small letters and commas."""
    return "," in msgid and msgid == msgid.lower() and msgid[-1] not in ".?!:)"


# Rules -------------------------------------------------------------------------------------------


def _placeholders(form: Form) -> Iterator[str]:
    try:
        wanted, found = _fields(form.source), _fields(form.text)
    except ValueError as error:
        yield f"braces: {error}"
        return
    for name in sorted(found | wanted):
        if not name.isidentifier():
            yield f"placeholder {{{name}}}: only {{names}} without anything else"
        elif name not in found:
            yield f"placeholder {{{name}}} is missing"
        elif name not in wanted:
            yield f"placeholder {{{name}}} is not in the English sentence"


def _percent(form: Form) -> Iterator[str]:
    found = _PERCENT.search(form.text)
    if found:
        yield f"'%' format {found.group()}: use {{names}}"


def _normal(form: Form) -> Iterator[str]:
    if unicodedata.normalize("NFC", form.text) != form.text:
        yield "not in Unicode form NFC"


def _foreign(form: Form) -> Iterator[str]:
    script = SCRIPTS.get(form.language)
    if script is None:
        return
    text = _without_names(form.text)
    found = regex.findall(rf"[^\p{{{script}}}\p{{Latin}}\p{{Common}}\p{{Inherited}}]+", text)
    if found:
        yield f"foreign script: {' '.join(sorted(set(found)))}"


def _latin(form: Form) -> Iterator[str]:
    """Romanised words may be typed to start a talk; nothing else stays in Latin letters."""
    if SCRIPTS.get(form.language) in (None, "Latin") or form.is_words:
        return
    text = _NO_WORDS.sub(" ", without_fields(_without_names(form.text)))
    left = [word for word in _LATIN_WORD.findall(text) if word not in LATIN]
    if left:
        yield f"Latin words left: {' '.join(left)}"


def _own_script(form: Form) -> Iterator[str]:
    """What people write may hold names in Latin letters, but is not all in Latin letters."""
    script = SCRIPTS.get(form.language)
    if script in (None, "Latin") or form.is_words or any(_foreign(form)):
        return
    text = _NO_WORDS.sub(" ", without_fields(form.text))
    text = _LATIN_WORD.sub(lambda word: "" if word[0] in LATIN else word[0], text)
    if regex.search(r"\p{L}", text) and guess_language(text) != form.language:
        yield f"hardly a letter of it is {script}"


def _invisible(form: Form) -> Iterator[str]:
    allowed = {"\n", " "} | ({"\u200b"} if form.language == "km" else set())
    text = _EMOJI_JOINED.sub("", form.text)
    found = {sign for sign in text if sign not in allowed and _is_unseen(sign)}
    if found:
        yield f"invisible: {' '.join(f'U+{ord(sign):04X}' for sign in sorted(found))}"


def _is_unseen(sign: str) -> bool:
    return sign in _UNSEEN or unicodedata.category(sign) in (
        "Cc",
        "Cf",
        "Zs",
        "Zl",
        "Zp",
        "Cn",
        "Co",
    )


def _lengths(form: Form) -> Iterator[str]:
    length = _width(form.text)
    if form.is_label and length > LABEL:
        yield f"a label of {length} characters, at most {LABEL}"
    if form.is_about and length > ABOUT:
        yield f"a command's description of {length} characters, at most {ABOUT}"


def _words(form: Form) -> Iterator[str]:
    if form.is_words and not all(fold(word) for word in form.text.split(",")):
        yield "an empty word in a list of words"


def _spaces(form: Form) -> Iterator[str]:
    if "  " in form.text:
        yield "two spaces"
    if _edges(form.text) != _edges(form.source):
        yield "begins or ends with other white space than the English sentence"


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _ending(form: Form) -> Iterator[str]:
    last, usual = form.text.rstrip("\u200b \n")[-1:], form.source.rstrip()[-1:]
    if usual in _ENDS and last not in _ENDS[usual] and not form.is_words:
        yield f"does not end with {' or '.join(_ENDS[usual])}"


def _empty(form: Form) -> Iterator[str]:
    if not form.text.strip() and form.source.strip():
        yield "it is empty"


def _formula(form: Form) -> Iterator[str]:
    """A table on a computer would take it for one."""
    first = form.text[:1]
    if first in _FORMULAS and first != form.source[:1]:
        yield f"begins with {first}, like a formula: begin with a word"


def _named(form: Form) -> Iterator[str]:
    """The {names} of a content; other braces are words like any, since nothing is filled in."""
    wanted, found = set(_NAMED.findall(form.source)), set(_NAMED.findall(form.text))
    for name in sorted(wanted - found):
        yield f"placeholder {name} is missing"
    for name in sorted(found - wanted):
        yield f"placeholder {name} is not in the source"


RULES: tuple[Callable[[Form], Iterator[str]], ...] = (
    _placeholders,
    _percent,
    _normal,
    _foreign,
    _latin,
    _invisible,
    _lengths,
    _words,
    _spaces,
    _ending,
)
SENTENCE_RULES = (
    _empty,
    *(rule for rule in RULES if rule is not _latin),
    _own_script,
    _formula,
)
CONTENT_RULES: tuple[Callable[[Form], Iterator[str]], ...] = (
    _empty,
    _named,
    _normal,
    _foreign,
    _invisible,
    _spaces,
    _formula,
)


def _fields(text: str) -> set[str]:
    """What stands in braces, with everything that stands there. Raises ValueError."""
    found = set()
    for _literal, name, spec, conversion in Formatter().parse(text):
        if name is not None:
            found.add(
                name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            )
    return found


def _without_names(text: str) -> str:
    for name in OWN_NAMES:
        text = text.replace(name, " ")
    return text
