"""References: what is hidden, heavy or translated is told to each as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot import clock
from bot.i18n import languages, own_name, render
from bot.messages import File, Inbound, Ref, Text, _
from bot.store import posts
from bot.store.references import References, bubbles, words
from tests.test_sender import LANE, House

STORY = "My sister was beaten again."
TABLES = ["posts", "stories", "referred"]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url)
    yield found
    found.close()


def said(sentence: Text, language: str) -> str:
    return render(sentence, language, lambda *_: "")


def look(house: House, table: str, id_: int, language: str = "en", most: int | None = None) -> str:
    ref = Ref(table, id_, most)
    found: References = house.now(lambda db: References(db, [ref]))
    return found(ref, language)


def inbound(text: str, **values: Any) -> Inbound:
    return Inbound(LANE, "k", ("x",), text=text, **values)


def write(house: House, text: str, **values: Any) -> int:
    author = house.member()[1]

    def work(db: Any) -> int:
        id_ = posts.add(db, author, inbound(text), clock.now(), kind="answer")
        posts.mark(db, id_, **values)
        return id_

    return house.now(work)  # type: ignore[no-any-return]


# Heavy stories ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
def test_a_heavy_story_is_veiled_once_it_is_live(house: House, language: str) -> None:
    id_ = write(house, STORY, heavy=True, state="live")
    assert look(house, "posts", id_, language) == said(bubbles._HEAVY, language)
    assert look(house, "posts", id_, language, most=9) != STORY[:9]
    assert look(house, "stories", id_, language) == STORY


@pytest.mark.parametrize("state", ["draft", "waiting"])
def test_her_own_draft_is_shown_to_her(house: House, state: str) -> None:
    id_ = write(house, STORY, heavy=True, state=state)
    assert look(house, "posts", id_) == STORY


def test_what_is_not_heavy_is_not_veiled(house: House) -> None:
    id_ = write(house, "Indigo grows well.", state="live")
    for table in TABLES:
        assert look(house, table, id_) == "Indigo grows well."


def test_whoever_looks_into_it_reads_it(house: House) -> None:
    id_ = write(house, STORY, heavy=True, state="live")
    assert look(house, "referred", id_) == STORY


# Hidden posts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("heavy", [True, False])
@pytest.mark.parametrize("language", languages())
def test_a_hidden_post_is_gone_but_for_whom_it_was_referred_to(
    house: House, heavy: bool, language: str
) -> None:
    id_ = write(house, STORY, heavy=heavy, state="live")
    assert house.now(lambda db: posts.hide(db, id_))
    gone = said(words.HIDDEN, language)
    assert look(house, "posts", id_, language) == gone
    assert look(house, "stories", id_, language) == gone
    assert look(house, "referred", id_, language) == STORY


@pytest.mark.parametrize("table", [*TABLES, "help_contacts"])
def test_what_was_erased_is_gone_for_all(house: House, table: str) -> None:
    assert look(house, table, 10**6) == said(words.HIDDEN, "en")


@pytest.mark.parametrize("state", ["draft", "waiting", "hidden"])
def test_only_what_is_live_can_be_hidden(house: House, state: str) -> None:
    id_ = write(house, STORY, state=state)
    assert not house.now(lambda db: posts.hide(db, id_))


def test_it_is_hidden_once(house: House) -> None:
    id_ = write(house, STORY, state="live")
    assert [house.now(lambda db: posts.hide(db, id_)) for _ in range(2)] == [True, False]


def test_others_are_not_hidden_with_it(house: House) -> None:
    first, second = (write(house, text, state="live") for text in ("one", "two"))
    house.now(lambda db: posts.hide(db, first))
    refs = [Ref(table, id_) for id_ in (first, second) for table in TABLES]
    found: References = house.now(lambda db: References(db, refs))
    gone = said(words.HIDDEN, "en")
    assert [found(ref, "en") for ref in refs] == [gone, gone, "one", "two", "two", "two"]


# Announcements ----------------------------------------------------------------------------------


def announce(house: House, first: str, **translated: str) -> int:
    author = house.member()[1]

    def work(db: Any) -> int:
        now = clock.now()
        id_ = posts.add(
            db, author, inbound(f"in {first}"), now, kind="announcement", language=first
        )
        for code, text in translated.items():
            posts.add_bubbles(db, id_, inbound(text), now, code)
        posts.mark(db, id_, state="live")
        return id_

    return house.now(work)  # type: ignore[no-any-return]


def marked(source: str, language: str) -> str:
    return said(_("(in {language})", language=own_name(source)), language)


def test_each_reads_it_in_her_language(house: House) -> None:
    id_ = announce(house, "en", lo="ພົບກັນວັນສຸກ", km="ជួបគ្នាថ្ងៃសុក្រ")
    assert look(house, "posts", id_, "en") == "in en"
    assert look(house, "posts", id_, "lo") == "ພົບກັນວັນສຸກ"
    assert look(house, "posts", id_, "km") == "ជួបគ្នាថ្ងៃសុក្រ"


@pytest.mark.parametrize("first", languages())
def test_without_a_translation_it_is_as_it_was_written(house: House, first: str) -> None:
    id_ = announce(house, first)
    assert look(house, "posts", id_, first) == f"in {first}"
    for code in set(languages()) - {first}:  # and says so
        assert look(house, "posts", id_, code) == f"{marked(first, code)}\nin {first}"


@pytest.mark.parametrize("first", ["lo", "km"])
def test_it_falls_back_to_what_was_written_first(house: House, first: str) -> None:
    """Not to English, and not to a translation that happens to be there."""
    third = "km" if first == "lo" else "lo"
    id_ = announce(house, first, en="in en")
    assert look(house, "posts", id_, third) == f"{marked(first, third)}\nin {first}"
    assert look(house, "posts", id_, "en") == "in en"


def test_the_excerpt_is_in_her_language_too(house: House) -> None:
    id_ = announce(house, "en", lo="ພົບກັນວັນສຸກຢູ່ຕະຫຼາດເຊົ້າ")
    assert look(house, "posts", id_, "lo", most=4).startswith("ພົບ")


def test_an_announcement_that_was_taken_back(house: House) -> None:
    id_ = announce(house, "en", lo="ພົບກັນວັນສຸກ")
    house.now(lambda db: posts.hide(db, id_))
    for code in languages():
        assert look(house, "posts", id_, code) == said(words.HIDDEN, code)


def test_a_post_of_several_bubbles_is_no_translation(house: House) -> None:
    """Bubbles without a language are all of it, in any language."""
    id_ = write(house, "one", state="live")
    more = inbound("two", files=(File("voice", "F1"),))
    house.now(lambda db: posts.add_bubbles(db, id_, more, clock.now()))
    for code in languages():
        voice = said(bubbles._WAITING["voice"], code)
        assert look(house, "posts", id_, code) == f"one\ntwo\n{voice}"
