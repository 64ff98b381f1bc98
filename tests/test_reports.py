"""A concern reaches the focal points alone: nobody else by any way, and nothing names who wrote."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from bot import allowances, models
from bot.store import reports
from bot.timing import coarse
from tests.stage import Person, Stage
from tests.test_facilitators import heard, programme, staged
from tests.test_roles import _id_of, set_membership

WORDS = "The cashier takes the girls' money"
CODE = "REPRT-22222"


async def with_focal_point(stage: Stage) -> Person:
    sophea = stage.add("Sophea", "telegram", "en")
    stage.settle(sophea, "weavers", "focal_point")
    return sophea


async def report(
    stage: Stage, who: str, *, named: bool = False, tell: bool = False, words: str = WORDS
) -> None:
    await stage.say(who, "report")
    await stage.say(who, words)
    await stage.listen(who)
    await stage.later(timedelta(seconds=5))
    await stage.choose(who, "With my name" if named else "Without my name")
    await stage.choose(who, "Yes, tell me" if tell else "No, I use the code")


def rows(stage: Stage, table: Any) -> list[Any]:
    return stage.app.database.run_now(lambda db: list(db.execute(select(table))))


def count(stage: Stage, table: Any) -> int:
    statement = select(func.count()).select_from(table)
    return stage.app.database.run_now(lambda db: db.execute(statement).scalar_one())


# Who gets it -------------------------------------------------------------------------------------


def test_only_focal_points_hear_of_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        moni = stage.add("Moni", "telegram", "en")
        stage.settle(moni, "weavers", "monitor")
        await report(stage, "Noy", named=True)
        assert heard(sophea, "A concern was reported") == 1
        await stage.choose("Sophea", "Read it")
        assert heard(sophea, WORDS) == 1 and "from Noy" in sophea.heard[-1].text
        await stage.later(timedelta(days=1))
        for name in ("Alex", "Mali", "Moni"):
            for words in ("concerns", "figures", "facilitate", "101", "unanswered"):
                await stage.say(name, words)
            assert heard(stage.people[name], WORDS) == 0
            assert heard(stage.people[name], "concern was reported") == 0

    staged(database_url, play)


def test_a_facilitator_tries_the_buttons_of_the_focal_point(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await report(stage, "Noy", named=True)
        await stage.choose("Sophea", "Read it")
        for bubble in [each for each in sophea.heard if each.buttons]:
            for _label, data in bubble.buttons:
                alex = stage.people["Alex"]
                seen = {each.id for each in alex.heard}
                await stage.update(alex, alex.phone.tap(data, 1))
                new = [each.text for each in alex.heard if each.id not in seen]
                assert new[0].startswith("That choice is already closed.")
        assert heard(stage.people["Alex"], WORDS) == 0

    staged(database_url, play)


@pytest.mark.parametrize("how", ["demoted", "left"])
def test_who_was_a_focal_point_once(how: str, database_url: str) -> None:
    """What waited for her, her old buttons, and the answer she had begun."""

    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        other = stage.add("Bopha", "telegram", "en")
        stage.settle(other, "weavers", "focal_point")
        await report(stage, "Noy")
        await stage.later(timedelta(minutes=6))
        await stage.choose("Sophea", "Read it")
        await stage.choose("Sophea", "Answer")
        values = {"role": "member"} if how == "demoted" else {"state": "left"}
        set_membership(stage, "Sophea", **values)
        seen = len(sophea.heard)
        await stage.say("Sophea", "Come to my house and we talk.")
        for label in ("Read it", "Answer", "Close this concern"):
            await stage.choose("Sophea", label)
        await stage.say("Sophea", "concerns")
        assert [each.text for each in sophea.heard[seen:]] == [
            "Only safeguarding focal points read this."
        ] * 5
        assert len(rows(stage, models.notes)) == 1
        await stage.choose("Bopha", "Read it")
        assert heard(other, WORDS) == 1

    staged(database_url, play)


def test_it_goes_to_the_focal_points_of_her_programme(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        other = programme()
        other["programme"]["slug"] = "elsewhere"
        other["communities"][0]["slug"] = "farmers"
        stage.load(other)
        far = stage.add("Far", "telegram", "en")
        stage.settle(far, "farmers", "focal_point")
        await report(stage, "Noy", named=True)
        assert heard(sophea, "A concern was reported") == 1
        assert heard(far, "A concern was reported") == 0
        eve = stage.add("Eve", "telegram", "en")
        await stage.say("Eve", "report")
        assert heard(eve, "Which programme is it about?") == 1
        [first, second, *_rest] = [label for label, _data in eve.heard[-1].buttons]
        assert first == second == "Weavers"  # as both are called here
        await stage.say("Eve", "2")
        await stage.say("Eve", "Somebody hurts the children.")
        await stage.choose("Eve", "No, I use the code")
        await stage.later(timedelta(minutes=6))
        assert heard(far, "A concern was reported") == 1
        assert heard(sophea, "A concern was reported") == 1

    staged(database_url, play)


def test_a_focal_point_who_reports_is_not_the_one_who_gets_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await stage.say("Sophea", "report")
        assert heard(sophea, "Nobody is named here who could take a concern") == 1
        assert heard(sophea, "help@example.org") == 1

    staged(database_url, play)


def test_nothing_is_stored_as_if_it_had_arrived(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await stage.say("Noy", "report")
        await stage.say("Noy", WORDS)
        await stage.later(timedelta(seconds=5))
        await stage.choose("Noy", "With my name")
        set_membership(stage, "Sophea", role="member")
        await stage.choose("Noy", "No, I use the code")
        assert heard(stage.people["Noy"], "Nothing was sent or kept.") == 1
        assert heard(stage.people["Noy"], "Your code") == 0
        assert count(stage, models.reports) == count(stage, models.notes) == 0
        assert count(stage, models.envelopes) == 0
        assert count(stage, models.conversations) == 0, "its words are gone with the talk"

    staged(database_url, play)


def test_help_is_one_tap_away_from_the_first_answer(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        noy = stage.people["Noy"]
        await stage.say("Noy", "report")  # nobody is named
        await stage.choose("Noy", "Get help now")
        assert heard(noy, "Example helpline, 100") == 1
        await with_focal_point(stage)
        await stage.say("Noy", "report")
        await stage.choose("Noy", "Get help now")
        assert heard(noy, "Example helpline, 100") == 2
        assert "Here you can tell" in noy.heard[-1].text, "and then she may go on"

    staged(database_url, play)


# The receipt -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["stopped", "left", "stranger"])
def test_the_code_is_read_from_anywhere(state: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy")
        await stage.later(timedelta(minutes=6))
        await stage.choose("Sophea", "Read it")
        await stage.choose("Sophea", "Answer")
        await stage.say("Sophea", "We look into it.")
        who = "Noy"
        if state == "stopped":
            await stage.say("Noy", "stop")
        elif state == "left":
            set_membership(stage, "Noy", state="left")
        else:
            who = stage.add("Eve", "telegram", "lo").name
        await stage.say(who, CODE.replace("-", " ").lower())
        assert heard(stage.people[who], "We look into it.") == 1
        await stage.choose(who, "ຂຽນເພີ່ມ" if state == "stranger" else "Write more")
        await stage.say(who, "It happened again.")
        await stage.later(timedelta(minutes=6))
        await stage.choose("Sophea", "Read it")
        assert heard(stage.people["Sophea"], "It happened again.") == 1

    staged(database_url, play)


def test_guessing_tells_nothing_and_ends(database_url: str) -> None:
    """Wrong, half and foreign codes look alike; then even the right one must wait."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy")
        eve = stage.add("Eve", "telegram", "en")
        most = allowances.RECEIPTS.most
        for number in range(most):
            await stage.say("Eve", f"REPRT-3333{number + 2}")
        assert len({each.text for each in eve.heard}) == 1
        await stage.say("Eve", CODE)
        assert heard(eve, "Please wait half an hour") == 1
        assert heard(eve, "What you told is kept.") == 0
        await stage.restart()
        await stage.say("Eve", CODE)
        assert heard(eve, "Please wait half an hour") == 2, "a restart forgets nothing"
        await stage.later(timedelta(minutes=31))
        await stage.say("Eve", CODE)
        assert heard(eve, "What you told is kept.") == 1

    staged(database_url, play)


def test_a_code_never_becomes_a_question(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy")
        for before in ("ask", "announce", "menu"):
            await stage.say("Alex", before)
            await stage.say("Alex", CODE)
            assert "What you told is kept." in stage.people["Alex"].heard[-1].text or heard(
                stage.people["Alex"], "What you told is kept."
            )
        assert count(stage, models.posts) == 0

    staged(database_url, play)


def test_two_words_are_no_code(database_url: str) -> None:
    """A code has a digit, always; words of five letters are a question like others."""

    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Sheep fever")
        await stage.later(timedelta(seconds=5))
        assert heard(stage.people["Noy"], "Sheep fever") == 1
        assert heard(stage.people["Noy"], "I find nothing for this code") == 0

    staged(database_url, play)
    codes = [reports.new_code() for _ in range(300)]
    assert all(reports.find_code(each) == each for each in codes)
    assert all(any(sign.isdecimal() for sign in each) for each in codes)
    for typed in ("reprt-22222", "REPRT–22222.", "REPRT ໒໒໒໒໒", "REPRT-២២២២២"):
        assert reports.find_code(typed) == CODE


def test_the_neutral_word_comes_only_if_she_wished(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy", tell=True)
        await report(stage, "Mali", named=True)
        await stage.later(timedelta(minutes=6))
        for number in (1, 2):
            await stage.say("Sophea", "concerns")
            await stage.choose("Sophea", f"Read {number}")
            await stage.choose("Sophea", "Answer")
            await stage.say("Sophea", "We look into it.")
        await stage.later(timedelta(minutes=6))
        assert heard(stage.people["Noy"], "Something new is there for you.") == 1
        assert heard(stage.people["Mali"], "Something new is there for you.") == 0

    staged(database_url, play)


def test_a_further_bubble_belongs_to_it(database_url: str) -> None:
    """People write in bursts: four bubbles are one report, and are answered once."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await stage.say("Noy", "report")
        for words in ("The cashier", "takes money", "from the girls", "each week"):
            await stage.say("Noy", words)
        await stage.later(timedelta(seconds=5))
        assert heard(stage.people["Noy"], "Shall they see your name?") == 1
        await stage.choose("Noy", "With my name")
        await stage.choose("Noy", "Yes, tell me")
        await stage.choose("Sophea", "Read it")
        assert heard(stage.people["Sophea"], "The cashier\ntakes money\nfrom the girls\neach week")

    staged(database_url, play)


def test_a_bubble_that_is_changed_before_it_is_sent(database_url: str) -> None:
    """She takes her name out again in the app: the report has it nowhere, nor has the inbox."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await stage.say("Alex", "report")
        for words in ("I am Alexzebra", "he takes money"):
            await stage.say("Alex", words)
        await stage.later(timedelta(seconds=5))
        await stage.edit("Alex", "I am Alexzebra", "Listen:")
        assert heard(stage.people["Alex"], "Your change is saved.") == 1
        await stage.choose("Alex", "Without my name")
        await stage.say("Alex", "his name is Bounzebra")
        assert heard(stage.people["Alex"], "Please choose one of these.") == 1
        await stage.choose("Alex", "No, I use the code")
        [note] = rows(stage, models.notes)
        assert note.text == "Listen:\nhe takes money"
        await stage.edit("Alex", "he takes money", "he takes it, Darazebra")
        kept = " ".join(each.payload for each in rows(stage, models.inbox))
        assert "zebra" not in kept and "Listen" not in kept

    staged(database_url, play)


def test_the_same_tap_twice_is_one_report(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await report(stage, "Alex", named=True)
        await stage.choose("Alex", "No, I use the code")
        assert count(stage, models.reports) == 1
        assert heard(sophea, "A concern was reported") == 1

    staged(database_url, play)


# What is kept ------------------------------------------------------------------------------------


def test_nothing_in_the_clear_joins_a_nameless_report_to_her(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy")
        noy = stage.app.database.run_now(lambda db: _id_of(db, stage, "Noy"))
        [kept] = rows(stage, models.reports)
        assert kept.reporter is None and kept.named is False
        assert kept.created_at == coarse(kept.created_at)
        [note] = rows(stage, models.notes)
        assert note.created_at == coarse(note.created_at)
        [envelope] = rows(stage, models.envelopes)
        assert "member" not in envelope.content
        told = [each for each in rows(stage, models.deliveries) if each.member_id != noy]
        assert told == [], "others hear of it later, so that the moment names nobody"
        await stage.later(timedelta(minutes=6))
        [told] = [each for each in rows(stage, models.deliveries) if each.member_id != noy]
        assert rows(stage, models.audit) == []

    staged(database_url, play)


def test_the_inbox_forgets_what_was_reported(database_url: str) -> None:
    """The words stand in the report alone; the bubble's id stays, so that Clear can delete it."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Alex")
        await stage.say("Alex", CODE)
        await stage.choose("Alex", "Write more")
        await stage.say("Alex", "It happened again.")
        payloads = [json.loads(each.payload) for each in rows(stage, models.inbox)]
        said = " ".join(each["text"] for each in payloads)
        assert WORDS not in said and "again" not in said and CODE not in said
        assert all(each["id"] for each in payloads if each["kind"] == "message")
        bodies = json.dumps([each.body for each in rows(stage, models.messages)])
        assert WORDS not in bodies and "happened again" not in bodies

    staged(database_url, play)


def test_a_report_is_found_in_no_search_figure_or_thread(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy", named=True)
        for table in (models.posts, models.bubbles, models.threads, models.follows):
            assert count(stage, table) == 0

    staged(database_url, play)


def test_the_store_itself_holds_no_word_of_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, "Noy", named=True)

        def raw(db: Any) -> bytes:
            found = b""
            for name in models.metadata.tables:
                for row in db.execute(text(f"SELECT * FROM {name}")):
                    found += b"|".join(
                        bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode()
                        for each in row
                    )
            return found

        stored = stage.app.database.run_now(raw)
        assert WORDS.encode() not in stored and CODE.encode() not in stored

    staged(database_url, play)


def test_reports_a_day(database_url: str) -> None:
    """The limit says whom to ask instead: nothing is swallowed."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        for _number in range(allowances.REPORTS.most + 1):
            await report(stage, "Noy")
        assert count(stage, models.reports) == allowances.REPORTS.most
        assert heard(stage.people["Noy"], "Nothing was sent or kept.") == 1

    staged(database_url, play)
