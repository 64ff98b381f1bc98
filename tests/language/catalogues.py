"""The catalogues as files: read, brought up to date, written in one stable form."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog, Message

from bot import catalogues
from bot.catalogues import AWAITING, as_bytes, read
from bot.proofreading import without_fields
from tests.language.source import Sentence, read_source

__all__ = ["AWAITING", "as_bytes", "languages", "merge", "path_of", "read", "update"]

LANGUAGES = ("en", "lo", "km")  # always there; any other folder in locales/ is one more
LIBRARY = "library"  # but this one: tips and weekly questions
SOURCE = "en"


def languages(root: Path) -> tuple[str, ...]:
    """The three, and every further folder in locales/ but the library."""
    folders = sorted(path.name for path in (root / "locales").glob("*") if path.is_dir())
    return (*LANGUAGES, *(code for code in folders if code not in (*LANGUAGES, LIBRARY)))


def path_of(root: Path, language: str) -> Path:
    return catalogues.path_of(language, root / "locales")


def update(root: Path) -> list[str]:
    """Bring every catalogue up to date; one line for each about what changed."""
    sentences = read_source(root).sentences
    return [_update_one(root, language, sentences) for language in languages(root)]


def _update_one(root: Path, language: str, sentences: dict[str, Sentence]) -> str:
    path = path_of(root, language)
    before = read(path, language) if path.exists() else Catalog(locale=language)
    after = merge(before, sentences, language)
    written = as_bytes(after, language)
    if not path.exists() or path.read_bytes() != written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written)
    new = sum(1 for each in after if each.id and _singular(each) not in _ids(before))
    retired = sum(1 for msgid in _ids(before) if msgid not in sentences)
    return f"{language}: {len(sentences)} sentences, {new} new, {retired} retired"


def merge(before: Catalog, sentences: dict[str, Sentence], language: str) -> Catalog:
    """The sentences of the code with the translations there are; the others become obsolete."""
    after = Catalog(locale=language, fuzzy=False)
    for sentence in sentences.values():
        old = before.get(sentence.msgid) or before.obsolete.get(sentence.msgid)
        _add(after, sentence, old, language)
    retired = {_singular(each): each for each in (*before.obsolete.values(), *before) if each.id}
    for msgid in sorted(retired.keys() - sentences.keys()):
        if _said(retired[msgid]):
            after.obsolete[msgid] = retired[msgid]
    return after


def _add(catalog: Catalog, sentence: Sentence, old: Message | None, language: str) -> None:
    id_ = (sentence.msgid, sentence.plural) if sentence.plural else sentence.msgid
    if old is not None and bool(old.pluralizable) != bool(sentence.plural):
        old = None  # one form cannot stand for two: read it anew
    fresh = [AWAITING] if _to_translate(sentence, language) else []
    flags = {"fuzzy"} if old is not None and old.fuzzy else set()
    message = catalog.add(
        id_,
        string=("" if sentence.plural is None else ("",) * catalog.num_plurals)
        if old is None
        else old.string,
        locations=[(file, 0) for file in sentence.files],
        auto_comments=sentence.notes,
        user_comments=fresh if old is None else old.user_comments,
        flags=flags,
    )
    message.flags -= {"python-format"}  # a guess of Babel's: "100% sure" is no format


def _ids(catalog: Catalog) -> set[str]:
    return {_singular(each) for each in catalog if each.id}


def _singular(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


def _said(message: Message) -> bool:
    """Only what was translated is worth keeping when it is retired."""
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return any(forms)


def _to_translate(sentence: Sentence, language: str) -> bool:
    """Not English, and more than placeholders and signs."""
    return language != SOURCE and any(sign.isalpha() for sign in without_fields(sentence.msgid))
