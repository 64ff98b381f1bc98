"""What is reported by voice: heard by the focal points and nobody else, lost by nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from bot import clock, models, reporting
from bot.channels import Gone, TryLater
from bot.timing import coarse
from bot.upkeep import SWEEPS
from bot.web.files import LASTS
from tests.media import files
from tests.stage import Person, Stage
from tests.test_facilitators import heard, staged
from tests.test_reports import CODE, WORDS, count, rows, with_focal_point
from tests.test_roles import _id_of, set_membership

MINUTES = timedelta(minutes=6)
NOT_NOW = TryLater("503", timedelta(seconds=5))


async def report(
    stage: Stage, who: str = "Noy", *, named: bool = False, tell: bool = False, words: str = ""
) -> None:
    """By voice, and in words if there are some."""
    await stage.say(who, "report")
    if words:
        await stage.say(who, words)
    await stage.send_file(who, "voice")
    await stage.later(timedelta(seconds=5))
    await stage.choose(who, "With my name" if named else "Without my name")
    if not named:
        await stage.choose(who, "Send anyway")
    await stage.choose(who, "Yes, tell me" if tell else "No, I use the code")


def voices(person: Person) -> list[bytes]:
    return [each.content for each in person.heard if each.text == "(voice.ogg)"]


def names(stage: Stage) -> set[str]:
    return set(stage.app.vault.names())


# Who hears it ------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_only_focal_points_hear_it(database_url: str, named: bool) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await report(stage, named=named)
        await stage.later(MINUTES)
        assert heard(sophea, "A concern was reported") == 1
        await stage.choose("Sophea", "Read it")
        [voice] = voices(sophea)
        assert abs(files.heard(voice) - 3.0) < 0.06
        assert heard(sophea, "from Noy") == int(named)
        for name in ("Alex", "Mali"):
            for words in ("concerns", "101", "unanswered"):
                await stage.say(name, words)
        await stage.later(timedelta(days=1))
        others = [each for each in stage.people.values() if each is not sophea]
        assert all(voices(each) == [] for each in others)
        assert count(stage, models.posts) == count(stage, models.captions) == 0

    staged(database_url, play)


def test_who_is_a_focal_point_no_more_gets_no_voice(database_url: str) -> None:
    """Neither what was on its way to her, nor by the address that Twilio was given."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        lek = stage.add("Lek", "whatsapp", "en")
        stage.settle(lek, "weavers", "focal_point")
        await report(stage, named=True)
        await stage.later(MINUTES)
        await stage.say("Lek", "1")
        await stage.later(timedelta(seconds=5))
        assert len(voices(lek)) == 1
        [token] = [each.token for each in rows(stage, models.dispatches) if each.media is not None]
        since = clock.now() - LASTS
        assert await stage.app.files.of_token(token, since) is not None
        set_membership(stage, "Lek", role="member")
        assert await stage.app.files.of_token(token, since) is None

    staged(database_url, play)


def test_its_answer_is_heard_with_the_code_on_any_phone(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage, words=WORDS)
        await stage.later(MINUTES)
        await stage.choose("Sophea", "Read it")
        await stage.choose("Sophea", "Answer")
        await stage.send_file("Sophea", "voice")
        await stage.later(MINUTES)
        eve = stage.add("Eve", "whatsapp", "en")
        await stage.say("Eve", CODE)
        await stage.later(timedelta(seconds=5))
        assert len(voices(eve)) == 1, "the answer, and not what was reported"
        assert heard(eve, WORDS) == 0

    staged(database_url, play)


# What is in the way ------------------------------------------------------------------------------


def test_others_are_told_when_it_is_there(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        stage.failing["files"] = [NOT_NOW] * 4
        await report(stage, named=True)
        await stage.deliver()
        assert heard(sophea, "A concern was reported") == 0
        for _minute in range(20):
            await stage.later(timedelta(minutes=1))
        assert heard(sophea, "A concern was reported") == 1
        await stage.choose("Sophea", "Read it")
        assert len(voices(sophea)) == 1

    staged(database_url, play)


def test_they_do_not_wait_for_ever_and_hear_of_it_when_it_comes(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        stage.failing["files"] = [NOT_NOW] * 100
        await report(stage, words=WORDS)
        for _minutes in range(20):
            await stage.later(timedelta(minutes=2))
        assert heard(sophea, "A concern was reported") == 1
        await stage.choose("Sophea", "Read it")
        assert heard(sophea, WORDS) == 1
        assert heard(sophea, "(voice note: it has not arrived yet)") == 1
        stage.failing["files"] = []
        for _hours in range(12):
            await stage.later(timedelta(minutes=30))
        assert heard(sophea, "Something was added to a concern") == 1
        await stage.choose("Sophea", "Read it")
        assert len(voices(sophea)) == 1

    staged(database_url, play)


@pytest.mark.parametrize("tell", [True, False])
def test_who_sent_it_hears_that_it_did_not_arrive(database_url: str, tell: bool) -> None:
    """Nothing on her screen says what it was; with the code she reads it, and sends it again."""

    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        noy = stage.people["Noy"]
        stage.failing["files"] = [Gone("404")]
        await report(stage, tell=tell)
        for _minutes in range(12):
            await stage.later(timedelta(minutes=1))
        assert heard(noy, "Something new is there for you.") == 1, "and she was promised no more"
        moments = {
            each.created_at for each in rows(stage, models.messages) if each.kind != "direct"
        }
        assert len(moments) == 2, "at another moment than its readers"
        assert heard(noy, "Your voice note did not arrive") == 0
        await stage.choose("Sophea", "Read it")
        assert heard(sophea, "(voice note: it could not be fetched)") == 1
        await stage.say("Noy", CODE)
        assert heard(noy, "(voice note: it could not be fetched)") == 1
        await stage.choose("Noy", "Write more")
        await stage.send_file("Noy", "voice")
        await stage.choose("Noy", "Send anyway")
        await stage.later(MINUTES)
        await stage.choose("Sophea", "Read it")
        assert len(voices(sophea)) == 1
        assert count(stage, models.envelopes) == 0, "nobody is known any more who sent it"

    staged(database_url, play)


def test_after_an_outage_it_is_told_as_new(database_url: str) -> None:
    """All is due at once then, and what it has comes before the word that it is there."""

    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage)
        stage.failing["files"] = [Gone("404")]
        for each in rows(stage, models.envelopes):  # by number alone it would be the wrong order
            number = "z" if each.content["kind"] == reporting.HELD else "a"
            _set_number(stage, each.id, number)
        clock.move(timedelta(hours=2))
        await stage.later(MINUTES)
        assert heard(stage.people["Sophea"], "A concern was reported") == 1

    staged(database_url, play)


def test_on_a_discreet_phone_only_that_something_waits(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        noy = _id_of_member(stage, "Noy")
        hers = update(models.members).where(models.members.c.id == noy).values(discreet=True)
        stage.app.database.run_now(lambda db: db.execute(hers))
        stage.failing["files"] = [TryLater("503", timedelta(minutes=20)), Gone("404")]
        await report(stage, tell=True)
        await stage.listen("Noy")
        before = len(stage.people["Noy"].heard)
        for _minutes in range(45):
            await stage.later(timedelta(minutes=1))
        new = [each.text for each in stage.people["Noy"].heard[before:]]
        assert new[-1] == "A message is waiting for you.\n\n1. Open"
        assert not any("did not arrive" in each for each in new)

    staged(database_url, play)


def test_a_restart_after_each_step_loses_nothing(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        stage.failing["files"] = [NOT_NOW]
        await stage.say("Noy", "report")
        await stage.send_file("Noy", "voice")
        await stage.restart()
        await stage.later(timedelta(seconds=5))
        await stage.choose("Noy", "Without my name")
        await stage.restart()
        await stage.choose("Noy", "Send anyway")
        await stage.restart()
        await stage.choose("Noy", "No, I use the code")
        assert count(stage, models.media) == 0
        for _minute in range(12):
            await stage.restart()
            await stage.later(timedelta(minutes=1))
        assert heard(sophea, "A concern was reported") == 1
        await stage.choose("Sophea", "Read it")
        assert len(voices(sophea)) == 1
        assert count(stage, models.media) == count(stage, models.notes) == 1

    staged(database_url, play)


def test_an_envelope_that_breaks_is_opened_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died between the files of one report: all of them come, and each once."""

    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await stage.say("Noy", "report")
        await stage.send_file("Noy", "voice")
        await stage.send_file("Noy", "photo")
        await stage.later(timedelta(seconds=5))
        await stage.choose("Noy", "With my name")
        await stage.choose("Noy", "No, I use the code")
        add, calls = reporting.reports.add_files, []

        def broken(*args: Any) -> list[int]:
            calls.append(args)
            if len(calls) == 2:
                raise RuntimeError("killed")
            return add(*args)

        monkeypatch.setattr(reporting.reports, "add_files", broken)
        await stage.later(timedelta(minutes=1))
        assert count(stage, models.media) == 0
        assert heard(sophea, "A concern was reported") == 0, "others wait for it"
        for _minute in range(8):
            await stage.later(timedelta(minutes=1))
        assert [each.kind for each in rows(stage, models.notes)] == ["voice", "photo"]
        assert heard(sophea, "A concern was reported") == 1
        assert len(calls) == 4

    staged(database_url, play)


def test_the_same_tap_twice_is_one_voice(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage)
        await stage.choose("Noy", "No, I use the code")
        await stage.later(MINUTES)
        assert count(stage, models.reports) == count(stage, models.media) == 1

    staged(database_url, play)


def test_what_is_cancelled_was_never_fetched(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await stage.say("Noy", "report")
        await stage.send_file("Noy", "voice")
        await stage.later(timedelta(seconds=5))
        await stage.choose("Noy", "Without my name")
        await stage.choose("Noy", "Cancel")
        await stage.later(MINUTES)
        assert count(stage, models.media) == count(stage, models.envelopes) == 0
        assert names(stage) == set()

    staged(database_url, play)


# What is kept ------------------------------------------------------------------------------------


def test_nothing_in_the_clear_joins_it_to_her(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage)
        now = clock.now()
        assert count(stage, models.media) == 0, "no row tells by its number when she wrote"
        came = [json.loads(each.payload) for each in rows(stage, models.inbox)]
        assert not any(each.get("files") for each in came)
        await stage.later(MINUTES)
        [row] = rows(stage, models.media)
        assert (row.owner_id, row.lane) == (None, "")
        assert row.created_at == coarse(row.created_at) and row.stored_at > now
        await stage.choose("Sophea", "Read it")
        await stage.choose("Sophea", "Answer")
        await stage.send_file("Sophea", "voice")
        await stage.say("Noy", CODE)
        await stage.later(timedelta(seconds=5))
        assert len(voices(stage.people["Noy"])) == 1
        numbers = [each.media for each in rows(stage, models.dispatches) if each.media]
        assert len(numbers) == 2

        def raw(db: Any) -> list[Any]:
            return list(db.execute(text("SELECT media FROM dispatches WHERE media IS NOT NULL")))

        sealed = [bytes(each.media) for each in stage.app.database.run_now(raw)]
        assert all(len(each) > 40 for each in sealed)

    staged(database_url, play)


@pytest.mark.parametrize("named", [True, False])
def test_her_voice_goes_with_her(database_url: str, named: bool) -> None:
    """Where it is known whose it is: her words stay with the focal points, without her."""

    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        await report(stage, named=named, words=WORDS)
        await stage.later(MINUTES)
        assert len(names(stage)) == 1
        await stage.say("Noy", "forget me")
        await stage.choose("Noy", "My posts stay")
        await stage.choose("Noy", "Yes, forget me")
        for _minute in range(4):
            await stage.later(timedelta(minutes=1))
        assert len(names(stage)) == int(not named), "nobody knows whose a nameless one is"
        await stage.choose("Sophea", "Read it")
        assert heard(sophea, WORDS) == 1
        assert heard(sophea, "it is not kept any more") == int(named)

    staged(database_url, play)


@pytest.mark.parametrize("held", [True, False])
def test_who_is_forgotten_before_it_came(database_url: str, held: bool) -> None:
    """As long as it is on its way it is known to be hers; an empty report is told to nobody."""

    async def play(stage: Stage) -> None:
        sophea = await with_focal_point(stage)
        stage.failing["files"] = [NOT_NOW] * 100
        await report(stage)
        if not held:
            await stage.later(MINUTES)
            assert [each.state for each in rows(stage, models.media)] == ["waiting"]
        await stage.say("Noy", "forget me")
        await stage.choose("Noy", "My posts stay")
        await stage.choose("Noy", "Yes, forget me")
        for _minute in range(8):
            await stage.later(timedelta(minutes=1))
        assert count(stage, models.media) == count(stage, models.envelopes) == 0
        assert heard(sophea, "A concern was reported") == int(not held)

    staged(database_url, play)


def test_it_goes_with_its_report(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await with_focal_point(stage)
        await report(stage)
        await stage.later(MINUTES)
        assert len(names(stage)) == 1

        def sweep(db: Any) -> None:
            SWEEPS["media"](db, None, clock.now())  # type: ignore[arg-type]

        stage.app.database.run_now(sweep)
        await stage.app.fetcher.drain()
        assert len(names(stage)) == 1, "as long as it is kept, so is its voice"
        stage.app.database.run_now(lambda db: db.execute(models.reports.delete()))
        stage.app.database.run_now(sweep)
        await stage.app.fetcher.drain()
        assert names(stage) == set() and rows(stage, models.media) == []

    staged(database_url, play)


def _set_number(stage: Stage, was: str, now: str) -> None:
    mine = update(models.envelopes).where(models.envelopes.c.id == was).values(id=now)
    stage.app.database.run_now(lambda db: db.execute(mine))


def _id_of_member(stage: Stage, name: str) -> int:
    return stage.app.database.run_now(lambda db: _id_of(db, stage, name))
