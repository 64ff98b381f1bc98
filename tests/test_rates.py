"""Rates: no stretch of time holds more calls than the provider allows, however they travel."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Limits, Rate
from bot.rates import ON_ITS_WAY, Calls, Meters

LIMITS = Limits(
    text=4096,
    buttons=0,
    rate=Rate(5, 1),
    chat_rate=Rate(2, 2),
    group_rate=Rate(3, 6),
    groups="-",
)


def most_in(moments: list[float], seconds: float) -> int:
    """The most there are in any stretch of so many seconds."""
    moments = sorted(moments)
    return max(
        (sum(1 for each in moments[at:] if each < start + seconds - 1e-9) for at, start in
         enumerate(moments)),
        default=0,
    )  # fmt: skip


# One call: whom it is for, and after how many seconds it arrives and is answered
calls = st.tuples(
    st.integers(1, 4), st.floats(0.0, ON_ITS_WAY * 0.9), st.floats(0.0, ON_ITS_WAY * 0.1)
)


@given(wanted=st.lists(calls, max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_provider_never_counts_more_than_it_allows(
    wanted: list[tuple[int, float, float]],
) -> None:
    arrived = fly(Meters(LIMITS), wanted)
    assert len(arrived) == len(wanted)
    assert most_in([at for _who, at in arrived], 1) <= 5
    for who in (1, 2, 3):
        assert most_in([at for each, at in arrived if each == who], 2) <= 2
    assert most_in([at for each, at in arrived if each == 4], 6) <= 3  # a group


def fly(
    meters: Meters, wanted: list[tuple[int, float, float]], now: float = 0.0
) -> list[tuple[int, float]]:
    """All of them, each as soon as it may; (to whom, when the provider took it)."""
    arrived, answers = [], []
    for who, travels, answered in wanted:
        to = "-4" if who == 4 else str(who)
        while (wait := meters.wait(who, to, now)) > 0:
            now += wait
            while answers and answers[0][0] <= now:
                at, number, whose = heapq.heappop(answers)
                meters.end(whose, number, at)
        number = meters.start(who, to, now)
        arrived.append((who, now + travels))
        heapq.heappush(answers, (now + travels + answered, number, who))
        while answers and answers[0][0] <= now:
            at, number, whose = heapq.heappop(answers)
            meters.end(whose, number, at)
    return arrived


def test_a_call_that_is_never_answered_does_not_count_for_ever() -> None:
    found = Calls()
    found.start(1, 0.0)
    assert found.count(1.0, 0.5) == 1
    assert found.count(1.0, ON_ITS_WAY + 0.5) == 1
    assert found.count(1.0, ON_ITS_WAY + 1.1) == 0
    found.end(1, 30.0)  # its answer comes after all
    assert found.count(1.0, 30.0) == 0


@pytest.mark.parametrize(("sent", "room"), [(0, 5), (3, 2), (5, 0)])
def test_room_for_all_together(sent: int, room: int) -> None:
    meters = Meters(LIMITS)
    for number in range(sent):
        meters.end(number, meters.start(number, str(number), 10.0), 10.0)
    assert meters.room(64, 10.5) == room
    assert meters.room(64, 11.1) == 5
    assert meters.room(2, 11.1) == 2


def test_without_a_rate_there_is_always_room() -> None:
    meters = Meters(Limits(text=1, buttons=0))
    for _number in range(1000):
        meters.start(1, "1", 0.0)
    assert (meters.room(64, 0.0), meters.wait(1, "1", 0.0)) == (64, 0.0)


def test_a_new_owner_goes_on_with_the_calls_of_the_last_one() -> None:
    meters = Meters(LIMITS)
    meters.remember([(1, 9.0), (1, 8.5), (2, 9.9), (3, 9.8), (4, 9.7)])
    assert meters.wait_for_all(10.0) == 0
    assert meters.room(64, 10.0) == 2  # those of 8.5 and 9.0 do not count for all any more
    assert meters.wait(1, "1", 10.0) == pytest.approx(0.5)
    assert meters.is_busy(1, "1", 10.0)
    assert not meters.is_busy(2, "2", 10.0)


def test_chats_that_are_silent_are_not_remembered() -> None:
    meters = Meters(LIMITS)
    for number in range(500):
        meters.end(number, meters.start(number, str(number), 0.0), 0.0)
    meters.start(1, "1", 100.0)
    assert len(meters._chats) == 1
