"""Spreadsheets (.xlsx): what goes out starts nothing on a computer, what comes in is not trusted.

A cell that begins like a formula goes out with an apostrophe before it, which comes off again.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED = 40 * 1024 * 1024
MOST_PARTS = 500
MOST_ROWS = 20_000
MOST_COLUMNS = 26
TEXTS = ("s", "inlineStr", "str")

_ACTIVE = re.compile(r"^'*[=+\-@\t\r]")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_KINDS = {"f": "a formula", "n": "a number", "d": "a date", "b": "a yes or no", "e": "an error"}


class SheetError(Exception):
    """The file is not usable; the text says why and names the mend, in one line."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it goes out."""

    head: str
    width: int  # characters
    is_hidden: bool = False
    is_open: bool = False  # what a translator writes
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet as it came in."""

    number: int  # as the spreadsheet counts
    cells: dict[str, str]  # by the head of the column
    odd: dict[str, str]  # what a cell is that is no text


@dataclass(frozen=True, slots=True)
class Sheet:
    """What came in."""

    heads: tuple[str, ...]  # in small letters
    rows: tuple[Row, ...]


# Out ---------------------------------------------------------------------------------------------


def write(title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> bytes:
    """A file with one sheet; every cell is text."""
    return write_several(((title, columns, rows),))


def write_several(
    sheets: Iterable[tuple[str, Sequence[Column], Iterable[Sequence[str]]]],
) -> bytes:
    """A file with (title, columns, rows) of each sheet; every cell is text."""
    book = Workbook()
    for number, (title, columns, rows) in enumerate(sheets):
        sheet: Any = book.create_sheet() if number else book.active
        sheet.title = title
        _write(sheet, columns, rows)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _write(sheet: Any, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    for number, column in enumerate(columns, 1):
        _head(sheet, number, column)
    last = 1
    for last, row in enumerate(rows, 2):
        for number, (column, words) in enumerate(zip(columns, row, strict=True), 1):
            _fill(sheet.cell(last, number), words, column)
    for number, column in enumerate(columns, 1):
        if column.one_of and last > 1:
            letter = get_column_letter(number)
            allowed = DataValidation("list", formula1=f'"{",".join(column.one_of)}"')
            allowed.add(f"{letter}2:{letter}{last}")
            sheet.add_data_validation(allowed)
    sheet.freeze_panes = "A2"


def _head(sheet: Any, number: int, column: Column) -> None:
    _fill(sheet.cell(1, number), column.head, column)
    sheet.cell(1, number).font = Font(bold=True)
    shape = sheet.column_dimensions[get_column_letter(number)]
    shape.width, shape.hidden = column.width, column.is_hidden


def _fill(cell: Any, words: str, column: Column) -> None:
    cell.value = inert(words)
    cell.data_type = "s"  # whatever it looks like
    cell.number_format = "@"
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if column.is_open:
        cell.fill = PatternFill("solid", fgColor="FFF8E1")


def inert(words: str) -> str:
    """The words so that no program takes them for a formula, also in a .csv made of the sheet."""
    words = _NOT_IN_XML.sub("", words)
    return f"'{words}" if _ACTIVE.match(words) else words


def as_written(words: str) -> str:
    """The opposite of `inert`."""
    words = words.replace("_x000D_", "")
    return words[1:] if words.startswith("'") and _ACTIVE.match(words) else words


# In ----------------------------------------------------------------------------------------------


def read(path: Path) -> Sheet:
    """The rows of its first sheet that say something. Raises SheetError."""
    _look(path)
    try:
        book = load_workbook(path, read_only=True, keep_links=False)
        try:
            lines = list(_lines(book.worksheets[0]))
        finally:
            book.close()
    except Exception:  # a file from anywhere breaks its reader in any way
        raise _unreadable(path) from None
    if len(lines) > MOST_ROWS:
        raise SheetError(f"{path.name} has more than {MOST_ROWS:,} rows: import it in pieces")
    if not lines or lines[0][0] != 1:
        raise SheetError(f"{path.name} has no heads in its first row: start from an export")
    heads = tuple(_head_of(cell) for cell in lines[0][1])
    twice = next((head for head in heads if head and heads.count(head) > 1), None)
    if twice is not None:
        raise SheetError(f"{path.name} has two columns of the same name: leave one")
    return Sheet(heads, tuple(_rows(heads, lines[1:])))


def _look(path: Path) -> None:
    """Before anything is unpacked; a part that is larger than it says does not open later."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SheetError(f"{path.name} is larger than {MOST_BYTES >> 20} MB: no such file")
        with zipfile.ZipFile(path) as parts:
            every = parts.infolist()
            if len(every) > MOST_PARTS or sum(each.file_size for each in every) > MOST_UNPACKED:
                raise SheetError(f"{path.name} unpacks to far too much: it is not opened")
            for each in every:
                _no_entities(path, parts.read(each))
    except OSError as error:
        raise SheetError(f"{path.name} cannot be read: {error.strerror}") from None
    except SheetError:
        raise
    except Exception:
        raise _unreadable(path) from None


def _no_entities(path: Path, part: bytes) -> None:
    """No program that writes sheets declares any; they could grow without end."""
    if b"<!DOCTYPE" in part.replace(b"\0", b"").upper():
        raise SheetError(f"{path.name} holds what no spreadsheet holds: it is not opened")


def _unreadable(path: Path) -> SheetError:
    return SheetError(
        f"{path.name} cannot be read as a spreadsheet: open it, take any password off, and save "
        f"it as .xlsx"
    )


def _lines(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Those that are not empty, and one more than may be."""
    rows = sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS)
    for number, cells in enumerate(rows, 1):
        if any(cell.value not in (None, "") for cell in cells):
            yield number, list(cells)
        elif number > MOST_ROWS:
            return


def _rows(heads: tuple[str, ...], lines: list[tuple[int, list[Any]]]) -> Iterator[Row]:
    for number, cells in lines:
        found, odd = {}, {}
        for head, cell in zip(heads, cells, strict=False):
            if head and cell.value not in (None, ""):
                if cell.data_type in TEXTS:
                    found[head] = as_written(str(cell.value))
                else:
                    odd[head] = _KINDS.get(cell.data_type, "no text")
        if found or odd:
            yield Row(number, found, odd)


def _head_of(cell: Any) -> str:
    return " ".join(str(cell.value or "").lower().split())
