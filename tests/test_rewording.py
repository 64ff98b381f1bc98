"""A translator's catalogue (.po) goes out and comes back: for one programme, or for everybody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from bot import catalogues, clock, i18n, sentences
from bot.messages import _, _n
from bot.store import overrides
from bot.store.references import References
from tests.test_cli import Ended, Shell, shell
from tests.test_translating import Desk

__all__ = ["shell"]

BYE = "Please say a little more, so that others can help."
THANKS = "ຍັງບໍ່ມີໃຜໄດ້ຮັບຂໍ້ຄວາມນີ້ເທື່ອ."
ASKS = "{name} answers {thread}: {question}"
CHOOSE = "You choose whether you read it, and when."
PEERS = "{n} wait to be welcomed."
PEER = "{n} waits to be welcomed."


class Office(Desk):
    """The same for a .po."""

    def __init__(self, shell: Shell, url: str, folder: Path) -> None:
        super().__init__(shell, url, folder)
        self.file = folder / "lo.po"

    def export(self, *more: str) -> Ended:
        words = ("--catalogue", "--language", "lo", str(self.file))
        ended = self.shell("content", "export", *words, *more)
        assert ended.code == 0, ended.err
        return ended

    def catalog(self) -> Catalog:
        with self.file.open("rb") as file:
            return read_po(file)

    def change(self, msgid: str, **values: Any) -> None:
        """What the translator does in her program."""
        catalog = self.catalog()
        for name, value in values.items():
            setattr(catalog[msgid], name, value)
        self.put(catalog)

    def put(self, catalog: Catalog) -> None:
        with self.file.open("wb") as file:
            write_po(file, catalog, width=76)

    def programme(self) -> int:
        return int(self.run(lambda db: overrides.programme_of(db, 1)))

    def own(self) -> dict[str, list[str]]:
        programme = self.programme()
        found = self.run(lambda db: overrides.list_of(db, programme, "lo"))
        return {each.msgid: list(each.forms) for each in found}

    def reads(self, text: Any, language: str = "lo") -> str:
        """What a member of the programme reads from now on."""

        def work(db: Any) -> str:
            own = overrides.read(db, [(1, 1)])
            return i18n.render(text, language, References(db, ()).reading(own.get((1, 1))))

        return str(self.run(work))


@pytest.fixture
def office(shell: Shell, database_url: str, tmp_path: Path) -> Iterator[Office]:
    yield from Office.opened(shell, database_url, tmp_path)


# For one programme -------------------------------------------------------------------------------


def test_what_a_translator_wrote_is_what_the_next_reader_reads(office: Office) -> None:
    usual = office.reads(_(BYE))
    office.export()
    office.change(BYE, string=THANKS)
    ended = office.take_in()
    assert ended.code == 0, ended.err
    assert "worded anew" in ended.out
    assert "lo: 1 saved" in ended.out
    assert office.reads(_(BYE)) == THANKS != usual
    assert office.own() == {BYE: [THANKS]}
    assert "sentences.imported lo" in office.shell("audit").out
    assert "lo: 0 saved" in office.take_in().out  # the same file once more


def test_a_mark_at_its_beginning_is_no_part_of_it(office: Office) -> None:
    """Some programs on Windows put one there."""
    office.export()
    office.change(BYE, string=THANKS)
    office.file.write_bytes(b"\xef\xbb\xbf" + office.file.read_bytes())
    assert "lo: 1 saved" in office.take_in().out


def test_a_file_that_nobody_touched_changes_nothing(office: Office) -> None:
    office.export()
    office.put(office.catalog())  # saved by another program, wrapped otherwise
    ended = office.take_in()
    assert ended.code == 0, ended.err
    assert "lo: 0 saved" in ended.out
    assert office.own() == {}


def test_a_plural_comes_back_too(office: Office) -> None:
    office.export()
    office.change(PEER, string=("{n} ຄົນ ຈະໄດ້ຮັບພາຍຫຼັງ.",))
    assert office.take_in().code == 0
    assert office.reads(_n(PEER, PEERS, n=3)) == "3 ຄົນ ຈະໄດ້ຮັບພາຍຫຼັງ."


def test_the_words_of_the_programme_go_out_and_lead_back(office: Office) -> None:
    usual = office.reads(_(BYE))
    office.export()
    office.change(BYE, string=THANKS)
    office.take_in()
    office.export("--replace")
    assert office.catalog()[BYE].string == THANKS
    office.change(BYE, string=usual)
    assert "as in the catalogue again" in office.take_in().out
    assert office.own() == {}


def test_what_keeps_people_safe_goes_out_to_no_programme(office: Office) -> None:
    office.export()
    mine = {each.msgid for each in catalogues.entries(office.catalog())}
    fixed = {each.msgid for each in sentences.all_of("lo").values() if each.is_fixed}
    assert fixed and not mine & fixed
    assert "yes, i agree, agree" not in mine  # words to type
    catalog = office.catalog()
    stop = sorted(fixed)[0]
    catalog.add(stop, "ລົບກວນ", auto_comments=["mark: 0"])
    office.put(catalog)
    ended = office.take_in()
    assert ended.code == 1
    assert "this reads the same in every programme" in ended.err


BROKEN = [
    (ASKS, {"string": "{thread}, {name} ຖາມ"}, "placeholder {question} is missing"),
    (ASKS, {"string": "{thread}, {name.x} ຖາມ: {question}"}, "only {names}"),
    (BYE, {"string": "អត់ទេ"}, "foreign script"),
    (BYE, {"string": "All right then, nothing."}, "hardly a letter of it is Lao"),
    (BYE, {"string": ""}, "it is empty"),
    (BYE, {"string": THANKS, "flags": {"fuzzy"}}, "fuzzy"),
    (BYE, {"string": THANKS, "auto_comments": []}, "its mark is gone"),
    ("Follow", {"string": "ສົ່ງໄປຫາທຸກຄົນທີ່ຢູ່ໃນກຸ່ມ"}, "a label of"),
    ("Follow", {"string": "ຂອບໃຈ"}, "for something else"),
    ("Follow", {"string": "Yes"}, "for something else"),
    (BYE, {"id": "All right, all was sent.", "string": THANKS}, "there is no such sentence"),
]


@pytest.mark.parametrize(("msgid", "values", "expected"), BROKEN)
def test_one_broken_entry_and_nothing_is_taken_in(
    office: Office, msgid: str, values: dict[str, Any], expected: str
) -> None:
    office.export()
    office.change(CHOOSE, string="ທ່ານເລືອກເອງ ວ່າຈະອ່ານຍາມໃດ.")
    office.change(msgid, **values)
    ended = office.take_in()
    assert ended.code == 1
    assert not ended.out
    line = next(each for each in ended.err.splitlines() if expected in each)
    assert line.startswith("line ")
    assert office.own() == {}


def test_what_changed_since_the_export_is_not_written_over(office: Office) -> None:
    office.export()
    programme = office.programme()
    office.run(lambda db: overrides.save(db, programme, "lo", BYE, [THANKS + THANKS], clock.now()))
    assert office.take_in().code == 0  # she did not touch it
    office.change(BYE, string=THANKS)
    assert "somebody changed it since the export" in office.take_in().err
    assert office.own() == {BYE: [THANKS + THANKS]}


# For everybody -----------------------------------------------------------------------------------


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Another checkout, whose catalogues may be written."""
    locales = tmp_path / "locales"
    shutil.copytree(i18n.LOCALES, locales)
    monkeypatch.setattr(catalogues.path_of, "__defaults__", (locales,))
    return locales


def test_the_catalogue_of_the_checkout(office: Office, checkout: Path) -> None:
    path = catalogues.path_of("lo", checkout)
    before = path.read_bytes()
    office.export("--into-catalogue")
    assert office.take_in("--into-catalogue").code == 0
    assert path.read_bytes() == before
    office.change(BYE, string=THANKS, user_comments=[])  # read by a native speaker
    assert office.take_in("--into-catalogue", "--check").code == 0
    assert path.read_bytes() == before
    ended = office.take_in("--into-catalogue")
    assert ended.code == 0, ended.err
    assert "after a restart" in ended.out
    after = catalogues.read(path, "lo")
    assert after[BYE].string == THANKS
    assert after[BYE].user_comments == []
    lines = [set(each.decode().splitlines()) for each in (before, path.read_bytes())]
    assert len(lines[1] - lines[0]) == 1  # nothing else moved
    assert office.own() == {}
    again = office.take_in("--into-catalogue")
    assert "lo: 0 saved" in again.out


def test_only_read_is_a_change_too(office: Office, checkout: Path) -> None:
    office.export("--into-catalogue")
    office.change(BYE, user_comments=[])
    assert "lo: 1 saved" in office.take_in("--into-catalogue").out
    assert catalogues.read(catalogues.path_of("lo", checkout), "lo")[BYE].user_comments == []


def test_a_broken_entry_leaves_the_checkout_alone(office: Office, checkout: Path) -> None:
    before = catalogues.path_of("lo", checkout).read_bytes()
    office.export("--into-catalogue")
    office.change(BYE, string=THANKS)
    office.change(ASKS, string="ຖາມ")
    assert office.take_in("--into-catalogue").code == 1
    assert catalogues.path_of("lo", checkout).read_bytes() == before
    assert list(checkout.rglob(".*")) == []


# Files from anywhere -----------------------------------------------------------------------------

HEADER = 'msgid ""\nmsgstr ""\n"Language: lo\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "names no language of ours"),
        (b"\xff\xfe\x00", "cannot be read as a .po file"),
        (b"<<<<<<< ours\n", "cannot be read as a .po file"),
        (HEADER.replace("lo\\n", "xx\\n").encode(), "names no language of ours"),
        (HEADER.replace("lo\\n", "vi\\n").encode(), "names no language of ours"),
        (HEADER.encode() + b'"Plural-Forms: nplurals=999999999; plural=0;\\n"', "so many plural"),
        (HEADER.encode() + b'"Plural-Forms: nplurals=' + b"9" * 5000 + b';\\n"', "so many plural"),
        (b"#" * (catalogues.MOST_BYTES + 1), "larger than 5 MB"),
        (b"PK\x03\x04" + b"\0" * 99, "cannot be read as a .po file"),
    ],
)
def test_what_is_no_catalogue_is_refused_in_one_line(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "some.po"
    file.write_bytes(content)
    with pytest.raises(catalogues.CatalogueError, match=expected) as found:
        catalogues.read_strange(file)
    assert "\n" not in str(found.value)


def test_programmes_are_told_apart(office: Office) -> None:
    office.open("other", discreet=False)
    words = ("export", "--catalogue", "--language", "lo", str(office.file))
    ended = office.shell("content", *words)
    assert ended.code == 2
    assert "name one of these: demo, other" in ended.err
    office.export("--programme", "other")
    office.change(BYE, string=THANKS)
    assert office.take_in("--programme", "other").code == 0
    assert office.own() == {}  # the demo's


def test_a_message_of_babel_is_what_it_is_thought_to_be() -> None:
    found = catalogues._entry(Message("a", "b", user_comments=[catalogues.AWAITING], lineno=7))
    assert (found.line, found.forms, found.is_awaiting, found.mark) == (7, ("b",), True, None)
