"""A translator's catalogue (.po): sentences as one programme words them, or as all of us do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bot import catalogues, sentences
from bot.catalogues import CatalogueError, Entry
from bot.proofreading import are_words, may_be_label, of_sentence, without_fields
from bot.smalltalk import is_taken
from bot.store import audit, overrides
from bot.store.contents import DRAFT, REVIEWED, hash_of
from bot.store.translations import MISSING, STALE, STATUSES

Forms = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence as it will be said."""

    entry: Entry
    back: bool = False  # as in the catalogue again

    def __str__(self) -> str:
        what = "as in the catalogue again" if self.back else "worded anew"
        return f"line {self.entry.line}, {self.entry.msgid[:60]!r}: {what}"


@dataclass(slots=True)
class Findings:
    """What a file would change, and all that is wrong with it."""

    language: str
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # each names its line
    same: int = 0


# Out ---------------------------------------------------------------------------------------------


def export(language: str, own: Mapping[str, Forms] | None) -> bytes:
    """The whole catalogue; with a programme's `own` words what it may word, as it does."""
    catalog = catalogues.current(language)
    known = [*catalogues.entries(catalog)]
    others = [] if own is None else [each.msgid for each in known if not _may(language, each)]
    catalogues.without(catalog, others)
    for each in [*catalogues.entries(catalog)]:
        forms = (own or {}).get(each.msgid)
        if forms is not None:
            catalogues.put(catalog, each.msgid, forms, awaiting=False)
        catalogues.mark(catalog, each.msgid, _sign(forms or each.forms))
    return catalogues.as_bytes(catalog, language)


def _may(language: str, entry: Entry) -> bool:
    """Whether a programme may: not what keeps people safe, words that are typed, or web pages."""
    found = sentences.all_of(language).get(entry.msgid)
    if found is None or found.is_fixed or are_words(entry.msgid):
        return False
    return not all(file.startswith("bot/web/") for file in found.files)


def _sign(forms: Sequence[str]) -> str:
    return hash_of("\0".join(forms))


def own_words(db: Connection, programme_id: int, language: str) -> dict[str, Forms]:
    """By sentence, what a programme words otherwise."""
    found = overrides.list_of(db, programme_id, language)
    return {each.msgid: tuple(each.forms) for each in found}


# In ----------------------------------------------------------------------------------------------


def judge(language: str, found: Sequence[Entry], own: Mapping[str, Forms] | None) -> Findings:
    """All that would change: a programme's `own` words, or (None) the catalogue itself."""
    findings = Findings(language)
    known = {each.msgid: each for each in catalogues.entries(catalogues.current(language))}
    for entry in found:
        usual = known.get(entry.msgid)
        problems = _take(entry, usual, own, findings)
        findings.problems += [f"line {entry.line}: {each}" for each in problems]
    return findings


def _take(
    entry: Entry, usual: Entry | None, own: Mapping[str, Forms] | None, findings: Findings
) -> list[str]:
    """Count it, note a change, or say what is wrong."""
    language = findings.language
    read_now = own is None and usual is not None and usual.is_awaiting and not entry.is_awaiting
    if entry.mark == _sign(entry.forms) and not read_now:
        findings.same += 1
        return []
    if usual is None or entry.plural != usual.plural:
        return ["there is no such sentence (any more): take it out"]
    now = (own or {}).get(entry.msgid, usual.forms)
    if entry.forms == now and not read_now:
        findings.same += 1  # the same file once more
        return []
    if own is not None and not _may(language, usual):
        return ["this reads the same in every programme: put it back"]
    if entry.mark is None:
        return ["its mark is gone: export again and copy it there"]
    if entry.mark != _sign(now) and entry.forms != now:
        return ["somebody changed it since the export: export again and compare"]
    if entry.is_fuzzy:
        return ["fuzzy: read it, then take that mark off"]
    back = own is not None and entry.forms == usual.forms
    findings.changes.append(Change(entry, back))
    if len(entry.forms) != len(usual.forms):
        return [f"it takes {len(usual.forms)} forms, not {len(entry.forms)}"]
    if back:
        return []
    problems = of_sentence(language, entry.forms, entry.msgid, entry.plural, usual=usual.forms)
    if own is not None and _is_taken(entry, usual):
        problems.append("a label that people type for something else: choose other words")
    return problems


def _is_taken(entry: Entry, usual: Entry) -> bool:
    both = zip(entry.forms, usual.forms, strict=True)
    return may_be_label(entry.msgid, *usual.forms) and any(is_taken(*each) for each in both)


def save_own(db: Connection, programme_id: int, findings: Findings, now: datetime) -> None:
    """From the next message on a programme's members read it so."""
    for each in findings.changes:
        this = (db, programme_id, findings.language, each.entry.msgid)
        if each.back:
            overrides.remove(*this, each.entry.plural)
        else:
            overrides.save(*this, each.entry.forms, now, plural=each.entry.plural)
    if findings.changes:
        audit.add(db, None, f"sentences.imported {findings.language}", now, subject_id=programme_id)


def save_into_catalogue(findings: Findings) -> None:
    """The file of this checkout, whole or not at all; who runs says it after a restart."""
    catalog = catalogues.current(findings.language)
    for each in findings.changes:
        awaiting = each.entry.is_awaiting
        catalogues.put(catalog, each.entry.msgid, each.entry.forms, awaiting=awaiting)
    path = catalogues.path_of(findings.language)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(catalogues.as_bytes(catalog, findings.language))
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise CatalogueError(f"{path.name} cannot be written: {error.strerror}") from None


# How far it is -----------------------------------------------------------------------------------


def coverage(language: str) -> dict[str, int]:
    """How many sentences of the catalogue are in each status."""
    counted = dict.fromkeys(STATUSES, 0)
    for each in catalogues.entries(catalogues.current(language)):
        counted[_status(each)] += 1
    return counted


def _status(entry: Entry) -> str:
    if not any(entry.forms) and any(map(str.isalpha, without_fields(entry.msgid))):
        return MISSING
    if entry.is_fuzzy:
        return STALE
    return DRAFT if entry.is_awaiting else REVIEWED
