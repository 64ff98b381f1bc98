"""Signing up by chat: what only the host reads, old cards, and who has left meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, models
from bot.rehearsal import transcripts
from bot.sessions import calling, seats
from bot.store import presence, sessions, signups
from tests import transcript
from tests.stage import Person, Stage
from tests.test_roles import _id_of, set_membership

TALK = """
session crafts: Safe interviewing; in 5 hours; 1 seat; held by Kham
Kham [telegram, en] crafts
Noy [whatsapp, en] crafts
Dara [telegram, en] crafts
Alex [telegram, en] crafts facilitator
"""


def played(
    database_url: str, play: Callable[[Stage], Awaitable[None]], tmp_path: Path, talk: str = TALK
) -> None:
    path = tmp_path / "talk.txt"
    path.write_text(talk, encoding="utf-8")

    async def run() -> None:
        stage = await transcript._stage(transcripts.read(path), database_url, None)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def do(stage: Stage, name: str, *deeds: str) -> str:
    """What she does, one after the other; all that she heard then."""
    for each in deeds:
        await transcript._act(stage, name, each)
        await settle(stage)
    return last(stage.people[name])


async def settle(stage: Stage, seconds: int = 3) -> None:
    for _second in range(seconds):
        clock.move(timedelta(seconds=1))
        await stage.deliver()


def last(person: Person) -> str:
    return str(person.heard[-1])


def said(person: Person, words: str) -> int:
    return sum(words in str(each) for each in person.heard)


def count(stage: Stage, table: Any) -> int:
    statement = select(func.count()).select_from(table)
    return stage.app.database.run_now(lambda db: int(db.execute(statement).scalar_one()))


def test_what_she_needs_is_read_by_the_host_alone(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "I use a wheelchair.")
        await settle(stage, 40)
        kham, alex = stage.people["Kham"], stage.people["Alex"]
        assert said(kham, "Noy would like to take part and needs: I use a wheelchair.") == 1
        assert "Noy needs: I use a wheelchair." in await do(
            stage, "Kham", "sessions", "[Session 1]", "[Who comes]"
        )
        assert "They come (1): Noy" in await do(
            stage, "Alex", "sessions", "[Session 1]", "[Who comes]"
        )
        assert said(alex, "wheelchair") == said(stage.people["Dara"], "wheelchair") == 0
        assert "[Who comes]" not in await do(stage, "Dara", "sessions", "[Session 1]")
        assert count(stage, models.needs) == 1
        await stage.later(timedelta(hours=5))
        assert count(stage, models.needs) == 1  # it goes on
        await stage.later(timedelta(hours=1, minutes=20))
        assert count(stage, models.needs) == 0

    played(database_url, play, tmp_path)


def test_who_is_host_no_more_does_not_see_who_comes(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "Large letters.")
        await do(stage, "Kham", "sessions", "[Session 1]")
        held = update(models.sessions).values(host_id=None)
        stage.app.database.run_now(lambda db: db.execute(held))
        assert "I do not find that session any more." in await do(stage, "Kham", "[Who comes]")
        assert "[Who comes]" not in await do(stage, "Kham", "sessions", "[Session 1]")

    played(database_url, play, tmp_path)


@pytest.mark.parametrize("words", ["Where do you sell your baskets?", "We sell on Fridays."])
def test_what_is_no_need_is_not_told_to_the_host(
    database_url: str, tmp_path: Path, words: str
) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]")
        if not words.endswith("?"):
            await stage.later(timedelta(hours=1, minutes=1))
        assert words in await do(stage, "Noy", words)
        assert last(stage.people["Noy"]).endswith("[Without my name]")  # a question for peers
        await settle(stage, 40)
        assert count(stage, models.needs) == said(stage.people["Kham"], words) == 0

    played(database_url, play, tmp_path)


def test_an_answer_is_changed_by_any_card_and_twice_is_once(
    database_url: str, tmp_path: Path
) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "[Skip]")
        card = '"When: " <- '
        assert "You come, as you said" in await do(stage, "Noy", f"{card}[I come]")
        assert "goes to somebody else" in await do(stage, "Noy", f"{card}[Not this time]")
        assert "Thank you for telling." in await do(stage, "Noy", f"{card}[Not this time]")
        assert "No seat is kept for you" in await do(stage, "Noy", f"{card}[Maybe]")
        assert "You come: " in await do(stage, "Noy", f"{card}[I come]")
        assert said(stage.people["Noy"], "something you need") == 1  # asked once
        assert "You are the first" in await do(stage, "Dara", "sessions", "[Session 1]", "[I come]")
        assert "are not on the list" in await do(stage, "Dara", "[Not this time]")

    played(database_url, play, tmp_path)


def test_whoever_leaves_gives_her_seat_on(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "[Skip]")
        await do(stage, "Dara", "sessions", "[Session 1]", "[I come]")
        await do(stage, "Noy", "leave", "[Leave]")
        assert "A seat is free for you now" in last(stage.people["Dara"])
        for label in ("[Details]", "[Cannot come]"):
            told = await do(stage, "Noy", f'"You come" <- {label}')
            assert "I do not find that session any more." in told
        assert count(stage, models.signups) == 1

    played(database_url, play, tmp_path)


def test_who_has_left_hears_nothing_of_it_any_more(database_url: str, tmp_path: Path) -> None:
    """Also what was said before and waits for her; nor does who held it see who comes."""

    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "[Skip]")
        await do(stage, "Kham", "sessions", "[Session 1]")

        def move_and_leave(db: Any) -> None:
            before = sessions.get(db, 1)
            sessions.change(db, 1, clock.now(), starts_at=before.starts_at + timedelta(hours=1))
            calling.moved(db, clock.now(), 1, before.starts_at)
            for name in ("Noy", "Kham"):
                who = _id_of(db, stage, name)
                presence.leave(db, who, before.community_id)
                seats.leave(db, clock.now(), who, before.community_id)

        stage.app.database.run_now(move_and_leave)
        await settle(stage, 40)
        for name in ("Noy", "Kham"):
            assert said(stage.people[name], "Another time") == 0
        assert "I do not find that session any more." in await do(stage, "Kham", "[Who comes]")
        assert "No session is planned" not in await do(stage, "Dara", "sessions")

    played(database_url, play, tmp_path)


def test_whoever_is_forgotten_gives_her_seat_on(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]", "[I come]", "I use a wheelchair.")
        await do(stage, "Dara", "sessions", "[Session 1]", "[I come]")
        erasing = update(models.members).where(models.members.c.id == 2)
        values = {"state": "erasing", "erasing_at": clock.now() - timedelta(minutes=1)}
        stage.app.database.run_now(lambda db: db.execute(erasing.values(values)))
        await stage.later(timedelta(minutes=3))
        assert "A seat is free for you now" in last(stage.people["Dara"])
        assert count(stage, models.needs) == 0

    played(database_url, play, tmp_path)


def test_by_invitation_only_those_see_it_who_were_asked(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]")
        closed = update(models.sessions).values(scope="invited")
        stage.app.database.run_now(lambda db: db.execute(closed))
        assert "I do not find that session any more." in await do(stage, "Noy", "[I come]")
        assert "No session is planned" in await do(stage, "Noy", "sessions")
        stage.app.database.run_now(_invite)
        assert "(you are invited)" in await do(stage, "Noy", "sessions")
        await do(stage, "Noy", "[Session 1]", "[I come]")
        assert said(stage.people["Noy"], "You come: ") == count(stage, models.signups) == 1

    played(database_url, play, tmp_path)


def _invite(db: Any) -> None:
    assert signups.invite(db, 1, [2], clock.now()) == 1
    assert signups.invite(db, 1, [2, 2], clock.now()) == 0


def test_another_role_is_not_in_the_sessions_of_a_group(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions", "[Session 1]")
        set_membership(stage, "Noy", role="monitor")
        assert "I do not find that session any more." in await do(stage, "Noy", "[I come]")

    played(database_url, play, tmp_path)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_in_a_discreet_group_a_list_tells_only_when(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await do(stage, "Noy", "sessions")
        assert "a session: Monday, 4 January 2027" in str(stage.people["Noy"].heard[-2])
        await do(stage, "Noy", "[Session 1]")
        [card] = [each for each in stage.people["Noy"].heard if "Safe interviewing" in str(each)]
        assert "What now?" in last(stage.people["Noy"])  # the last bubble in her list of chats
        assert "When: " in str(card)
        said_ = await do(stage, "Noy", "[I come]")
        assert "Safe interviewing" not in said_

    played(database_url, play, tmp_path, f"community crafts: discreet{TALK}")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    database_url: str, tmp_path: Path
) -> None:
    """Also what no calendar shows."""

    async def play(stage: Stage) -> None:
        await do(stage, "Kham", "sessions", "[Session 1]", "[Change]", "[Seats]", "12")
        now = clock.now()
        stage.app.database.run_now(lambda db: sessions.change(db, 1, now, languages=["lo"]))
        assert "Somebody else has changed" in await do(stage, "Kham", "[Save]")
        held = stage.app.database.run_now(lambda db: sessions.get(db, 1))
        assert (held.seats, held.languages) == (1, ("lo",))

    played(database_url, play, tmp_path)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_hers_are_listed_however_many_come_before(database_url: str, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        def work(db: Any) -> None:
            place = sessions.get(db, 1).community_id
            soon = clock.now() + timedelta(hours=1)
            about = {"community_id": place, "timezone": "Asia/Vientiane"}
            for _number in range(8):
                sessions.add(db, clock.now(), title="Stock", starts_at=soon, **about)
            late = sessions.add(
                db, clock.now(), title="Her own", starts_at=soon + timedelta(days=9), **about
            )
            signups.mark(db, late, _id_of(db, stage, "Noy"), "yes", clock.now())

        stage.app.database.run_now(work)
        listed = await do(stage, "Noy", "sessions")
        assert "1. Her own" in listed and "6. Stock" in listed and "7. " not in listed

    played(database_url, play, tmp_path)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_a_discreet_phone_no_title_stands_last(database_url: str, tmp_path: Path) -> None:
    """Where the group is not discreet, its sessions are called by their titles."""

    async def play(stage: Stage) -> None:
        discreet = update(models.members).values(discreet=True)
        stage.app.database.run_now(lambda db: db.execute(discreet))
        for deed in ("sessions", "[Session 1]", "[I come]", "[Skip]", "sessions", "[Session 1]"):
            assert "Safe interviewing" not in await do(stage, "Noy", deed)
        assert said(stage.people["Noy"], "Safe interviewing") >= 3

    played(database_url, play, tmp_path)
