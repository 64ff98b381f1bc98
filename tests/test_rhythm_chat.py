"""The rhythm by chat: two facilitators at once, old buttons, lost roles, what is typed in Lao."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from bot import ahead, clock, models
from bot.store import communities, contents, editions, opinions, schedules
from bot.store.opinions import Opinions
from bot.store.schedules import Schedule
from bot.timing import date_of, day_of
from tests.stage import Person, Stage
from tests.test_facilitators import staged
from tests.test_roles import set_membership

TIPS = select(models.contents.c.id).where(models.contents.c.kind.in_(("tip", "prompt")))


def heard(person: Person, line: str) -> int:
    """How often; as a line of its own, not as what the brief quotes of it."""
    return sum(each.text.startswith(line) or line in each.text.split("\n") for each in person.heard)


MONDAY = day_of(date(2027, 1, 11))


def in_store(stage: Stage, work: Callable[[Any], Any]) -> Any:
    return stage.app.database.run_now(work)


def weavers(db: Any) -> int:
    found = communities.find(db, "weavers")
    assert found is not None
    return found.id


def schedule(stage: Stage, kind: str = "tip") -> Schedule:
    found = in_store(stage, lambda db: schedules.find(db, weavers(db), kind))
    assert isinstance(found, Schedule)
    return found


def add(stage: Stage, *texts: str, kind: str = "tip", **more: Any) -> list[int]:
    def work(db: Any) -> list[int]:
        return [
            contents.save(
                db, f"library/{kind}/{text}", kind, "en", text, clock.now(), position=n, **more
            )
            for n, text in enumerate(texts)
        ]

    found: list[int] = in_store(stage, work)
    return found


def last(stage: Stage, name: str) -> str:
    return stage.people[name].heard[-1].text


async def walk(stage: Stage, name: str, *words: str) -> None:
    """What she says, and in brackets what she chooses."""
    for each in words:
        if each.startswith("["):
            await stage.choose(name, each[1:-1])
        else:
            await stage.say(name, each)


# Opinions ----------------------------------------------------------------------------------------


def test_an_opinion_counts_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        [tip] = add(stage, "Ask one more question.")

        def counted() -> Opinions | None:
            found: Opinions | None = in_store(stage, lambda db: opinions.count(db, [tip]).get(tip))
            return found

        for name in ("Alex", "Mali"):
            await walk(stage, name, "tip", "[Useful]", "[Useful]")
        assert counted() == Opinions(2, 0)
        await walk(stage, "Alex", "[Not for me]")
        assert counted() == Opinions(1, 1)
        await walk(stage, "Alex", "[Undo]", "[Undo]")
        assert counted() == Opinions(1, 0)

    staged(database_url, play)


def test_an_opinion_on_what_is_gone(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "Ask one more question.")
        await walk(stage, "Alex", "tip")
        in_store(stage, lambda db: db.execute(delete(models.contents)))
        await walk(stage, "Alex", "[Useful]")
        assert heard(stage.people["Alex"], "That choice is already closed.") == 1

    staged(database_url, play)


def test_tips_come_in_turn_and_those_she_knows_last(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.", "Third.")
        await walk(stage, "Alex", "tip")
        seen = {last(stage, "Alex")}
        for _number in range(2):
            await walk(stage, "Alex", "[Another tip]")
            seen.add(last(stage, "Alex"))
        assert seen == {"First.", "Second.", "Third."}
        known = last(stage, "Alex")
        await walk(stage, "Alex", "[Not for me]")
        for _number in range(4):
            await walk(stage, "Alex", "tip")
            assert last(stage, "Alex") != known

    staged(database_url, play)


def test_whoever_is_in_no_group_gets_no_tip_of_one(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        in_store(
            stage,
            lambda db: contents.save(
                db, "own", "tip", "en", "Ours.", clock.now(), community_id=weavers(db)
            ),
        )
        await walk(stage, "Alex", "tip")
        assert last(stage, "Alex") == "Ours."
        set_membership(stage, "Mali", state="left")
        await walk(stage, "Mali", "tip")
        assert last(stage, "Mali") == "There is no tip at the moment."

    staged(database_url, play)


# Two at once, and too late -----------------------------------------------------------------------


def test_one_leaves_out_what_the_other_looks_at(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.")
        for name in ("Alex", "Mali"):
            await walk(stage, name, "rhythm", "[One of these]", "[Tip 11/1]")
        await walk(stage, "Mali", "[Leave it out]")
        await walk(stage, "Alex", "[Leave it out]")
        assert last(stage, "Alex").startswith("That has been said already, or is not planned")
        await walk(stage, "Mali", "[Undo]", "[Undo]")
        assert heard(stage.people["Mali"], "That choice is already closed.") == 1

    staged(database_url, play)


def test_it_was_said_meanwhile(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.")
        await walk(stage, "Alex", "rhythm", "[One of these]", "[Tip 11/1]")
        await stage.later(timedelta(days=6, hours=23, minutes=5))
        await stage.later(timedelta(minutes=2))
        assert heard(stage.people["Mali"], "First.") == 1
        await walk(stage, "Alex", "[Leave it out]")
        assert last(stage, "Alex").startswith("That has been said already, or is not planned")

    staged(database_url, play)


def test_sent_now_is_sent_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.")
        for name in ("Alex", "Mali"):
            await walk(stage, name, "rhythm", "[One of these]", "[Tip 11/1]", "[Send it now]")
        await walk(stage, "Alex", "[Send]")
        await stage.later(timedelta(minutes=2))
        await walk(stage, "Mali", "[Send]")
        assert last(stage, "Mali").startswith("Something of this kind went out today already.")
        await stage.later(timedelta(minutes=2))
        assert heard(stage.people["Noy"], "First.") == 1
        # What was sent is not sent again next Monday.
        await stage.later(timedelta(days=7))
        assert last(stage, "Alex") == "Second."

    staged(database_url, play)


@pytest.mark.parametrize(
    "label", ["Leave it out", "Another one", "Send it now", "In all languages"]
)
def test_who_facilitated_once_changes_nothing(label: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.")
        await walk(stage, "Alex", "rhythm", "[One of these]", "[Tip 11/1]")
        before = in_store(stage, lambda db: db.execute(select(models.editions)).all())
        set_membership(stage, "Alex", role="member")
        await walk(stage, "Alex", f"[{label}]")
        assert last(stage, "Alex") == "Only facilitators of a group can do this."
        assert in_store(stage, lambda db: db.execute(select(models.editions)).all()) == before

    staged(database_url, play)


# Days and hours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        (["[Weekday]", "ວັນອັງຄານ"], {"weekday": 1}),
        (["[Weekday]", "ថ្ងៃព្រហស្បតិ៍"], {"weekday": 3}),
        (["[Weekday]", "[Sunday]"], {"weekday": 6}),
        (["[Hour]", "໑໕:໓໐"], {"minutes": 930}),
        (["[Hour]", "ម៉ោង ៨:១៥"], {"minutes": 495}),
        (["[Hour]", "25:00", "late", "7pm"], {"minutes": 1140}),
        (["[How often]", "[Every 2 weeks]"], {"every": 2}),
        (["[Order]", "[Mixed]"], {"sequence": "shuffled"}),
        (["[Order]", "[Only what is picked]"], {"sequence": "picked"}),
        (["[Time zone]", "the moon", "Phnom Penh"], {"timezone": "Asia/Phnom_Penh"}),
        (["[Time zone]", "[Vientiane]"], {"timezone": "Asia/Vientiane"}),
        (["[First day]", "yesterday", "1.1.2026", "1 ມີນາ"], {"first_on": day_of(date(2027, 3, 1))}),
        (["[Last day]", "១៤ ខែមេសា"], {"until_on": day_of(date(2027, 4, 14))}),
        (["[Last day]", "5 January 2027"], {}),
        (["[Last day]", "[No last day]"], {"until_on": None}),
        (["[Not at all]"], {"stopped": True}),
    ],
)
def test_it_is_changed(ways: list[str], expected: dict[str, Any], database_url: str) -> None:
    async def play(stage: Stage) -> None:
        before = schedule(stage)
        await walk(stage, "Alex", "rhythm", "[Days and hours]", "[Tip]", *ways)
        found = schedule(stage)
        changed = {name: getattr(found, name) for name in expected}
        assert changed == expected
        others = {"id", "community_id"} - set(expected)
        assert all(getattr(found, name) == getattr(before, name) for name in others)
        if not expected:
            assert found == before
            return
        await walk(stage, "Alex", "[Undo]")
        assert schedule(stage) == before

    staged(database_url, play)


def test_it_rests_over_new_year(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await walk(stage, "Alex", "rhythm", "[Rest for a while]", "for ever", "400 days", "18.4.")
        assert "before Sunday, 18 April 2027" in last(stage, "Alex")
        found = schedule(stage, "prompt")
        assert str(date_of(found.next_days(MONDAY, 1)[0])) == "2027-04-19"
        await walk(stage, "Mali", "rhythm")
        assert "Nothing is planned in Weavers for four weeks." in last(stage, "Mali")
        await walk(stage, "Mali", "[Go on now]")
        assert schedule(stage, "prompt").rests_until is None
        audited = select(func.count()).where(models.audit.c.action.like("rhythm.%"))
        assert in_store(stage, lambda db: db.execute(audited).scalar()) == 2

    staged(database_url, play)


def test_a_community_from_before(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        in_store(stage, lambda db: [
            schedules.remove(db, each.id) for each in schedules.list_of(db, weavers(db))
        ])  # fmt: skip
        await walk(stage, "Alex", "rhythm", "[Begin as usual]", "[Begin as usual]")
        assert "Monday, 11 January 2027, 09:00" in last(stage, "Alex")
        kinds = in_store(
            stage, lambda db: [each.kind for each in schedules.list_of(db, weavers(db))]
        )
        assert kinds == ["tip", "prompt", "digest"]

    staged(database_url, play)


def test_what_was_picked_keeps_its_week(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        tips = add(stage, *(f"Tip number {n}." for n in range(9)))
        await walk(stage, "Alex", "rhythm", "[One of these]", "[Tip 25/1]", "[Another one]")
        await walk(stage, "Alex", "[More of them]", "[Number 8]")
        await walk(stage, "Alex", "rhythm", "[Days and hours]", "[Tip]", "[Weekday]", "[Friday]")

        def picked(db: Any) -> list[tuple[str, int | None]]:
            found = editions.list_between(db, weavers(db), MONDAY, MONDAY + 60)
            return [(str(date_of(each.day)), each.content_id) for each in found if each.picked]

        assert in_store(stage, picked) == [("2027-01-29", tips[7])]

    staged(database_url, play)


# Written here ------------------------------------------------------------------------------------


def test_what_is_taken_out_is_not_said_though_it_was_picked(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "From the library.")
        await walk(stage, "Alex", "rhythm", "[Write a new one]", "[A tip]", "Not this one.")
        await walk(stage, "Alex", "[Save]", "[The original, marked]")
        await walk(stage, "Alex", "rhythm", "[One of these]", "[Tip 11/1]", "[Another one]")
        await walk(stage, "Alex", "NOT THIS", "[Number 1]")
        await walk(stage, "Alex", "rhythm", "[What was useful]", "[Written here]", "[Number 1]")
        await walk(stage, "Alex", "[Take it out]")
        await stage.later(timedelta(days=7, minutes=1))
        assert heard(stage.people["Mali"], "Not this one.") == 0
        assert heard(stage.people["Mali"], "From the library.") == 1

    staged(database_url, play)


def test_only_what_can_be_read_is_saved(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await walk(stage, "Alex", "rhythm", "[Write a new one]", "[A weekly question]")
        await walk(stage, "Alex", "word " * 81)
        assert last(stage, "Alex").startswith("That has 404 letters; at most 400")
        await walk(stage, "Alex", "12345 !!!")
        assert last(stage, "Alex") == "Please write it in words."
        await walk(stage, "Alex", "What made you glad?", "[Add ລາວ]", "តើអ្វីធ្វើឱ្យអ្នករីករាយ?")
        assert last(stage, "Alex").startswith("That is not ລາວ.")
        await walk(stage, "Alex", "ສິ່ງໃດເຮັດໃຫ້ທ່ານດີໃຈ?", "[Cancel]")
        assert in_store(stage, lambda db: db.execute(TIPS).all()) == []
        assert in_store(stage, lambda db: db.execute(select(models.posts.c.id)).all()) == []

    staged(database_url, play)


def test_a_draft_that_is_gone_is_not_saved(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await walk(stage, "Alex", "rhythm", "[Write a new one]", "[A tip]", "Try it.")
        in_store(stage, lambda db: db.execute(delete(models.posts)))
        await walk(stage, "Alex", "[Save]", "[Nothing yet]")
        assert last(stage, "Alex").startswith("What you had begun is not here any more.")
        assert in_store(stage, lambda db: db.execute(TIPS).all()) == []

    staged(database_url, play)


def test_what_it_is_in_no_language_of_hers_is_held(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        khmer = stage.add("Dara", "telegram", "km")
        stage.settle(khmer, "weavers")
        await walk(stage, "Alex", "rhythm", "[Write a new one]", "[A tip]", "Try it.", "[Save]")
        await walk(stage, "Alex", "[Nothing yet]")
        await stage.later(timedelta(days=7, minutes=1))
        assert heard(stage.people["Mali"], "Try it.") == 1
        assert heard(khmer, "Try it.") == 0

    staged(database_url, play)


def test_a_discreet_group_is_not_named(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.")
        await walk(stage, "Alex", "rhythm", "[One of these]", "[Tip 11/1]", "[In all languages]")
        await walk(stage, "Alex", "[Send it now]")
        assert heard(stage.people["Alex"], "Weavers") == 0
        assert heard(stage.people["Alex"], "The next four weeks in your group:") == 1

    staged(database_url, play, discreet=True)


def test_hosts_and_others_do_not_change_the_rhythm(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for role in ("host", "monitor", "member"):
            set_membership(stage, "Alex", role=role)
            await walk(stage, "Alex", "rhythm")
            assert last(stage, "Alex") == "Only facilitators of a group can do this."

    staged(database_url, play)


def test_ahead_shows_the_next_round_when_all_were_said(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        add(stage, "First.", "Second.")

        def shown(db: Any) -> list[str | None]:
            community = communities.get(db, weavers(db))
            found = ahead.upcoming(db, community, clock.now())
            return [each.content and each.content.key[-7:] for each in found
                    if each.schedule.kind == "tip"]  # fmt: skip

        assert in_store(stage, shown) == ["/First.", "Second.", "/First.", "Second."]

    staged(database_url, play)
