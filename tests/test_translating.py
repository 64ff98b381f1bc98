"""A translator's spreadsheet goes out and comes back: all of it, or nothing, with the row named."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from sqlalchemy import Connection, select

from bot import clock, models, sheets
from bot.cli.store import DEMO, load_programme
from bot.db import Database
from bot.messages import Ref
from bot.programme import Programme, load
from bot.settings import read_settings
from bot.store import communities, contents, translations
from bot.store.references import References
from tests.test_cli import Ended, Shell, shell

__all__ = ["shell"]

NOW = clock.now()
KHMER = "សប្តាហ៍នេះ សូមសួរមិត្តរួមការងារម្នាក់ ថាគាត់រាប់ស្តុកដោយរបៀបណា។"
OTHER = "សូមសាកល្បងរឿងតូចមួយនៅសប្តាហ៍នេះ។"
LAO = "ອາທິດນີ້ ລອງຖາມເພື່ອນຮ່ວມງານຜູ້ໜຶ່ງ."
KEY = "library/tip/"


class Desk:
    """An operator's command line, a store, and a translator's table."""

    def __init__(self, shell: Shell, url: str, folder: Path) -> None:
        self.shell = shell
        self.file = folder / "km.xlsx"
        self.database = Database(url)

    @classmethod
    def opened(cls, shell: Shell, url: str, folder: Path) -> Iterator[Self]:
        """For one test, over a store that holds the demo."""
        shell.set(DATABASE_URL=url)
        load_programme(read_settings(), DEMO)
        desk = cls(shell, url, folder)
        yield desk
        desk.database.close()

    def run(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.run_now(work)

    def add(self, slug: str, source: str, km: str | None = None, **more: Any) -> int:
        def work(db: Connection) -> int:
            key = more.pop("key", f"{KEY}{slug}")
            id_ = contents.save(db, key, "tip", "en", source, clock.now(), **more)
            if km is not None:
                contents.translate(db, id_, "km", km, clock.now(), status="draft")
            return id_

        return int(self.run(work))

    def open(self, slug: str, *, discreet: bool) -> int:
        """One more community."""
        names = dict.fromkeys(("en", "lo", "km"), slug)
        about = {"slug": slug, "names": names, "contact": "help@example.org"}
        place = {"slug": slug, "names": names, "language": "en", "timezone": "Asia/Vientiane"}
        found = Programme.model_validate(
            {"programme": about, "communities": [place | {"discreet": discreet}]}
        )
        self.run(lambda db: load(db, found, {}, clock.now()))
        return int(self.run(lambda db: communities.find(db, slug).id))

    def export(self, *more: str) -> Ended:
        return self.shell("content", "export", "--language", "km", str(self.file), *more)

    def take_in(self, *more: str) -> Ended:
        return self.shell("content", "import", str(self.file), *more)

    def edit(self, work: Callable[[Any], None]) -> None:
        """What the translator does in her program."""
        book = load_workbook(self.file)
        work(book.active)
        book.save(self.file)

    def write(self, slug: str, head: str, value: Any) -> None:
        def work(sheet: Any) -> None:
            sheet.cell(self.row(sheet, slug), self.column(sheet, head)).value = value

        self.edit(work)

    def read(self, slug: str, head: str) -> Any:
        sheet = load_workbook(self.file).active
        return sheet.cell(self.row(sheet, slug), self.column(sheet, head)).value

    @staticmethod
    def row(sheet: Any, slug: str) -> int:
        return next(each.row for each in sheet["A"] if each.value == f"{KEY}{slug}")

    @staticmethod
    def column(sheet: Any, head: str) -> int:
        return int(next(each.column for each in sheet[1] if each.value == head))

    def said(self, id_: int, language: str = "km") -> str:
        ref = Ref("contents", id_)
        return str(self.run(lambda db: References(db, [ref])(ref, language)))

    def status(self, id_: int) -> str:
        found = self.run(lambda db: translations.list_into(db, "km", discreet_too=True))
        return str(next(each.status for each in found if each.id == id_))

    def snapshot(self) -> list[Any]:
        statement = select(models.wordings).order_by("content_id", "language")
        return [tuple(row) for row in self.run(lambda db: db.execute(statement).all())]


@pytest.fixture
def desk(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[Desk]:
    yield from Desk.opened(shell, database_url, tmp_path)


# There and back ----------------------------------------------------------------------------------


def test_what_a_translator_wrote_is_what_the_next_reader_reads(desk: Desk) -> None:
    tip = desk.add("ask", "Ask one peer this week how she counts her stock.")
    assert "Ask one peer" in desk.said(tip)
    assert desk.export().code == 0
    assert desk.read("ask", "status") == "missing"
    desk.write("ask", "text (km)", KHMER)
    ended = desk.take_in()
    assert ended.code == 0, ended.err
    assert "library/tip/ask: missing, now draft" in ended.out
    assert "km: 1 saved" in ended.out
    assert desk.said(tip) == KHMER
    assert desk.status(tip) == "draft"


def test_a_file_that_nobody_touched_changes_nothing(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.", KHMER)
    desk.add("try", "Try one small thing this week.")
    before = desk.snapshot()
    desk.export()
    ended = desk.take_in()
    assert ended.code == 0
    assert "km: 0 saved" in ended.out
    assert desk.snapshot() == before


def test_the_same_file_twice_changes_once(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.")
    desk.export()
    desk.write("ask", "text (km)", KHMER)
    desk.write("ask", "status", "reviewed")
    assert "km: 1 saved" in desk.take_in().out
    before = desk.snapshot()
    clock.move(timedelta(hours=1))
    assert "km: 0 saved" in desk.take_in().out
    assert desk.snapshot() == before


def test_a_changed_source_marks_its_translations_stale_until_somebody_has_read_them(
    desk: Desk,
) -> None:
    tip = desk.add("ask", "Ask one peer this week.", KHMER)
    desk.add("ask", "Ask two peers this week.")
    assert desk.status(tip) == "stale"
    desk.export()
    assert desk.read("ask", "status") == "stale"
    assert "source has changed" in desk.read("ask", "note")
    assert "km: 0 saved" in desk.take_in().out  # it stays so by itself
    assert desk.status(tip) == "stale"
    desk.write("ask", "status", "Reviewed ")  # it is still right
    assert desk.take_in().code == 0
    assert (desk.status(tip), desk.said(tip)) == ("reviewed", KHMER)


def test_only_looking_saves_nothing(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.")
    desk.export()
    desk.write("ask", "text (km)", KHMER)
    before = desk.snapshot()
    ended = desk.take_in("--check")
    assert "km: 1 would be saved" in ended.out
    assert desk.snapshot() == before


def test_an_import_leaves_a_line_in_the_audit(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.")
    desk.export()
    desk.write("ask", "text (km)", KHMER)
    desk.take_in()
    assert "contents.imported km" in desk.shell("audit").out


def test_columns_may_move_and_her_own_are_left_alone(desk: Desk) -> None:
    tip = desk.add("ask", "Ask one peer this week.")
    desk.export()

    def work(sheet: Any) -> None:
        sheet.insert_cols(1)
        sheet.cell(1, 1).value = "my questions"
        sheet.cell(2, 1).value = "=1+1"
        sheet.cell(2, 3).comment = Comment("?", "translator")

    desk.edit(work)
    row = 2
    desk.edit(
        lambda sheet: setattr(sheet.cell(row, desk.column(sheet, "text (km)")), "value", KHMER)
    )
    ended = desk.take_in()
    assert ended.code == 0, ended.err
    assert desk.said(tip) == KHMER


# All or nothing ----------------------------------------------------------------------------------

LONG = KHMER * 8
BROKEN = [
    ("text (km)", "Ask one peer this week.", "hardly a letter of it is Khmer"),
    ("text (km)", LAO, "foreign script"),
    ("text (km)", LONG, "at most 400"),
    ("text (km)", KHMER + " {name}", "placeholder {name} is not in the source"),
    ("text (km)", '=HYPERLINK("http://example.org")', "text (km) holds a formula"),
    ("text (km)", 5, "text (km) holds a number"),
    ("text (km)", True, "text (km) holds a yes or no"),
    ("text (km)", NOW.replace(tzinfo=None), "text (km) holds a date"),
    ("text (km)", "#REF!", "text (km) holds an error"),
    ("status", "done", "status is draft or reviewed"),
    ("status", "reviewed", "there is no translation in it"),
    ("key", "library/tip/nowhere", "nothing with this key"),
    ("key", "no key\u202e at all", "nothing with this key"),
    ("key", f"{KEY}try", "a second row with this key"),
    ("source", "Ask everybody.", "the source was changed here"),
    ("mark", "0", "its mark is damaged"),
    ("mark", None, "its mark is damaged"),
]


@pytest.mark.parametrize(("head", "value", "expected"), BROKEN)
def test_one_broken_row_and_nothing_is_taken_in(
    desk: Desk, head: str, value: Any, expected: str
) -> None:
    desk.add("aaa", "Try one small thing this week.")  # a fine row before it
    desk.add("ask", "Ask one peer this week.")
    desk.add("try", "Try again next week.")  # and one after it
    desk.export()
    desk.write("aaa", "text (km)", OTHER)
    desk.write("try", "text (km)", OTHER)
    desk.write("ask", head, value)
    before = desk.snapshot()
    ended = desk.take_in()
    assert ended.code == 1
    assert not ended.out
    line = next(each for each in ended.err.splitlines() if expected in each)
    assert re.match(r"row \d+(, [a-z/]+)?: ", line)
    assert ended.err.splitlines()[-1].endswith("to mend; nothing of it was taken in")
    assert "\u202e" not in ended.err
    assert desk.snapshot() == before


def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    for slug in ("one", "two", "three"):
        desk.add(slug, f"Try {slug} this week.")
    desk.export()
    for slug in ("one", "two", "three"):
        desk.write(slug, "text (km)", LAO)
    ended = desk.take_in()
    rows = [each.partition(",")[0] for each in ended.err.splitlines()]
    assert rows[:3] == ["row 2", "row 3", "row 4"]
    assert "km.xlsx: 3 to mend" in ended.err


def test_a_lost_placeholder_is_found(desk: Desk) -> None:
    desk.add("ask", "Write {word} to ask one peer.")
    desk.export()
    desk.write("ask", "text (km)", KHMER)
    assert "placeholder {word} is missing" in desk.take_in().err


def test_an_import_takes_nothing_away(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.", KHMER)
    desk.export()
    desk.write("ask", "text (km)", None)
    ended = desk.take_in()
    assert ended.code == 1
    assert "an import takes none away" in ended.err


def test_what_changed_since_the_export_is_not_written_over(desk: Desk) -> None:
    mine = desk.add("ask", "Ask one peer this week.", KHMER)
    desk.add("try", "Try one small thing this week.")
    desk.add("new", "Look again next week.", KHMER)
    desk.export()
    desk.run(lambda db: contents.translate(db, mine, "km", OTHER, NOW, status="reviewed"))
    desk.add("try", "Try two small things this week.")
    assert desk.take_in().code == 0  # she touched none of them
    desk.write("ask", "text (km)", KHMER + KHMER)
    desk.write("try", "text (km)", KHMER)
    ended = desk.take_in()
    assert ended.code == 1
    assert "somebody changed the translation since the export" in ended.err
    assert "its source has changed since the export" in ended.err
    assert desk.said(mine) == OTHER


def test_an_import_that_dies_half_way_has_changed_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("one", "two", "three"):
        desk.add(slug, f"Try {slug} this week.")
    desk.export()
    for slug in ("one", "two", "three"):
        desk.write(slug, "text (km)", KHMER)
    before, real, calls = desk.snapshot(), contents.translate, []

    def dying(*words: Any, **more: Any) -> None:
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*words, **more)

    monkeypatch.setattr(contents, "translate", dying)
    assert desk.take_in().code == 1
    assert desk.snapshot() == before


# Other ways to be wrong --------------------------------------------------------------------------


def _zip(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, words in parts.items():
            file.writestr(name, words)
    return target.getvalue()


def _lying() -> bytes:
    """A part that is much larger than its zip says."""
    good = bytearray(_zip(part=b"0" * 100_000))
    at = good.rindex(b"PK\x01\x02") + 24
    good[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(good)


def _doctype() -> bytes:
    words = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cccc">]><a>&b;</a>'
    return _zip(**{"[Content_Types].xml": words, "xl/workbook.xml": words})


UNREADABLE = [
    (b"", "cannot be read as a spreadsheet"),
    (b"key,text\n1,2\n", "cannot be read as a spreadsheet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "take any password off"),
    (b"PK\x03\x04" + b"\0" * 40, "cannot be read as a spreadsheet"),
    (_zip(nothing=b""), "cannot be read as a spreadsheet"),
    (_zip(**{"[Content_Types].xml": b"<a", "xl/workbook.xml": b"<"}), "cannot be read"),
    (_zip(bomb=b"0" * (41 << 20)), "unpacks to far too much"),
    (_zip(**{f"part{n}": b"" for n in range(501)}), "unpacks to far too much"),
    (_lying(), "cannot be read as a spreadsheet"),
    (_doctype(), "holds what no spreadsheet holds"),
    (b"0" * (sheets.MOST_BYTES + 1), "larger than 5 MB"),
]


@pytest.mark.parametrize(("content", "expected"), UNREADABLE)
def test_what_is_no_spreadsheet_is_refused_in_one_line(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "some.xlsx"
    file.write_bytes(content)
    with pytest.raises(sheets.SheetError, match=re.escape(expected)) as found:
        sheets.read(file)
    assert "\n" not in str(found.value)


def test_a_sheet_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = sheets.write("t", [sheets.Column("key", 9)], [["a"], ["b"]])
    file = tmp_path / "cut.xlsx"
    for length in range(0, len(whole), 211):
        file.write_bytes(whole[:length])
        with pytest.raises(sheets.SheetError):
            sheets.read(file)


def test_rows_far_below_and_far_right_cost_nothing(tmp_path: Path) -> None:
    book = Workbook()
    book.active["A1"] = "key"
    book.active["XFD1048576"] = "far away"
    book.save(tmp_path / "far.xlsx")
    assert sheets.read(tmp_path / "far.xlsx").rows == ()


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (["key", "source", "status"], "there is no column mark"),
        (["key", "source", "status", "mark"], "one column for the text"),
        (["key", "source", "status", "mark", "text (km)", "text (lo)"], "one column for the text"),
        (["key", "source", "status", "mark", "text (xx)"], "xx is no language here"),
        (["key", "KEY ", "source", "status", "mark", "text (km)"], "two columns of the same name"),
        ([], "no heads in its first row"),
    ],
)
def test_heads_that_say_nothing(desk: Desk, heads: list[str], expected: str) -> None:
    book = Workbook()
    if heads:
        book.active.append(heads)
    book.save(desk.file)
    assert expected in desk.shell.fails("content", "import", str(desk.file))


ACTIVE = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''=1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("words", ACTIVE)
def test_no_cell_that_goes_out_is_a_formula(words: str, tmp_path: Path) -> None:
    columns = [sheets.Column("key", 9), sheets.Column("text", 9)]
    file = tmp_path / "out.xlsx"
    file.write_bytes(sheets.write("t", columns, [["a", words]]))
    cell = load_workbook(file).active["B2"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")
    assert b"<f>" not in zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml")
    assert sheets.read(file).rows[0].cells["text"] == words


def test_control_signs_do_not_break_the_file(tmp_path: Path) -> None:
    file = tmp_path / "out.xlsx"
    rows = [["a\x00\x07b\n<&>\"'\ufffe"]]
    file.write_bytes(sheets.write("t", [sheets.Column("key", 9)], rows))
    assert sheets.read(file).rows[0].cells["key"] == "ab\n<&>\"'"


# Use ---------------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_not_written_over(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.")
    assert desk.export().code == 0
    desk.write("ask", "text (km)", KHMER)  # a day's work
    before = desk.file.read_bytes()
    assert desk.export().code == 2
    assert desk.file.read_bytes() == before
    assert desk.export("--replace").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--language", "xx", "a.xlsx"],
        ["export", "a.xlsx"],
        ["export", "--language", "km", "a.txt"],
        ["export", "--language", "km", "/no/such/folder/a.xlsx"],
        ["export", "--language", "km", "--community", "nowhere", "a.xlsx"],
        ["import", "/no/such/file.xlsx"],
        ["coverage", "--community", "nowhere"],
    ],
    ids=" ".join,
)
def test_wrong_use(desk: Desk, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.file.parent)
    ended = desk.shell("content", *words)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert list(desk.file.parent.glob("*.xlsx*")) == []


def test_a_community_and_what_is_discreet(desk: Desk) -> None:
    open_, hidden = "open", "hidden"
    ids = {slug: desk.open(slug, discreet=slug == hidden) for slug in (open_, hidden)}
    desk.add("ask", "Ask one peer this week.")
    desk.add("", "Try our own way.", key=f"community/{ids[open_]}/tip/own", community_id=ids[open_])
    secret = desk.add(
        "", "Our secret way.", key=f"community/{ids[hidden]}/tip/own", community_id=ids[hidden]
    )

    def sources() -> set[str]:
        sheet = sheets.read(desk.file)
        return {row.cells["source"] for row in sheet.rows if "/tip/" in row.cells["key"]}

    desk.export()
    assert sources() == {"Ask one peer this week.", "Try our own way."}
    desk.export("--replace", "--community", open_)
    assert sources() == {"Try our own way."}
    desk.export("--replace", "--community", hidden)
    assert sources() == {"Our secret way."}

    def work(sheet: Any) -> None:
        for row in range(2, sheet.max_row + 1):
            if str(sheet.cell(row, 1).value).endswith("/tip/own"):
                sheet.cell(row, desk.column(sheet, "text (km)")).value = KHMER

    desk.edit(work)
    ended = desk.take_in()
    assert ended.code == 0, ended.err
    assert desk.said(secret) == KHMER


def test_what_is_written_in_that_language_itself_is_not_translated(desk: Desk) -> None:
    desk.run(lambda db: contents.save(db, f"{KEY}own", "tip", "km", KHMER, NOW))
    desk.add("ask", "Ask one peer this week.")
    desk.export()
    keys = [row.cells["key"] for row in sheets.read(desk.file).rows]
    assert f"{KEY}ask" in keys
    assert f"{KEY}own" not in keys


def test_what_is_retired_goes_out_no_more(desk: Desk) -> None:
    tip = desk.add("ask", "Ask one peer this week.")
    desk.export()
    desk.run(lambda db: contents.retire(db, tip, NOW))
    desk.write("ask", "text (km)", KHMER)
    assert "nothing with this key" in desk.take_in().err


def test_coverage_counts_what_there_is(desk: Desk) -> None:
    desk.add("ask", "Ask one peer this week.", KHMER)
    desk.add("try", "Try one small thing this week.")
    lines = [each.split("\t") for each in desk.shell("content", "coverage").out.splitlines()]
    assert lines[0] == ["language", "kind", "all", "draft", "reviewed", "stale", "missing"]
    assert ["km", "tip", "2", "1", "0", "0", "1"] in lines
    assert ["lo", "tip", "2", "0", "0", "0", "2"] in lines
    assert any(line[:2] == ["km", "sentence"] and int(line[2]) > 800 for line in lines)
    desk.add("ask", "Ask two peers this week.")
    lines = [each.split("\t") for each in desk.shell("content", "coverage").out.splitlines()]
    assert ["km", "tip", "2", "0", "0", "1", "1"] in lines
