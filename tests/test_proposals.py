"""Joint proposals: one hand each, counted once; who writes is reminded once, and not too late."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from bot import models, proposing
from bot.db import Database
from bot.messages import Inbound
from bot.scheduler import Progress
from bot.store import posts, proposals, sections
from tests.test_seats import NOW, community, member, opened

DAY = timedelta(days=1)
CLOSES = NOW + 7 * DAY
DEADLINE = NOW + 40 * DAY


def look(db: Any, now: datetime) -> Counter[str]:
    """All that is due at this moment, as the tick goes on with it."""
    done: Counter[str] = Counter()
    found = proposing.look(db, now)
    while isinstance(found, Progress):
        done.update(found.counts)
        found = proposing.look(db, now)
    return done


def words(db: Any, author_id: int, place: int, kind: str) -> int:
    said = Inbound("lane", f"{kind}", ("x",), text=f"{kind} of {author_id}")
    return posts.add(db, author_id, said, NOW, kind=kind, state="live", community_id=place)


def opened_by(db: Any, place: int, member_id: int, deadline: datetime | None = None) -> int:
    post_id = words(db, member_id, place, "purpose")
    about = {"community_id": place, "opened_by": member_id, "post_id": post_id}
    return proposals.add(db, NOW, **about, closes_at=CLOSES, deadline_at=deadline)


def idea(db: Any, proposal_id: int, author_id: int) -> int:
    found = proposals.find(db, proposal_id)
    assert found is not None
    return proposals.add_idea(db, proposal_id, words(db, author_id, found.community_id, "idea"))


def raise_hand(db: Any, idea_id: int, member_id: int, now: datetime) -> bool:
    """As a turn does it."""
    found = proposals.find_idea(db, idea_id)
    proposal = None if found is None else proposals.lock(db, found.proposal_id)
    if found is None or proposal is None or not proposal.takes_hands(now):
        return False
    proposals.raise_hand(db, found, member_id)
    return True


def count(db: Any, table: Any, *where: Any) -> int:
    found: int = db.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    return found


def told(db: Any, words: str) -> Counter[int]:
    """How often each member is told something that holds these words."""
    body, to = models.messages.c.body, models.deliveries.c.member_id
    mine = models.messages.c.id == models.deliveries.c.message_id
    rows = db.execute(select(to, body).join(models.messages, mine))
    return Counter(row.member_id for row in rows if words in str(row.body))


def played(url: str, work: Callable[[Any], None]) -> None:
    with opened(url) as database:
        database.run_now(work)


# Hands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_one_hand_each_whatever_the_order(seed: int, database_url: str) -> None:
    drawn = random.Random(seed)

    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(9)]
        mine = opened_by(db, place, people[0])
        listed = [idea(db, mine, drawn.choice(people)) for _each in range(4)]
        hands: dict[int, int] = {}
        for _tap in range(60):
            who, which = drawn.choice(people), drawn.choice(listed)
            if drawn.random() < 0.2:
                proposals.lower_hand(db, mine, who)
                hands.pop(who, None)
            else:
                assert raise_hand(db, which, who, NOW)
                hands[who] = which
        hidden, left = drawn.choice(listed), drawn.choice(people)
        gone = proposals.find_idea(db, hidden)
        assert gone is not None and posts.hide(db, gone.post_id)
        away = models.memberships.c.member_id == left
        db.execute(update(models.memberships).where(away).values(state="left"))
        counted = Counter(which for who, which in hands.items() if which != hidden and who != left)
        look(db, CLOSES - timedelta(minutes=1))
        assert count(db, models.hands) == len(hands)  # nothing is counted before its time
        look(db, CLOSES)
        look(db, CLOSES + DAY)
        _counted_once(db, mine, listed, counted)

    played(database_url, work)


def _counted_once(db: Any, mine: int, listed: list[int], counted: Counter[int]) -> None:
    rows = db.execute(select(models.ideas.c.id, models.ideas.c.hands))
    assert {row.id: row.hands for row in rows if row.hands} == dict(counted)
    assert count(db, models.hands) == 0  # nobody knows any more whose it was
    assert count(db, models.threads) == (1 if counted else 0)
    assert set(told(db, "The hands are counted").values()) <= {1}
    if counted:
        best = max(counted.values())
        first = min(which for which, number in counted.items() if number == best)
        thread = db.execute(select(models.threads.c.id)).scalar_one()
        chosen = proposals.find_idea(db, first)
        assert chosen is not None and posts.get(db, chosen.post_id).thread_id == thread


def test_a_hand_counts_or_comes_too_late(database_url: str) -> None:
    """Taps of several processes while the hands are counted."""
    with opened(database_url) as database:

        def prepare(db: Any) -> tuple[int, list[int], list[int]]:
            place = community(db)
            people = [member(db, place, number) for number in range(24)]
            mine = opened_by(db, place, people[0])
            return mine, [idea(db, mine, each) for each in people[:3]], people

        mine, listed, people = database.run_now(prepare)
        accepted = _race(database_url, database, listed, people)

        def check(db: Any) -> None:
            total = db.execute(select(func.sum(models.ideas.c.hands))).scalar()
            assert (total or 0) == accepted
            assert count(db, models.hands) == 0
            found = proposals.find(db, mine)
            assert found is not None and found.state == ("drafting" if accepted else "closed")
            assert count(db, models.threads) == (1 if accepted else 0)

        database.run_now(check)


def _race(url: str, database: Database, listed: list[int], people: list[int]) -> int:
    other = Database(url)
    try:
        with ThreadPoolExecutor(6) as pool:
            taps = [
                pool.submit(
                    (database, other)[number % 2].run_now,
                    lambda db, who=who, number=number: raise_hand(
                        db, listed[number % 3], who, CLOSES - timedelta(seconds=1)
                    ),
                )
                for number, who in enumerate(people)
            ]
            counts = [pool.submit(each.run_now, lambda db: look(db, CLOSES))
                      for each in (database, other)]  # fmt: skip
            for each in counts:
                each.result()
            return sum(each.result() for each in taps)
    finally:
        other.close()


def test_no_hand_at_all_is_told_to_who_opened_it_alone(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        idea(db, opened_by(db, place, people[1]), people[2])
        look(db, CLOSES)
        look(db, CLOSES + DAY)
        assert told(db, "no hand was up") == {people[1]: 1}
        assert count(db, models.threads) == 0

    played(database_url, work)


def test_the_last_call_spares_whose_hand_is_up(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(4)]
        first = idea(db, opened_by(db, place, people[0]), people[1])
        raise_hand(db, first, people[2], NOW)
        look(db, NOW)
        assert not told(db, "raise your hand")
        for later in (0, 1, 2):
            look(db, CLOSES - DAY + timedelta(minutes=later))
        assert told(db, "raise your hand") == dict.fromkeys((people[0], people[1], people[3]), 1)

    played(database_url, work)


def test_a_group_that_has_ended_hears_nothing(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        raise_hand(db, idea(db, opened_by(db, place, people[0]), people[1]), people[2], NOW)
        db.execute(update(models.communities).values(ended_at=NOW))
        look(db, CLOSES)
        assert count(db, models.messages) == 0
        db.execute(update(models.communities).values(ended_at=None))
        look(db, CLOSES + DAY)
        assert set(told(db, "The hands are counted")) == set(people)

    played(database_url, work)


# Who writes -------------------------------------------------------------------------------------


def drafted(db: Any, deadline: datetime | None = DEADLINE) -> tuple[int, list[int]]:
    place = community(db)
    people = [member(db, place, number) for number in range(4)]
    mine = opened_by(db, place, people[0], deadline)
    raise_hand(db, idea(db, mine, people[1]), people[1], NOW)
    look(db, CLOSES)
    return mine, people


@pytest.mark.parametrize("seed", range(6))
def test_each_reminder_once_and_never_too_late(seed: int, database_url: str) -> None:
    """Ticks at any time, some days long none, and the day is changed on the way."""
    drawn = random.Random(seed)

    def work(db: Any) -> None:
        mine, people = drafted(db)
        parts = sections.list_of(db, mine)
        for part, owner in zip(parts, people, strict=False):
            assert sections.take(db, part.id, owner)
        done = parts[2]
        db.execute(
            update(models.sections)
            .where(models.sections.c.id == done.id)
            .values(post_id=words(db, people[2], 1, "section"))
        )
        now = CLOSES
        while now < DEADLINE + 3 * DAY:
            now += timedelta(hours=drawn.choice((1, 7, 30, 100)))
            before = count(db, models.messages)
            look(db, now)
            if now >= DEADLINE:
                assert count(db, models.messages) == before
        yours = told(db, "You write")
        assert people[2] not in yours  # hers is written
        assert set(yours) <= {people[0], people[1], people[3]}
        assert all(1 <= number <= 2 for number in yours.values())
        keys = db.execute(select(models.messages.c.expires_at)).scalars()
        assert set(keys) <= {None, CLOSES, DEADLINE}

    played(database_url, work)


def test_what_is_late_is_said_only_as_the_last_one(database_url: str) -> None:
    def work(db: Any) -> None:
        mine, people = drafted(db)
        assert sections.take(db, sections.list_of(db, mine)[0].id, people[3])
        look(db, DEADLINE - timedelta(hours=3))
        look(db, DEADLINE - timedelta(hours=2))
        assert told(db, "You write") == {people[3]: 1}
        assert told(db, "Nobody writes these parts yet") == {people[0]: 1}

    played(database_url, work)


def test_a_part_has_one_owner_until_she_leaves(database_url: str) -> None:
    def work(db: Any) -> None:
        mine, people = drafted(db)
        part = sections.list_of(db, mine)[0]
        assert sections.take(db, part.id, people[1])
        assert not sections.take(db, part.id, people[2])
        gone = models.memberships.c.member_id == people[1]
        db.execute(update(models.memberships).where(gone).values(state="left"))
        assert sections.list_of(db, mine)[0].owner_id is None
        assert sections.take(db, part.id, people[2])
        assert sections.list_of(db, mine)[0].owner_id == people[2]

    played(database_url, work)


def test_what_waits_to_remind_is_kept_back(database_url: str) -> None:
    def work(db: Any) -> None:
        mine, people = drafted(db)
        assert sections.take(db, sections.list_of(db, mine)[0].id, people[3])
        look(db, DEADLINE - 7 * DAY)
        found = proposals.find(db, mine)
        assert found is not None
        proposing.keep_all_back(db, found)
        table = models.deliveries
        rows = db.execute(
            select(table.c.state, table.c.member_id).where(table.c.reason.is_not(None))
        )
        assert {(row.state, row.member_id) for row in rows} == {
            ("dropped", people[0]),
            ("dropped", people[3]),
        }

    played(database_url, work)


# Who goes ---------------------------------------------------------------------------------------


def test_who_is_forgotten_leaves_no_hand_and_no_part(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        mine = opened_by(db, place, people[0])
        hers, other = idea(db, mine, people[1]), idea(db, mine, people[2])
        raise_hand(db, hers, people[1], NOW)
        raise_hand(db, other, people[2], NOW)
        found = proposals.find_idea(db, hers)
        assert found is not None
        mark = models.posts.c.id == found.post_id  # as her words are taken back with her
        db.execute(delete(models.bubbles).where(models.bubbles.c.post_id == found.post_id))
        db.execute(update(models.posts).where(mark).values(author_id=None))
        for each in (people[0], people[1]):
            db.execute(delete(models.memberships).where(models.memberships.c.member_id == each))
            db.execute(
                update(models.posts).where(models.posts.c.author_id == each).values(author_id=None)
            )
            db.execute(delete(models.members).where(models.members.c.id == each))
        assert [each.id for each in proposals.list_ideas(db, mine, 0, 9)] == [other]
        assert count(db, models.hands) == 1
        look(db, CLOSES)
        after = proposals.find(db, mine)
        assert after is not None and after.opened_by is None and after.state == "drafting"
        assert sections.list_of(db, mine)

    played(database_url, work)


def test_rows_go_with_their_community(database_url: str) -> None:
    def work(db: Any) -> None:
        drafted(db)
        db.execute(insert(models.hands).values(proposal_id=1, member_id=1, idea_id=1))
        db.execute(delete(models.communities))
        for table in (models.proposals, models.ideas, models.hands, models.sections):
            assert count(db, table) == 0, table.name

    played(database_url, work)
