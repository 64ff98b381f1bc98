"""Ways in which somebody could be exposed, or her words lost, each tried as an attacker would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot import clock, envelopes, erasing, models
from bot.store import communities, forgetting, meeting, retention
from bot.store import envelopes as held
from handlers import nameless as opening
from tests.stage import Stage
from tests.test_given_roles import give

SOON = timedelta(minutes=11)  # longer than words are held
PAY = "My manager takes part of our pay. What can I do?"
DONOR = "How do you tell a donor that a training went wrong?"
NUMBER = "My boss takes 500 000 from us, call 020 5555 1234. What can I do?"


def called(words: str) -> dict[str, str]:
    return dict.fromkeys(("en", "lo", "km"), words)


def community(slug: str) -> dict[str, Any]:
    names = called(slug.capitalize())
    return {"slug": slug, "names": names, "language": "en", "timezone": "Asia/Vientiane"}


def cast(stage: Stage) -> None:
    about = {"slug": "p", "names": called("P"), "contact": "the team"}
    stage.load({"programme": about, "communities": [community("crafts"), community("weavers")]})
    for name in ("Noy", "Bo", "Dara", "Sok", "Vanna"):
        stage.settle(stage.add(name, "telegram", "en"), "crafts")
    stage.settle(stage.add("Alex", "telegram", "en"), "crafts", "facilitator")
    stage.settle(stage.add("Hom", "telegram", "en"), "crafts", "host")


def play(url: str, story: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        stage = Stage(url)
        try:
            cast(stage)
            await story(stage)
        finally:
            await stage.close()

    asyncio.run(go())


def now(stage: Stage, work: Callable[[Any], Any]) -> Any:
    return stage.app.database.run_now(work)


def rows(stage: Stage, statement: Any) -> list[Any]:
    return list(now(stage, lambda db: db.execute(statement).all()))


def texts(stage: Stage, name: str) -> str:
    return "\n---\n".join(str(each) for each in stage.people[name].heard)


async def pick(stage: Stage, name: str, label: str) -> None:
    """Choose it once it has come."""
    clock.move(timedelta(seconds=5))
    await stage.deliver()
    await stage.choose(name, label)


async def ask_facilitators(stage: Stage, *, where: str | None = None) -> None:
    await stage.say("Noy", NUMBER)
    for label in (where, "Without my name", "Only facilitators", "Send"):
        if label is not None:
            await pick(stage, "Noy", label)
    await stage.later(timedelta(seconds=10))


async def ask_nameless(stage: Stage, who: str = "Noy", words: str = PAY) -> None:
    await stage.say(who, "ask")
    await stage.say(who, words)
    await pick(stage, who, "Without my name")
    await pick(stage, who, "Send")


def join(stage: Stage, name: str, slug: str, role: str = "member") -> None:
    person = stage.people[name]

    def work(db: Any) -> None:
        number = person.address.partition(":")[2]
        member_id = meeting.find_by_address(db, stage._lane(person), number)
        found = communities.find(db, slug)
        assert member_id is not None and found is not None
        communities.join(db, member_id, found.id, role, "active", clock.now())

    now(stage, work)


async def link(stage: Stage, name: str, other: str, *words: str) -> None:
    """The other phone becomes her second app; `words` are asked before the code comes."""
    await stage.say(name, "my apps")
    await stage.choose(name, "Link my other app")
    for each in words:
        await stage.say(name, each)
    heard = reversed(stage.people[name].heard)
    code = next(each.text for each in heard if each.text.replace(" ", "").isdigit())
    await stage.say(other, code)


def test_what_only_facilitators_read_cannot_be_moved(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        join(stage, "Alex", "weavers", "facilitator")
        join(stage, "Noy", "weavers")
        stage.settle(stage.add("Peer", "telegram", "en"), "weavers")
        await ask_facilitators(stage, where="Crafts")
        await stage.say("Alex", "101")
        assert "500 000" in texts(stage, "Alex")
        assert "[Move it]" not in texts(stage, "Alex")

    play(database_url, story)


def test_a_host_does_not_read_what_is_for_facilitators(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_facilitators(stage)
        await stage.say("Hom", "unanswered")
        assert "takes 500" not in texts(stage, "Hom"), texts(stage, "Hom")

    play(database_url, story)


def test_who_facilitates_no_more_hears_no_more_of_it(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        join(stage, "Sok", "crafts", "facilitator")
        await ask_facilitators(stage)
        await stage.say("Sok", "101 I will look into it with you, please tell me more.")
        await stage.later(timedelta(seconds=10))
        now(
            stage,
            lambda db: db.execute(
                update(models.memberships)
                .where(models.memberships.c.member_id == 4)
                .values(role="member")
            ),
        )
        await stage.say("Noy", "101 It was Khamla on Friday evening at the office.")
        await stage.later(timedelta(seconds=10))
        assert "Friday evening" not in texts(stage, "Sok"), texts(stage, "Sok")

    play(database_url, story)


def test_a_new_app_forgets_nobody(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.add("Ex", "whatsapp", "en")
        await stage.say("Noy", "secret word")
        await stage.say("Noy", "lotus")
        await stage.say("Noy", "lotus")
        await link(stage, "Noy", "Ex", "lotus")
        await stage.say("Ex", "forget me")
        assert "My posts go too" not in texts(stage, "Ex")
        for _ in range(6):
            await stage.later(timedelta(seconds=16))
        names = [r.name for r in rows(stage, select(models.members.c.name))]
        assert "Noy" in names, (names, texts(stage, "Ex")[-600:])

    play(database_url, story)


def test_a_new_app_reads_no_concerns(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.settle(stage.add("Focal", "telegram", "en"), "crafts", "focal_point")
        stage.add("Ex", "whatsapp", "en")
        await stage.say("Noy", "report a concern")
        await stage.say("Noy", "The driver hurts the girls.")
        await pick(stage, "Noy", "With my name")
        await pick(stage, "Noy", "Yes, tell me")
        await stage.later(timedelta(minutes=6))
        await link(stage, "Focal", "Ex")
        await stage.say("Ex", "concerns")
        assert "Read 1" not in texts(stage, "Ex")
        assert "driver hurts" not in texts(stage, "Ex"), texts(stage, "Ex")

    play(database_url, story)


def test_nobody_answers_herself_under_her_name_unasked(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.say("Alex", "101")
        await stage.choose("Alex", "Close it")
        await stage.later(SOON)
        for _ in range(33):
            await stage.later(timedelta(days=1))
        await stage.say("Noy", "101 Thank you all, my boss gave me my pay back.")
        await stage.later(timedelta(seconds=20))
        await stage.say("Dara", "hello")
        await stage.later(timedelta(hours=14))
        assert "Noy answers" not in texts(stage, "Dara"), texts(stage, "Dara")[-900:]

    play(database_url, story)


def test_a_draft_that_is_gone_is_nobody_elses(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Noy", "My manager takes part of our pay. What can I do?")
        await pick(stage, "Noy", "Without my name")
        await stage.later(timedelta(days=6))
        await pick(stage, "Noy", "It is a heavy story")
        await stage.later(timedelta(days=1, hours=7))
        await stage.later(timedelta(hours=7))
        await stage.say("Bo", "How do you dye silk with the bark of a mango tree?")
        await stage.listen("Bo")
        await stage.choose("Noy", "Send")
        await stage.later(SOON)
        bs = rows(
            stage,
            select(models.bubbles.c.text, models.posts.c.author_id, models.posts.c.thread_id).join(
                models.posts, models.posts.c.id == models.bubbles.c.post_id
            ),
        )
        assert not [r for r in bs if "mango" in r.text and r.thread_id], bs

    play(database_url, story)


def test_not_sending_means_one_question(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.listen("Noy")
        stage.people["Noy"].unread.clear()
        await ask_nameless(stage, words=DONOR)
        assert len(rows(stage, select(models.envelopes.c.id))) == 2
        await stage.choose("Noy", "Do not send it")
        await stage.choose("Noy", "Do not send it")
        assert len(rows(stage, select(models.envelopes.c.id))) == 1, texts(stage, "Noy")[-400:]

    play(database_url, story)


def test_the_secret_word_tells_not_who_asked(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Noy", "secret word")
        await stage.say("Noy", "lotus")
        await stage.say("Noy", "lotus")
        await ask_nameless(stage)
        await stage.later(SOON)
        await ask_nameless(stage, "Bo", DONOR)
        await stage.later(SOON)
        await stage.later(timedelta(hours=1))
        out = []
        for n in ("101", "102"):
            await stage.say("Noy", f"{n} Please tell me a little more on this.")
            out.append(str(stage.people["Noy"].heard[-1]))
            await stage.say("Noy", "cancel")
        assert ("secret" in out[0]) == ("secret" in out[1]), out

    play(database_url, story)


def test_a_new_app_tells_not_who_asked(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.add("Ex", "whatsapp", "en")
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.later(timedelta(hours=2))
        await link(stage, "Noy", "Ex")
        await stage.say("Ex", "101 Please tell me a little more on this.")
        assert "the one who asked" not in texts(stage, "Ex"), texts(stage, "Ex")[-300:]

    play(database_url, story)


def test_a_new_app_knows_not_what_she_asked_facilitators(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.add("Ex", "whatsapp", "en")
        await ask_facilitators(stage)
        await stage.later(timedelta(hours=2))
        await link(stage, "Noy", "Ex")
        await stage.say("Ex", "101")
        assert "500 000" not in texts(stage, "Ex"), texts(stage, "Ex")[-500:]

    play(database_url, story)


def test_an_envelope_opened_twice_is_one_thread(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        clock.move(SOON)
        due = now(stage, lambda db: held.list_due(db, clock.now(), 50))
        ops = {"question": opening.open_question.open}
        [(id_, _at, content)] = due
        for _again in range(2):
            now(stage, lambda db: envelopes._try(db, clock.now(), ops, id_, content))
        assert len(rows(stage, select(models.threads.c.id))) == 1, rows(
            stage, select(models.threads.c.number, models.threads.c.state)
        )

    play(database_url, story)


def test_a_damaged_envelope_stops_nobody(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage, "Bo", DONOR)
        now(
            stage,
            lambda db: db.execute(text("update envelopes set content = :c"), {"c": b"\x00" * 300}),
        )
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.later(SOON)
        assert rows(stage, select(models.threads.c.number)), texts(stage, "Noy")[-300:]

    play(database_url, story)


def test_what_comes_out_while_she_is_forgotten(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        clock.move(SOON)
        at = clock.now()
        now(stage, lambda db: forgetting.begin(db, 1, at, posts_too=True))
        due = now(stage, lambda db: held.list_due(db, at, 50))
        orig = erasing._envelopes
        did = []

        def step(db, whom, place, n):
            if not did:
                did.append(1)
                for id_, _a, c in due:
                    envelopes._open(db, n, {"question": opening.open_question.open}, id_, c)
            return orig(db, whom, place, n)

        monkeypatch.setattr(
            erasing, "STEPS", tuple(step if x is orig else x for x in erasing.STEPS)
        )
        now(
            stage,
            lambda db: db.execute(update(models.envelopes).values(due_at=at + timedelta(days=1))),
        )
        for _ in range(8):
            await stage.later(timedelta(seconds=20))
        assert not [r for r in rows(stage, select(models.threads.c.asker)) if r.asker], (
            rows(stage, select(models.threads)),
            rows(stage, select(models.bubbles)),
        )

    play(database_url, story)


def test_choices_tell_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        for n in ("Bo", "Dara", "Sok", "Vanna"):
            await stage.say(n, "menu")
            await stage.say(n, "my questions")
        await ask_nameless(stage)
        for n in ("Bo", "Dara", "Sok", "Vanna"):
            await stage.say(n, "ask")
            await stage.say(n, "How do you dye silk, says " + n + "?")
            await pick(stage, n, "Send")
        await stage.later(SOON)
        p = models.prompts
        a = models.addresses
        found = rows(
            stage,
            select(a.c.member_id, p.c.shown_at, p.c.chosen)
            .join(a, a.c.id == p.c.address_id)
            .where(p.c.chosen.is_not(None))
            .order_by(p.c.id),
        )
        suspects = {r.member_id for r in found if r.chosen == 4}
        assert suspects != {1}, found

    play(database_url, story)


def test_nothing_leads_from_bubbles_to_her(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.say("Noy", "forget me")
        await stage.choose("Noy", "My posts stay")
        await stage.choose("Noy", "Yes, forget me")
        for _ in range(8):
            await stage.later(timedelta(seconds=20))
        k = [r.key for r in rows(stage, select(models.bubbles.c.key))]
        assert k == [None], k

    play(database_url, story)


def test_nor_when_the_link_is_over(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.later(SOON)
        now(
            stage,
            lambda db: retention.unlink_askers(
                db, clock.now() + timedelta(days=900), clock.now() + timedelta(days=900), 10
            ),
        )
        k = [r.key for r in rows(stage, select(models.bubbles.c.key))]
        assert k == [None], k

    play(database_url, story)


def test_nobody_gives_a_role_for_longer_than_she_has_it(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await give(stage, "Alex", "Bo", lasts="For a month")
        await give(stage, "Bo", "Dara")
        await stage.later(timedelta(days=40))
        wanted = models.memberships.c.member_id.in_((2, 3))  # Bo and Dara
        roles = rows(stage, select(models.memberships.c.role).where(wanted))
        assert [each.role for each in roles] == ["member", "member"]

    play(database_url, story)


def test_a_draft_that_is_gone_is_said_to_be(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Noy", "My manager takes part of our pay. What can I do?")
        await pick(stage, "Noy", "Without my name")
        await stage.later(timedelta(days=6))
        await pick(stage, "Noy", "It is a heavy story")
        await stage.later(timedelta(days=1, hours=7))
        await stage.later(timedelta(hours=7))
        await stage.choose("Noy", "Send")
        said = texts(stage, "Noy")[-300:]
        await stage.later(SOON)
        assert "is not here any more" in said
        assert not rows(stage, select(models.envelopes.c.id))

    play(database_url, story)


def test_a_further_bubble_belongs_to_it(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.say("Noy", "101 And one thing more: he also keeps our passports.")
        await stage.say("Noy", "Since last March, by the way.")
        await pick(stage, "Noy", "Send")
        await stage.later(SOON)
        assert "March" in texts(stage, "Dara"), texts(stage, "Noy")[-700:]

    play(database_url, story)


def test_the_hour_of_forgetting_is_coarse(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_nameless(stage)
        await stage.later(SOON)
        await stage.say("Noy", "forget me")
        await stage.choose("Noy", "My posts go too")
        await stage.choose("Noy", "Yes, forget me")
        for _ in range(8):
            await stage.later(timedelta(seconds=20))
        r = rows(stage, select(models.threads.c.closed_at))
        assert r[0].closed_at.minute == 0 and r[0].closed_at.second == 0, r

    play(database_url, story)
