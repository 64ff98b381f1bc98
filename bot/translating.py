"""A translator's spreadsheet: contents out of the store, and back into it, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bot import sheets
from bot.i18n import languages, tidy
from bot.proofreading import of_content
from bot.sheets import Column, Row, Sheet, SheetError
from bot.store import audit, contents, translations
from bot.store.contents import DRAFT, REVIEWED, hash_of
from bot.store.translations import MISSING, STALE, STATUSES, Translation

TITLE = "translations"
NEEDED = ("key", "source", "status", "mark")
STALE_NOTE = "The source has changed since: read both again, then write draft or reviewed."
_TEXT_HEAD = re.compile(r"text \(([a-z]{2,3})\)")
_KEY = re.compile(r"[a-z0-9/_-]{1,120}")
_MARK = re.compile(rf"([0-9a-f]{{16}})\.([0-9a-f]{{16}}|-)\.({'|'.join(STATUSES)})")


@dataclass(frozen=True, slots=True)
class Change:
    """One wording as it will be."""

    row: int
    content: Translation
    text: str
    status: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.content.key}: {self.content.status}, now {self.status}"


@dataclass(slots=True)
class Findings:
    """What a file would change, and all that is wrong with it."""

    language: str
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # each names its row
    same: int = 0
    empty: int = 0


# Out ---------------------------------------------------------------------------------------------


def export(found: Iterable[Translation], language: str) -> bytes:
    """The source beside the translation, and how that stands."""
    columns = (
        Column("key", 34),
        Column("kind", 9),
        Column("theme", 14),
        Column("for", 14),
        Column("source", 60),
        Column(_text_head(language), 60, is_open=True),
        Column("status", 11, is_open=True, one_of=(DRAFT, REVIEWED)),
        Column("note", 30),
        Column("mark", 12, is_hidden=True),
    )
    return sheets.write(TITLE, columns, (_cells(each) for each in found))


def _text_head(language: str) -> str:
    return f"text ({language})"


def _cells(each: Translation) -> tuple[str, ...]:
    return (
        each.key,
        each.kind,
        each.theme or "",
        each.community or "everybody",
        each.source,
        each.text or "",
        each.status,
        STALE_NOTE if each.status == STALE else "",
        f"{each.source_hash}.{_hash(each.text)}.{each.status}",
    )


def _hash(text: str | None) -> str:
    return hash_of(tidy(text)) if text else "-"


# In ----------------------------------------------------------------------------------------------


def bring_in(db: Connection, sheet: Sheet, now: datetime, *, only_check: bool) -> Findings:
    """Judge all of it; save it only if nothing at all is wrong. Raises SheetError."""
    findings = Findings(_language_of(sheet))
    every = translations.list_into(db, findings.language, discreet_too=True)
    known = {each.key: each for each in every}
    seen: set[str] = set()
    for row in sheet.rows:
        key = _key(row)
        if key in seen:
            findings.problems.append(_at(row, "a second row with this key: leave one"))
            continue
        seen.add(key)
        _judge(row, known.get(key), findings)
    if not findings.problems and not only_check:
        _save(db, findings, now)
    return findings


def _language_of(sheet: Sheet) -> str:
    missing = [head for head in NEEDED if head not in sheet.heads]
    if missing:
        raise SheetError(f"there is no column {', '.join(missing)}: start from an export")
    named = [found[1] for head in sheet.heads if (found := _TEXT_HEAD.fullmatch(head))]
    if len(named) != 1:
        raise SheetError(
            "it takes one column for the text, such as text (km): start from an export"
        )
    if named[0] not in languages():
        raise SheetError(f"{named[0]} is no language here; there are {', '.join(languages())}")
    return named[0]


def _judge(row: Row, content: Translation | None, findings: Findings) -> None:
    head = _text_head(findings.language)
    odd = [each for each in (*NEEDED, head) if each in row.odd]
    mark = _MARK.fullmatch(row.cells.get("mark", "").strip())
    if odd:
        problems = [f"{each} holds {row.odd[each]}: write plain text" for each in odd]
    elif content is None:
        problems = ["there is nothing with this key (any more): take the row out"]
    elif mark is None:
        problems = ["its mark is damaged: copy it from a new export"]
    else:
        text = tidy(row.cells.get(head, ""))
        status = row.cells.get("status", "").strip().lower()
        problems = _take(row, content, mark, text, status, findings)
    findings.problems += [_at(row, each) for each in problems]


def _take(
    row: Row,
    content: Translation,
    mark: re.Match[str],
    text: str,
    status: str,
    findings: Findings,
) -> list[str]:
    """Count it, note a change, or say what is wrong."""
    was_source, was_text, was_status = mark.groups()
    if was_source == content.source_hash and tidy(row.cells.get("source", "")) != tidy(
        content.source
    ):
        return ["the source was changed here, which only its author can: put it back"]
    if status not in ("", *STATUSES):
        return ["status is draft or reviewed, nothing else"]
    touched = _hash(text) != was_text
    if not touched and status in ("", was_status):
        findings.same += bool(text)
        findings.empty += not text
        return []
    if not text:
        return ["there is no translation in it: an import takes none away"]
    wanted = status if status in (DRAFT, REVIEWED) else DRAFT
    if not touched and status in (STALE, MISSING):
        return ["status is draft or reviewed: the other two are found out"]
    if _hash(text) == _hash(content.text) and wanted == content.status:
        findings.same += 1  # the same file once more
        return []
    if was_source != content.source_hash:
        return ["its source has changed since the export: export again, then translate it anew"]
    if was_text != _hash(content.text) != _hash(text):
        return ["somebody changed the translation since the export: export again and compare"]
    findings.changes.append(Change(row.number, content, text, wanted))
    return of_content(findings.language, text, content.source, content.kind)


def _key(row: Row) -> str:
    return row.cells.get("key", "").strip()


def _at(row: Row, what: str) -> str:
    """The place in the file; what stands there is repeated only if it may be a key."""
    key = _key(row)
    return f"row {row.number}{f', {key}' if _KEY.fullmatch(key) else ''}: {what}"


def _save(db: Connection, findings: Findings, now: datetime) -> None:
    """A text that was read by somebody is no library's any more: it is not overwritten."""
    for each in findings.changes:
        contents.translate(
            db, each.content.id, findings.language, each.text, now, status=each.status
        )
    for community_id in sorted({each.content.community_id or 0 for each in findings.changes}):
        action = f"contents.imported {findings.language}"
        audit.add(db, None, action, now, community_id=community_id or None)


# How far it is -----------------------------------------------------------------------------------


def coverage(found: Iterable[Translation]) -> dict[str, dict[str, int]]:
    """How many there are of each kind in each status."""
    counted: dict[str, dict[str, int]] = {}
    for each in found:
        kind = counted.setdefault(each.kind, dict.fromkeys(STATUSES, 0))
        kind[each.status] += 1
    return counted
