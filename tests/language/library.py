"""The library of tips and weekly questions: whole in every language, and fit to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex
import yaml

from bot.proofreading import of_content
from tests.language.catalogues import LIBRARY, SOURCE

KINDS = {"tips.yaml": "tip", "prompts.yaml": "prompt"}
_SLUG = regex.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing to mend in the library."""

    file: str
    slug: str
    what: str


def read_library(root: Path, languages: Sequence[str]) -> tuple[int, list[Flaw]]:
    """How many contents there are, and all that is wrong with them."""
    count, found = 0, []
    for path in sorted((root / "locales" / LIBRARY).glob("*.yaml")):
        file = path.relative_to(root).as_posix()
        kind = KINDS.get(path.name)
        entries = _entries(path)
        if kind is None or not entries:
            found.append(Flaw(file, "", "the library is a list in tips.yaml and prompts.yaml"))
            continue
        count += len(entries)
        found += _in_file(file, kind, entries, languages)
    return count, found


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return []
    whole = isinstance(entries, list) and all(isinstance(each, dict) for each in entries)
    return entries if whole else []


def _in_file(
    file: str, kind: str, entries: list[dict[str, Any]], languages: Sequence[str]
) -> Iterator[Flaw]:
    slugs: set[str] = set()
    sources: dict[str, str] = {}
    for entry in entries:
        slug = str(entry.get("slug"))
        if slug in slugs:
            yield Flaw(file, slug, "another one has this slug")
        elif (other := sources.setdefault(str(entry.get(SOURCE)), slug)) != slug:
            yield Flaw(file, slug, f"says the same as {other}")
        slugs.add(slug)
        for what in (*_in_entry(entry, languages), *_in_words(entry, kind, languages)):
            yield Flaw(file, slug, what)


def _in_entry(entry: dict[str, Any], languages: Sequence[str]) -> Iterator[str]:
    slug = entry.get("slug")
    if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
        yield "a slug is made of small letters, numbers and hyphens"
    if not entry.get("theme"):
        yield "it has no theme"
    for name in entry.keys() - {"slug", "theme", *languages}:
        yield f"{name} is no field of the library"


def _in_words(entry: dict[str, Any], kind: str, languages: Sequence[str]) -> Iterator[str]:
    for language in languages:
        words = entry.get(language)
        if not isinstance(words, str) or not words.strip():
            yield f"{language}: missing"
            continue
        source = str(entry.get(SOURCE) or "")
        yield from (f"{language}: {what}" for what in of_content(language, words, source, kind))
