"""WORDING: in each language, for one programme of several; and what a community says it is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import models, sentences, smalltalk
from bot.i18n import catalogue, written_in
from tests.stage import Stage
from tests.test_facilitators import HELP, programme, staged, wait_outside

ROOT = Path(__file__).resolve().parent.parent
HELLO = "Hello! Write your question, or write MENU to see what you can do."


def overridden(stage: Stage) -> int:
    rows = select(func.count()).select_from(models.overrides)
    return int(stage.app.database.run_now(lambda db: db.execute(rows).scalar_one()))


def last(stage: Stage, name: str) -> str:
    return str(stage.people[name].heard[-1])


async def talk(stage: Stage, name: str, *acts: str) -> str:
    """What she hears in the end."""
    for act in acts:
        if act.startswith("["):
            await stage.choose(name, act.strip("[]"))
        else:
            await stage.say(name, act)
        await stage.listen(name)
    return last(stage, name)


# In the chat -------------------------------------------------------------------------------------


@pytest.mark.parametrize("foreign", ["សួស្តីមិត្តភក្តិ!", "Hello friends!"])
def test_lao_words_for_those_who_read_lao(database_url: str, foreign: str) -> None:
    usual = catalogue("lo").gettext(HELLO)
    mine = "ສະບາຍດີໝູ່ເພື່ອນ! ມີຫຍັງຢາກຖາມ ພິມມາໄດ້ເລີຍ."

    async def play(stage: Stage) -> None:
        for name, role in (("Kham", "facilitator"), ("Bua", "member")):
            stage.settle(stage.add(name, "telegram", "lo"), "weavers", role)
        assert await talk(stage, "Bua", "ສະບາຍດີ") == usual
        # Her own word for it comes with the catalogue; the English one is heard everywhere.
        asked = await talk(stage, "Kham", "wording", usual[:25], "1")
        assert usual in asked
        await talk(stage, "Kham", foreign)
        assert overridden(stage) == 0
        assert mine in await talk(stage, "Kham", mine)
        await talk(stage, "Kham", "1")
        assert await talk(stage, "Bua", "ສະບາຍດີ") == mine
        assert await talk(stage, "Noy", "hello") == HELLO

    staged(database_url, play)


def test_it_is_for_the_programme_of_the_group_she_chose(database_url: str) -> None:
    other: dict[str, Any] = programme()
    other["programme"]["slug"] = "other"
    other["communities"][0] |= {"slug": "farmers", "names": dict.fromkeys(HELP, "Farmers")}

    async def play(stage: Stage) -> None:
        stage.load(other)
        stage.settle(stage.people["Alex"], "farmers", "facilitator")
        stage.settle(stage.add("Fa", "telegram", "en"), "farmers")
        words = "Good day, farmer!"
        await talk(stage, "Alex", "wording", "[Farmers]", HELLO, "1", words, "[Save]")
        assert await talk(stage, "Fa", "hello") == words
        assert await talk(stage, "Noy", "hello") == HELLO
        assert await talk(stage, "Alex", "hello") == HELLO  # she is in both

    staged(database_url, play)


@pytest.mark.parametrize("word", ["Yes", "no!", "Thank you", "OK", "Not now", "១២"])
def test_a_button_says_nothing_that_is_typed_for_something_else(
    database_url: str, word: str
) -> None:
    async def play(stage: Stage) -> None:
        for acts in ("wording", "Follow"):
            await talk(stage, "Alex", acts)
        at = str(1 + sentences_asked(stage).index("Follow"))
        await talk(stage, "Alex", at, word)
        assert overridden(stage) == 0
        assert "[Save]" not in last(stage, "Alex")
        await talk(stage, "Alex", "Stay with it", "[Save]")
        assert overridden(stage) == 1

    staged(database_url, play)


def sentences_asked(stage: Stage) -> list[str]:
    """What she may choose from."""
    return [each.msgid for each in sentences.search("en", "Follow", {}, ()) if not each.is_fixed]


@pytest.mark.parametrize(
    ("text", "usual"), [("I agree", "Yes"), ("Agree", "yes"), ("No", "Not now")]
)
def test_yes_may_be_said_in_other_words(text: str, usual: str) -> None:
    assert smalltalk.is_taken(text) and not smalltalk.is_taken(text, usual)


def test_saved_twice_is_saved_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await talk(stage, "Alex", "wording", HELLO, "1", "Good day!")
        bubble = stage.people["Alex"].heard[-1]
        await talk(stage, "Alex", "[Save]")
        stage.people["Alex"].heard.append(bubble)  # it is still on her screen
        await talk(stage, "Alex", "[Save]")
        assert overridden(stage) == 1
        # What was there before is the catalogue's words, not the same again.
        stage.people["Alex"].heard.pop()
        await talk(stage, "Alex", "[Undo]")
        assert overridden(stage) == 0

    staged(database_url, play)


def test_a_sentence_that_is_gone_when_she_comes_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(stage: Stage) -> None:
        await talk(stage, "Alex", "wording", HELLO, "1")
        with monkeypatch.context() as patch:
            patch.setattr(sentences, "all_of", lambda _language: {})
            assert await talk(stage, "Alex", "Good day!") == "All right, nothing was changed."
        assert overridden(stage) == 0

    staged(database_url, play)


def test_it_is_noted_who_did_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await talk(stage, "Alex", "wording", HELLO, "1", "Good day!", "[Save]", "[Undo]")
        rows = select(models.audit.c.action).order_by(models.audit.c.id)
        done = stage.app.database.run_now(lambda db: list(db.execute(rows).scalars()))
        assert [each for each in done if each.startswith("wording")] == [
            "wording.save", "wording.undo",
        ]  # fmt: skip

    staged(database_url, play)


# What stays --------------------------------------------------------------------------------------


def test_what_keeps_people_safe_cannot_be_chosen() -> None:
    for file in sentences.FIXED:
        assert (ROOT / file).exists(), file
    known = sentences.all_of("en")
    for words in sentences.FIXED_WORDS:
        assert [each for each in known if each.startswith(words)], words
    fixed = [each for each in known.values() if each.is_fixed]
    assert len(fixed) > 50
    assert all(known[each].is_fixed for each in ("Report a concern", "Get help now", "I agree"))
    readers = ("Only me", "My group", "Only facilitators", "Without my name", "your group sees it")
    assert all(known[each].is_fixed for each in readers)


@pytest.mark.parametrize("language", ["en", "lo", "km"])
def test_every_sentence_is_found_by_itself(language: str) -> None:
    for sentence in list(sentences.all_of(language).values())[::7]:
        words = sentence.forms[0]
        if any(sign.isalpha() for sign in sentences._FIELD.sub("", words)):
            found = sentences.search(language, words, {}, (), 1000)
            assert sentence in found, sentence.msgid


@pytest.mark.parametrize("words", ["", "?!", "😀", "1", "{}", "{name}", "\u200b", "x" * 3000])
def test_what_finds_nothing(words: str) -> None:
    assert sentences.search("en", words, {}, ()) == []


def test_nobody_types_what_is_only_typed() -> None:
    """Lists of words to type are read by nobody."""
    assert "monday, mon" not in sentences.all_of("en")


# What a community is for -------------------------------------------------------------------------

PURPOSE = {"en": "We sell what we weave.", "lo": "ພວກເຮົາຂາຍຜ້າທີ່ຕ່ຳເອງ."}


def told(database_url: str, play: Callable[[Stage], Awaitable[None]], **rules: Any) -> None:
    staged(database_url, play, purpose=PURPOSE, **rules)


@pytest.mark.parametrize("approval", [True, False])
def test_who_comes_in_hears_what_it_is_for(database_url: str, approval: bool) -> None:
    async def play(stage: Stage) -> None:
        await wait_outside(stage, ["Dara"])
        if approval:
            await talk(stage, "Alex", "facilitate", "[Welcome all 1]")
        await stage.listen("Dara")
        said = [str(each) for each in stage.people["Dara"].heard]
        assert any("It is good that you are here.\n\nWe sell what we weave." in s for s in said), (
            said
        )

    told(database_url, play, approval=approval)


@pytest.mark.parametrize("approval", [True, False])
def test_nothing_is_told_of_a_discreet_one(database_url: str, approval: bool) -> None:
    async def play(stage: Stage) -> None:
        code = stage.code("weavers")
        dara = stage.add("Dara", "telegram", "en")
        await stage.say("Dara", code)
        for label in ("English", "I agree"):
            await stage.choose("Dara", label)
        await stage.say("Dara", "Lotus")
        if approval:
            await talk(stage, "Alex", "open", "facilitate", "[Welcome all 1]")
            await talk(stage, "Dara", "open")
        await stage.listen("Dara")
        assert not [each for each in dara.heard if "weave" in str(each)]

    told(database_url, play, approval=approval, discreet=True)


# In which language it is written -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reads", "language"),
    [
        ("We meet on Friday.", "lo", "en"),
        ("We meet on Friday.", "en", "en"),
        ("ພົບກັນວັນສຸກ", "en", "lo"),
        ("ជួបគ្នាថ្ងៃសុក្រ", "lo", "km"),
        ("https://example.org/zoom/123456 ວັນສຸກ", "lo", "lo"),
        ("https://example.org/zoom/123456 ວັນສຸກ", "km", "en"),
        ("123", "km", "en"),
    ],
)
def test_whose_language_it_is(text: str, reads: str, language: str) -> None:
    assert written_in(text, reads) == language
