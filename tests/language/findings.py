"""The rules: what makes an entry of a catalogue unfit to be sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import regex
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError

from bot.i18n import fold
from tests.language.catalogues import AWAITING, SOURCE, languages, path_of, read
from tests.language.source import Sentence, Source, read_source, without_fields

LABEL = 20  # characters: WhatsApp's quick replies
ABOUT = 256  # characters: Telegram's command descriptions

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
_ENDS = {"?": "?？។", ":": ":：៖"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend."""

    where: str  # a language, or a file and a line
    msgid: str
    what: str

    def __str__(self) -> str:
        msgid = self.msgid.replace("\n", "\\n")
        return f"{self.where}: {msgid!r}: {self.what}"


@dataclass(slots=True)
class Report:
    """What the check found, and how much it looked at."""

    findings: list[Finding]
    sentences: int
    languages: int
    awaiting: int

    @property
    def summary(self) -> str:
        return (
            f"language: {self.sentences} sentences x {self.languages} languages, "
            f"{len(self.findings)} findings; {self.awaiting} marked as awaiting a native reader"
        )


@dataclass(frozen=True, slots=True)
class Form:
    """One rendering to be judged, beside the English sentence it stands for."""

    language: str
    text: str
    source: str
    is_label: bool = False
    is_about: bool = False
    is_words: bool = False


def check(root: Path) -> Report:
    """Everything there is to find in the code and the catalogues below this folder."""
    source = read_source(root)
    findings = [
        Finding(f"{each.file}:{each.line}", each.msgid, each.what) for each in source.oddities
    ]
    lists: list[tuple[str, str, str]] = []  # (conversation, language, words)
    awaiting = 0
    codes = languages(root)
    for language in codes:
        try:
            catalogue = read(path_of(root, language), language)
        except (OSError, PoFileError) as error:
            why = type(error).__name__
            findings.append(Finding(language, "", f"the catalogue cannot be read ({why})"))
            continue
        findings += _in_catalogue(language, catalogue, source)
        lists += _lists_in(language, catalogue, source)
        awaiting += sum(AWAITING in each.user_comments for each in catalogue)
    findings += _colliding(lists)
    return Report(findings, len(source.sentences), len(codes), awaiting)


# One catalogue -----------------------------------------------------------------------------------


def _in_catalogue(language: str, catalogue: Catalog, source: Source) -> Iterator[Finding]:
    if catalogue.locale_identifier not in (None, language):
        yield Finding(language, "", f"its header says {catalogue.locale_identifier}")
    known = {_singular(each): each for each in catalogue if each.id}
    for msgid in known.keys() - source.sentences.keys():
        yield Finding(language, msgid, "unused: no sentence of the code")
    for msgid, sentence in source.sentences.items():
        where = f"{language} {sentence.files[0]}"
        found = known.get(msgid)
        if found is None:
            yield Finding(where, msgid, "missing: `make language` adds it")
            continue
        for what in _in_entry(language, found, sentence, source):
            yield Finding(where, msgid, what)


def _in_entry(language: str, entry: Message, sentence: Sentence, source: Source) -> Iterator[str]:
    if entry.fuzzy:
        yield "fuzzy: guessed from another sentence"
    if bool(entry.pluralizable) != bool(sentence.plural):
        yield "the code has a plural and the catalogue none, or the other way round"
        return
    for text, original in _forms(entry, sentence):
        if not text and language != SOURCE:
            if any(sign.isalpha() for sign in without_fields(original)):
                yield "untranslated"
            continue
        form = Form(
            language,
            text or original,
            original,
            sentence.msgid in source.labels,
            sentence.msgid in source.abouts,
            sentence.msgid in source.words,
        )
        for rule in RULES:
            yield from rule(form)


def _forms(entry: Message, sentence: Sentence) -> Iterator[tuple[str, str]]:
    """(translation, the English it stands for); a single form stands for the plural."""
    if sentence.plural is None:
        yield str(entry.string or ""), sentence.msgid
        return
    forms = [str(each or "") for each in entry.string or ()]
    for index, form in enumerate(forms):
        first_of_many = index == 0 and len(forms) > 1
        yield form, sentence.msgid if first_of_many else sentence.plural


def _singular(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


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
    length = len(regex.sub(r"\{\w+\}", "", form.text))
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


# Lists of words ----------------------------------------------------------------------------------


def _lists_in(language: str, catalogue: Catalog, source: Source) -> Iterator[tuple[str, str, str]]:
    for msgid, conversation in source.words.items():
        entry = catalogue.get(msgid)
        yield conversation, language, str(entry.string or msgid) if entry else msgid


def _colliding(lists: list[tuple[str, str, str]]) -> Iterator[Finding]:
    """A typed word starts one talk only, whatever language it is taken from."""
    owners: dict[str, str] = {}
    for conversation, language, words in lists:
        for word in filter(None, map(fold, words.split(","))):
            owner = owners.setdefault(word, conversation)
            if owner != conversation:
                yield Finding(language, word, f"starts both {owner} and {conversation}")
