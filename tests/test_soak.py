"""The soak in small: three minutes of it in all. `python -m tests.soak` runs it for longer."""

from __future__ import annotations

import os
import random

import pytest

from bot.messages import Rate
from tests.soak import freezing, full_disk, killing, outage, rates, refusing
from tests.soak.figures import Figures

pytestmark = pytest.mark.repeats


STORES = pytest.mark.parametrize("store", ["sqlite", "postgresql"])


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("LINKLINE_TEST_SEED") or random.randrange(10**6))
    print(f"LINKLINE_TEST_SEED={found}")
    return found


def _check(figures: Figures) -> None:
    print(figures.told())
    assert figures.fine, figures.told()


@STORES
def test_killed_at_random_moments(store: str, seed: int) -> None:
    figures = killing.run(store, seed, people=200, kills=20, rounds=2, quick=True)
    _check(figures)
    assert figures.recovered > 0


@STORES
def test_silent_for_longer_than_the_lease(store: str, seed: int) -> None:
    figures = freezing.run(store, seed, people=60, stops=2, quick=True)
    _check(figures)


@pytest.mark.parametrize("store", ["sqlite"])
def test_a_third_of_the_calls_is_refused(store: str, seed: int) -> None:
    figures = refusing.run(store, seed, people=90, quick=True)
    _check(figures)
    assert figures.recovered > 10


@STORES
def test_the_database_is_away(store: str, seed: int) -> None:
    figures = outage.run(store, seed, away=5, quick=True)
    _check(figures)
    assert figures.recovered > 0


@pytest.mark.parametrize(("store", "points"), [("sqlite", 12), ("postgresql", 3)])
def test_the_disk_is_full(store: str, points: int, seed: int) -> None:
    figures = full_disk.run(store, seed, points=points)
    if figures.what.startswith("not tried"):
        pytest.skip(figures.what)
    _check(figures)


# The checker itself ------------------------------------------------------------------------------


def call(came: float, to: str = "5", **more: object) -> rates.Entry:
    return {"method": "sendMessage", "to": to, "came": came, "at": came + 0.05} | more


def test_the_fullest_stretch_is_found() -> None:
    assert rates.most_within([0, 0.1, 0.2, 1.1, 1.15, 1.19], 1.0) == 4
    assert rates.most_within([], 1.0) == 0
    assert rates.over([n / 30 for n in range(90)], Rate(30, 1.0)) == 0
    assert rates.over([n / 40 for n in range(90)], Rate(30, 1.0)) > 0


def test_limits_overall_and_to_one_person_are_apart() -> None:
    calls = [call(n / 10, to=str(n % 5)) for n in range(20)]
    assert rates.breaches(calls, Rate(10, 1.0), Rate(2, 1.0)) == []
    assert len(rates.breaches(calls, Rate(5, 1.0), Rate(2, 1.0))) == 1
    assert len(rates.breaches(calls, Rate(10, 1.0), Rate(1, 1.0))) == 5


def test_a_call_before_the_wait_is_over_is_found() -> None:
    refused = call(0.0, retry_after=2.0)
    assert rates.too_early([refused, call(2.1)]) == []
    assert rates.too_early([refused, call(1.0, to="6")]) == []
    assert len(rates.too_early([refused, call(1.0)])) == 1


def test_a_wait_for_all_allows_what_was_in_flight() -> None:
    refused = call(0.0, retry_after=2.0, whole=True)
    assert rates.too_early([refused, call(0.1, to="6"), call(2.1, to="7")]) == []
    assert len(rates.too_early([refused, call(1.0, to="6")])) == 1
