"""The catalogues as files (.po): where they are, how they are read and written, what may come."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po

from bot.i18n import LOCALES, negotiate

AWAITING = "awaiting a native reader"
MOST_BYTES = 5 * 1024 * 1024
MOST_FORMS = 6  # plural forms of any language
_MARK = "mark:"  # an extracted comment, which translators' programs leave as it is
_FORMS = re.compile(rb"nplurals\s*=\s*(\d+)")
_HEADER = """\
# Linkline in {name}. `make language` takes new sentences in and keeps old ones at the end (#~).
# Whoever has read an entry as a native speaker takes its line "{awaiting}" away.
msgid ""
msgstr ""
"Project-Id-Version: Linkline\\n"
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


class CatalogueError(Exception):
    """The file is not usable; the text says why and names the mend, in one line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence of a catalogue and how it is said."""

    line: int
    msgid: str
    plural: str | None
    forms: tuple[str, ...]  # as many as the language has
    is_fuzzy: bool
    is_awaiting: bool  # nobody who speaks it from birth has read it
    mark: str | None  # how it was when the file was made


def path_of(language: str, locales: Path = LOCALES) -> Path:
    return locales / language / "LC_MESSAGES" / "messages.po"


def read(path: Path, language: str) -> Catalog:
    """Raises OSError or PoFileError."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def current(language: str) -> Catalog:
    """As the checkout has it. Raises CatalogueError."""
    try:
        return read(path_of(language), language)
    except (OSError, PoFileError):
        raise CatalogueError(f"the catalogue of {language} cannot be read: `make check`") from None


def as_bytes(catalog: Catalog, language: str) -> bytes:
    """The file: our own header, no dates, no line numbers, no wrapping."""
    locale = Locale.parse(language)
    file = io.BytesIO()
    header = _HEADER.format(
        name=locale.get_display_name("en"),
        code=language,
        plurals=Catalog(locale=language).plural_forms,
        awaiting=AWAITING,
    )
    file.write(header.encode())
    write_po(file, catalog, width=0, omit_header=True, include_lineno=False)
    return file.getvalue().rstrip(b"\n") + b"\n"


def entries(catalog: Catalog) -> Iterator[Entry]:
    """All but the header."""
    for each in catalog:
        if each.id:
            yield _entry(each)


def _entry(message: Message) -> Entry:
    plain = isinstance(message.id, str)
    marks = [each for each in message.auto_comments if each.startswith(_MARK)]
    said = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    return Entry(
        message.lineno or 0,
        str(message.id if plain else message.id[0]),
        None if plain else str(message.id[1]),
        tuple(str(form or "") for form in said),
        message.fuzzy,
        AWAITING in message.user_comments,
        marks[0].removeprefix(_MARK).strip() if marks else None,
    )


def put(catalog: Catalog, msgid: str, forms: Sequence[str], *, awaiting: bool) -> None:
    """Say a sentence so from now on."""
    message = catalog.get(msgid)
    assert message is not None
    message.string = forms[0] if isinstance(message.id, str) else tuple(forms)
    message.flags -= {"fuzzy"}
    kept = [each for each in message.user_comments if each != AWAITING]
    message.user_comments = [*kept, *([AWAITING] if awaiting else [])]


def mark(catalog: Catalog, msgid: str, sign: str) -> None:
    """Note how it is, so that it can be told later whether somebody changed it."""
    message = catalog.get(msgid)
    assert message is not None
    message.auto_comments = [*message.auto_comments, f"{_MARK} {sign}"]


def without(catalog: Catalog, msgids: Sequence[str]) -> None:
    """Take sentences out, and all that are retired."""
    for msgid in msgids:
        catalog.delete(msgid)
    catalog.obsolete.clear()


def read_strange(path: Path) -> tuple[str, list[Entry]]:
    """The language and the entries of a file from anywhere. Raises CatalogueError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise CatalogueError(f"{path.name} is larger than {MOST_BYTES >> 20} MB")
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise CatalogueError(f"{path.name} cannot be read: {error.strerror}") from None
    if any(int(found[:9]) > MOST_FORMS for found in _FORMS.findall(content)):
        raise CatalogueError(f"{path.name}: no language has so many plural forms")
    try:
        catalog = read_po(io.BytesIO(content), abort_invalid=True)
        found = [*entries(catalog)]
    except Exception:  # a file from anywhere breaks its reader in any way
        raise CatalogueError(f"{path.name} cannot be read as a .po file: save it as one") from None
    language = negotiate(catalog.locale_identifier)
    if language is None:
        raise CatalogueError(f"{path.name}: its header names no language of ours: start anew")
    return language, found
