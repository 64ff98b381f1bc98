"""The library: tips and weekly questions for everybody, and what a file says of a community.

A file is taken in again and again. What is new in it is added, what it changed is changed here,
and what people have worded otherwise meanwhile stays as they have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import yaml
from sqlalchemy import Connection

from bot import strictly
from bot.i18n import LOCALES, SOURCE, languages, tidy
from bot.store import contents
from bot.store.contents import DRAFT, REVIEWED, Content, Wording

FILES = {"tip": "tips.yaml", "prompt": "prompts.yaml"}
KEY = "library/"  # what the keys of its contents begin with
ABOUT = ("slug", "theme")  # of an entry; all else are languages


class LibraryError(Exception):
    """A file that cannot be used; the text names the place and the mend, in one line."""


@dataclass(frozen=True, slots=True)
class Item:
    """A content as a file has it."""

    key: str
    kind: str
    language: str  # of its source
    texts: Mapping[str, str]  # by language, the source among them
    theme: str | None = None
    position: int = 0
    community_id: int | None = None
    # One hand wrote all of its languages: they go together, and what she changes she means.
    together: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a file in has done."""

    new: int = 0
    changed: int = 0
    kept: int = 0  # people have worded them otherwise, so they stay as they are
    retired: int = 0


# Files -------------------------------------------------------------------------------------------


def folder() -> Path:
    return LOCALES / "library"


def load(db: Connection, now: datetime) -> Taken:
    """Take the library of this version in; raises LibraryError. Again = no change."""
    items = [item for kind in FILES for item in read(folder(), kind)]
    taken = take(db, items, now)
    return replace(taken, retired=_retire(db, items, now))


def read(where: Path, kind: str) -> list[Item]:
    """The entries of one kind; none if there is no file. Raises LibraryError."""
    path = where / FILES[kind]
    try:
        found = strictly.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LibraryError(f"{path.name} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise LibraryError(f"{path.name} is no YAML{line}: mend it and start again") from None
    if not isinstance(found, list):
        raise LibraryError(f"{path.name}: write a list of entries, each with slug, theme and en")
    items = [_item(each, kind, number, path.name) for number, each in enumerate(found, 1)]
    keys = [each.key for each in items]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise LibraryError(f"{path.name}: two entries have the slug {twice.rpartition('/')[2]}")
    return items


def _item(entry: object, kind: str, number: int, name: str) -> Item:
    place = f"{name}, entry {number}"
    if not isinstance(entry, dict) or not all(isinstance(each, str) for each in entry.values()):
        raise LibraryError(f"{place}: write slug, theme and a text for each language")
    strange = [str(each) for each in entry if each not in (*ABOUT, *languages())]
    if strange:
        raise LibraryError(f"{place}: {strange[0]} is no language here")
    slug, theme = (tidy(entry.get(each, "")) for each in ABOUT)
    texts = {code: tidy(entry[code]) for code in languages() if tidy(entry.get(code, ""))}
    for what, value, most in (("slug", slug, 60), ("theme", theme, 20)):
        if not value or len(value) > most:
            raise LibraryError(f"{place}: {what} is missing, or longer than {most} letters")
    if SOURCE not in texts:
        raise LibraryError(f"{place} ({slug}): {SOURCE}, its source, is missing")
    return Item(f"{KEY}{kind}/{slug}", kind, SOURCE, texts, theme, number)


def _retire(db: Connection, items: Sequence[Item], now: datetime) -> int:
    """What the library has no more is not said any more; a kind without a file stays."""
    kinds, keys = {item.kind for item in items}, {item.key for item in items}
    gone = [
        each
        for key, each in contents.list_by_key(db, KEY).items()
        if each.kind in kinds and key not in keys and not each.is_retired
    ]
    for each in gone:
        contents.retire(db, each.id, now)
    return len(gone)


def retire_unsaid(db: Connection, key: str, now: datetime) -> None:
    """The file has taken it out; what people wrote in its place, or beside it, stays."""
    found = contents.find_by_key(db, key)
    if found is None or found.is_retired:
        return
    if not any(
        is_edited(each) for each in contents.list_wordings(db, [found.id])[found.id].values()
    ):
        contents.retire(db, found.id, now)


# Taking in ---------------------------------------------------------------------------------------


def of_community(community_id: int, kind: str, language: str, texts: Mapping[str, str]) -> Item:
    """Its name or its purpose, as the programme file has it."""
    source = language if language in texts else SOURCE if SOURCE in texts else min(texts)
    key = contents.key_of(community_id, kind)
    return Item(key, kind, source, texts, community_id=community_id, together=True)


def take(db: Connection, items: Sequence[Item], now: datetime) -> Taken:
    """Bring the store to what a file says, but for what people have changed here since."""
    prefixes = {KEY if item.key.startswith(KEY) else item.key for item in items}
    known = {
        key: each for prefix in prefixes for key, each in contents.list_by_key(db, prefix).items()
    }
    there = [known[item.key].id for item in items if item.key in known]
    wordings = contents.list_wordings(db, there) if there else {}
    outcomes = [
        _add(db, item, now)
        if item.key not in known
        else _change(db, item, known[item.key], wordings.get(known[item.key].id, {}), now)
        for item in items
    ]
    return Taken(outcomes.count("new"), outcomes.count("changed"), outcomes.count("kept"))


def _add(db: Connection, item: Item, now: datetime) -> str:
    id_ = _save_source(db, item, item.texts[item.language], now)
    for code, text in item.texts.items():
        if code != item.language:
            _translate(db, id_, item, code, text, now)
    return "new"


def _change(
    db: Connection, item: Item, content: Content, there: Mapping[str, Wording], now: datetime
) -> str:
    wanted = {
        code: _is_wanted(item, code, there.get(code), text) for code, text in item.texts.items()
    }
    kept = [code for code, wording in there.items() if _is_kept(item, code, wording)]
    if (item.theme, item.position, False) != (content.theme, content.position, content.is_retired):
        contents.place(db, content.id, item.theme, item.position)
    source_stays = item.language in kept and not item.together
    if source_stays or not any((*wanted.values(), item.language != content.language)):
        # Translations of the file's source are none of the words that people put in its place.
        return "kept" if kept else "same"
    anew = wanted[item.language] or item.language != content.language
    if anew:
        _save_source(db, item, _text(item, item.language, there, wanted), now)
    for code in item.texts:
        if code != item.language and (wanted[code] or (anew and item.together)):
            _translate(db, content.id, item, code, _text(item, code, there, wanted), now)
    return "changed"


def _is_wanted(item: Item, code: str, wording: Wording | None, text: str) -> bool:
    """Whether the file says something else than when it was last taken in, and may say it."""
    if wording is None:
        return True
    if wording.library_hash == contents.hash_of(text):
        return False
    reviewed = code != item.language and wording.status == REVIEWED
    return item.together or not (reviewed or is_edited(wording))


def _is_kept(item: Item, code: str, wording: Wording) -> bool:
    """Whether people have worded it otherwise, and the file does not come after them."""
    text = item.texts.get(code)
    if text is None or _is_wanted(item, code, wording, text):
        return False
    return is_edited(wording) or wording.library_hash != contents.hash_of(text)


def is_edited(wording: Wording) -> bool:
    """Whether somebody here has changed what the file said, or has written it at all."""
    return wording.author_id is not None or contents.hash_of(wording.text) != wording.library_hash


def _text(item: Item, code: str, there: Mapping[str, Wording], wanted: Mapping[str, bool]) -> str:
    """What is to stand there: the file's words, or those of people if the file is as it was."""
    return item.texts[code] if wanted[code] else there[code].text


def _save_source(db: Connection, item: Item, text: str, now: datetime) -> int:
    return contents.save(
        db,
        item.key,
        item.kind,
        item.language,
        text,
        now,
        community_id=item.community_id,
        theme=item.theme,
        position=item.position,
        library_hash=contents.hash_of(item.texts[item.language]),
    )


def _translate(db: Connection, id_: int, item: Item, code: str, text: str, now: datetime) -> None:
    status = REVIEWED if item.together else DRAFT
    library_hash = contents.hash_of(item.texts[code])
    contents.translate(db, id_, code, text, now, status=status, library_hash=library_hash)
