"""The library: taken in again and again; what people worded otherwise stays as they have it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from bot import clock, library, models
from bot.library import LibraryError, Taken
from bot.messages import Ref
from bot.store import contents
from bot.store.contents import DRAFT, REVIEWED, Wording
from bot.store.references import References
from tests.test_sender import House

SLEEP = {"slug": "sleep", "theme": "habit", "en": "Sleep on it.", "lo": "ນອນກ່ອນ.", "km": "គេងសិន។"}
ASK = {"slug": "ask", "theme": "asking", "en": "Ask one thing.", "lo": "ຖາມເລື່ອງດຽວ."}
KEY = "library/tip/sleep"


@pytest.fixture
def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(library, "folder", lambda: tmp_path)
    found = House(database_url)
    yield found
    found.close()


def load(house: House, tmp_path: Path, *entries: dict[str, Any], kind: str = "tips") -> Taken:
    words = yaml.safe_dump(list(entries), allow_unicode=True)
    (tmp_path / f"{kind}.yaml").write_text(words, encoding="utf-8")
    clock.move(timedelta(seconds=1))
    return house.now(lambda db: library.load(db, clock.now()))  # type: ignore[no-any-return]


def wordings(house: House, key: str = KEY) -> dict[str, Wording]:
    def work(db: Any) -> dict[str, Wording]:
        found = contents.find_by_key(db, key)
        assert found is not None
        return contents.list_wordings(db, [found.id])[found.id]

    return house.now(work)  # type: ignore[no-any-return]


def everything(house: House) -> list[Any]:
    tables = (models.contents, models.wordings)
    return [
        sorted(map(tuple, house.now(lambda db, t=table: db.execute(select(t)).all())))
        for table in tables
    ]


def edit(house: House, language: str, text: str, key: str = KEY, **values: Any) -> None:
    """Somebody here words it otherwise."""

    def work(db: Any) -> None:
        found = contents.find_by_key(db, key)
        assert found is not None
        if language == found.language:
            contents.save(db, key, found.kind, language, text, clock.now(), theme=found.theme)
        else:
            values.setdefault("status", REVIEWED)
            contents.translate(db, found.id, language, text, clock.now(), **values)

    house.now(work)


def ids(house: House, kind: str = "tip") -> list[str]:
    """What may be said, in its order."""
    return [each.key for each in house.now(lambda db: contents.list_for(db, 1, kind))]


# Again and again ---------------------------------------------------------------------------------


def test_what_is_new_is_added_and_the_second_time_nothing_happens(
    house: House, tmp_path: Path
) -> None:
    assert load(house, tmp_path, SLEEP, ASK) == Taken(new=2)
    assert ids(house) == [KEY, "library/tip/ask"]
    there = wordings(house)
    assert {code: each.text for code, each in there.items()} == {
        code: SLEEP[code] for code in ("en", "lo", "km")
    }
    assert {code: each.status for code, each in there.items()} == {
        "en": REVIEWED, "lo": DRAFT, "km": DRAFT,
    }  # fmt: skip
    assert not any(each.is_stale for each in there.values())
    before = everything(house)
    assert load(house, tmp_path, SLEEP, ASK) == Taken()
    assert everything(house) == before


def test_what_the_file_changes_is_changed_and_what_it_did_not_touch_is_stale(
    house: House, tmp_path: Path
) -> None:
    load(house, tmp_path, SLEEP)
    other = SLEEP | {"en": "Sleep on it, then answer.", "lo": "ນອນກ່ອນ ແລ້ວຄ່ອຍຕອບ."}
    assert load(house, tmp_path, other) == Taken(changed=1)
    there = wordings(house)
    assert (there["lo"].text, there["lo"].is_stale, there["lo"].status) == (
        other["lo"], False, DRAFT,
    )  # fmt: skip
    assert (there["km"].text, there["km"].is_stale) == (SLEEP["km"], True)
    assert load(house, tmp_path, other) == Taken()


def test_a_language_that_comes_later(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, ASK)
    assert load(house, tmp_path, ASK | {"km": "សួររឿងមួយ។"}) == Taken(changed=1)
    there = wordings(house, "library/tip/ask")
    assert there["km"].text == "សួររឿងមួយ។" and not there["km"].is_stale


def test_another_order_and_another_theme(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, SLEEP, ASK)
    texts = wordings(house)
    load(house, tmp_path, ASK, SLEEP | {"theme": "rest"})
    assert ids(house) == ["library/tip/ask", KEY]
    assert wordings(house) == texts
    assert house.now(lambda db: contents.find_by_key(db, KEY)).theme == "rest"


# What people have changed ------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_a_translation_that_was_edited_stays(house: House, tmp_path: Path, times: int) -> None:
    load(house, tmp_path, SLEEP)
    edit(house, "lo", "ນອນໃຫ້ດີກ່ອນ.")
    other = SLEEP | {"lo": "ອັນໃໝ່", "km": "ថ្មី"}
    for _time in range(times):
        load(house, tmp_path, other)
    there = wordings(house)
    assert (there["lo"].text, there["lo"].status) == ("ນອນໃຫ້ດີກ່ອນ.", REVIEWED)
    assert there["km"].text == "ថ្មី"


def test_a_source_that_was_edited_keeps_its_translations(house: House, tmp_path: Path) -> None:
    """The file's translations are none of what people have put in its place."""
    load(house, tmp_path, SLEEP)
    edit(house, "en", "Rest first.")
    assert load(house, tmp_path, SLEEP | {"en": "Sleep.", "lo": "ນອນ."}).kept == 1
    there = wordings(house)
    assert there["en"].text == "Rest first."
    assert (there["lo"].text, there["lo"].is_stale) == (SLEEP["lo"], True)


def test_what_was_reviewed_stays(house: House, tmp_path: Path) -> None:
    """A native reader found it good; drafts of a later version do not take its place."""
    load(house, tmp_path, SLEEP)
    edit(house, "lo", SLEEP["lo"], status=REVIEWED)
    assert load(house, tmp_path, SLEEP) == Taken()
    assert load(house, tmp_path, SLEEP | {"lo": "ອັນໃໝ່"}).kept == 1
    assert (wordings(house)["lo"].text, wordings(house)["lo"].status) == (SLEEP["lo"], REVIEWED)
    load(house, tmp_path, SLEEP | {"en": "Sleep well.", "lo": "ອັນໃໝ່"})
    there = wordings(house)
    assert there["en"].text == "Sleep well."  # the source is the file's
    assert (there["lo"].text, there["lo"].is_stale) == (SLEEP["lo"], True)


def test_what_somebody_signed_is_hers(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, SLEEP)
    author = house.member()[1]
    edit(house, "lo", SLEEP["lo"], status=REVIEWED, author_id=author)
    load(house, tmp_path, SLEEP | {"lo": "ອັນໃໝ່"})
    assert wordings(house)["lo"].text == SLEEP["lo"]


# Gone, and back ----------------------------------------------------------------------------------


def test_what_the_file_has_no_more_is_retired_and_still_read(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, SLEEP, ASK)
    id_ = house.now(lambda db: contents.find_by_key(db, KEY)).id
    assert load(house, tmp_path, ASK) == Taken(retired=1)
    assert ids(house) == ["library/tip/ask"]
    ref = Ref("contents", id_)
    assert house.now(lambda db: References(db, [ref])(ref, "lo")) == SLEEP["lo"]
    assert load(house, tmp_path, ASK) == Taken()
    load(house, tmp_path, ASK, SLEEP)
    assert ids(house) == ["library/tip/ask", KEY]


def test_a_kind_without_a_file_stays(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, SLEEP)
    load(house, tmp_path, ASK, kind="prompts")
    (tmp_path / "tips.yaml").unlink()
    assert house.now(lambda db: library.load(db, clock.now())) == Taken()
    assert ids(house) == [KEY] and ids(house, "prompt") == ["library/prompt/ask"]


def test_what_a_community_wrote_is_none_of_the_librarys(house: House, tmp_path: Path) -> None:
    load(house, tmp_path, SLEEP, ASK)
    own = {"community_id": house.community().id}
    house.now(
        lambda db: contents.save(db, "community/1/tip/x", "tip", "en", "x", clock.now(), **own)
    )
    load(house, tmp_path, ASK)
    assert not house.now(lambda db: contents.find_by_key(db, "community/1/tip/x")).is_retired


# Files that cannot be used -----------------------------------------------------------------------

BAD: dict[str, tuple[Any, str]] = {
    "no list": ({"slug": "x"}, "a list of entries"),
    "empty": (None, "a list of entries"),
    "no entry": (["x"], "entry 1"),
    "a number": ([SLEEP | {"en": 3}], "entry 1"),
    "no source": ([{"slug": "x", "theme": "t", "lo": "ນ"}], "(x): en, its source, is missing"),
    "blank source": ([SLEEP | {"en": "  "}], "en, its source, is missing"),
    "a strange language": ([SLEEP | {"fr": "Dormez."}], "fr is no language here"),
    "no slug": ([{"theme": "t", "en": "x"}], "slug is missing"),
    "long slug": ([SLEEP | {"slug": "s" * 61}], "longer than 60"),
    "no theme": ([{"slug": "x", "en": "x"}], "theme is missing"),
    "long theme": ([SLEEP | {"theme": "t" * 21}], "longer than 20"),
    "twice": ([SLEEP, ASK, SLEEP], "two entries have the slug sleep"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_file_changes_nothing(house: House, tmp_path: Path, name: str) -> None:
    load(house, tmp_path, SLEEP)
    before = everything(house)
    content, mend = BAD[name]
    path = tmp_path / "tips.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(LibraryError) as error:
        house.now(lambda db: library.load(db, clock.now()))
    assert mend in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith("tips.yaml")
    assert everything(house) == before


@pytest.mark.parametrize(
    "content",
    [b"- slug: [", b"- slug: 2027-02-30", b"- en: !!int abc", b"\xff\xfe", b"a: b: c", b"[" * 3000],
)
def test_no_yaml(house: House, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tips.yaml").write_bytes(content)
    with pytest.raises(LibraryError, match=r"tips\.yaml is no YAML"):
        house.now(lambda db: library.load(db, clock.now()))


def test_what_stands_in_the_repository_can_be_loaded(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(database_url)
    taken = house.now(lambda db: library.load(db, clock.now()))
    there = house.now(lambda db: db.execute(select(func.count(models.contents.c.id))).scalar())
    assert taken == Taken(new=there)
    assert house.now(lambda db: library.load(db, clock.now())) == Taken()
    house.close()


# What a file says of a community -----------------------------------------------------------------


def name_it(house: House, language: str = "en", **names: str) -> None:
    item = library.of_community(1, "name", language, names)
    clock.move(timedelta(seconds=1))
    house.now(lambda db: library.take(db, [item], clock.now()))


NAME = "community/1/name"


def named(house: House) -> dict[str, str]:
    return {code: each.text for code, each in wordings(house, NAME).items()}


def test_a_name_that_was_edited_stays_until_the_file_has_another(house: House) -> None:
    assert house.community().id == 1
    name_it(house, en="Crafts", lo="ຫັດຖະກຳ")
    edit(house, "lo", "ຫັດຖະກຳບ້ານເຮົາ", NAME)
    name_it(house, en="Crafts", lo="ຫັດຖະກຳ")
    assert named(house)["lo"] == "ຫັດຖະກຳບ້ານເຮົາ"
    name_it(house, en="Crafts and income", lo="ຫັດຖະກຳ")  # only the other one is new in the file
    assert named(house) == {"en": "Crafts and income", "lo": "ຫັດຖະກຳບ້ານເຮົາ"}
    name_it(house, en="Crafts and income", lo="ຫັດຖະກຳ ແລະ ລາຍໄດ້")
    assert named(house)["lo"] == "ຫັດຖະກຳ ແລະ ລາຍໄດ້"


def test_one_hand_wrote_all_names(house: House) -> None:
    """So none of them is stale, whichever the file changes, and whichever is the source."""
    assert house.community().id == 1
    name_it(house, en="Crafts", lo="ຫັດຖະກຳ")
    for language, names in (
        ("en", {"en": "Income", "lo": "ຫັດຖະກຳ"}),
        ("lo", {"en": "Income", "lo": "ຫັດຖະກຳ"}),
        ("lo", {"en": "Income", "lo": "ລາຍໄດ້"}),
    ):
        name_it(house, language, **names)
        there = wordings(house, NAME)
        assert {code: each.text for code, each in there.items()} == names
        assert not any(each.is_stale for each in there.values())
        assert {each.status for each in there.values()} == {REVIEWED}
        assert house.now(lambda db: contents.find_by_key(db, NAME)).language == language


def test_a_community_without_a_name_is_your_group(house: House) -> None:
    """Nothing breaks where one was made by hand."""
    ref = Ref("communities", house.community().id)
    house.now(lambda db: db.execute(models.wordings.delete()))
    assert house.now(lambda db: References(db, [ref])(ref, "en")) == "your group"
