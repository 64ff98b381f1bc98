"""What is found in the catalogues: entries that are missing, unused, or unfit to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError

from bot.i18n import fold
from bot.proofreading import RULES, Form, without_fields
from tests.language.catalogues import AWAITING, SOURCE, languages, path_of, read
from tests.language.library import read_library
from tests.language.source import Sentence, Source, read_source


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
    contents: int  # of the library

    @property
    def summary(self) -> str:
        return (
            f"language: {self.sentences} sentences and {self.contents} contents "
            f"x {self.languages} languages, {len(self.findings)} findings; "
            f"{self.awaiting} marked as awaiting a native reader"
        )


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
    contents, found = read_library(root, codes)
    findings += [Finding(each.file, each.slug, each.what) for each in found]
    return Report(findings, len(source.sentences), len(codes), awaiting, contents)


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
