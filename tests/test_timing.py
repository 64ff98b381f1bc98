"""Hours in somebody's own zone, and what people type about time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import timing, typed
from bot.i18n import languages, place_of
from bot.timing import FOR_GOOD, MONDAY, NEVER, OFFICE, USUAL, next_at, quiet_until, zone

BERLIN, PHNOM_PENH = "Europe/Berlin", "Asia/Phnom_Penh"


def at(text: str, where: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone(where)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "where", "minutes", "weekday", "then"),
    [
        ("2027-01-04 10:00", PHNOM_PENH, 8 * 60, None, "2027-01-05 08:00"),
        ("2027-01-04 07:59", PHNOM_PENH, 8 * 60, None, "2027-01-04 08:00"),
        ("2027-01-04 08:00", PHNOM_PENH, 8 * 60, None, "2027-01-05 08:00"),
        ("2027-01-04 10:00", PHNOM_PENH, 8 * 60, MONDAY, "2027-01-11 08:00"),
        ("2027-01-04 07:00", PHNOM_PENH, 8 * 60, MONDAY, "2027-01-04 08:00"),
        ("2027-01-10 23:59", PHNOM_PENH, 8 * 60, MONDAY, "2027-01-11 08:00"),
        ("2027-01-04 10:00", "Asia/Yangon", 0, None, "2027-01-05 00:00"),
        ("2027-03-27 20:00", BERLIN, 8 * 60, None, "2027-03-28 08:00"),  # the night is shorter
        ("2027-10-30 20:00", BERLIN, 8 * 60, None, "2027-10-31 08:00"),  # and longer
    ],
)
def test_the_next_moment(
    now: str, where: str, minutes: int, weekday: int | None, then: str
) -> None:
    assert next_at(at(now, where), zone(where), minutes, weekday) == at(then, where)


def test_an_hour_that_does_not_exist_is_the_one_after_it() -> None:
    found = next_at(at("2027-03-28 01:00", BERLIN), zone(BERLIN), 150)
    assert found == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert found.astimezone(zone(BERLIN)).hour == 3


def test_an_hour_that_comes_twice() -> None:
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)  # 02:30, summer
    second = first + timedelta(hours=1)  # 02:30, winter
    assert next_at(first - timedelta(hours=3), zone(BERLIN), 150) == first
    assert next_at(first, zone(BERLIN), 150) == second


@pytest.mark.parametrize(
    ("now", "where", "hours", "end"),
    [
        ("2027-01-04 19:59", PHNOM_PENH, USUAL, None),
        ("2027-01-04 20:00", PHNOM_PENH, USUAL, "2027-01-05 07:00"),
        ("2027-01-05 06:59", PHNOM_PENH, USUAL, "2027-01-05 07:00"),
        ("2027-01-05 07:00", PHNOM_PENH, USUAL, None),
        ("2027-01-05 12:00", PHNOM_PENH, OFFICE, None),
        ("2027-01-05 17:00", PHNOM_PENH, OFFICE, "2027-01-06 08:00"),
        ("2027-01-05 23:00", PHNOM_PENH, NEVER, None),
        ("2027-01-05 12:30", PHNOM_PENH, (12 * 60, 13 * 60), "2027-01-05 13:00"),
        ("2027-01-05 13:00", PHNOM_PENH, (12 * 60, 13 * 60), None),
        ("2027-01-05 23:30", PHNOM_PENH, (22 * 60, 0), "2027-01-06 00:00"),
        ("2027-01-06 00:00", PHNOM_PENH, (22 * 60, 0), None),
        ("2027-03-28 01:30", BERLIN, USUAL, "2027-03-28 07:00"),
        ("2027-10-31 01:30", BERLIN, USUAL, "2027-10-31 07:00"),
    ],
)
def test_quiet_hours(now: str, where: str, hours: timing.Hours, end: str | None) -> None:
    found = quiet_until(at(now, where), zone(where), hours)
    assert found == (None if end is None else at(end, where))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from([BERLIN, PHNOM_PENH, "Asia/Yangon", "America/St_Johns", "Etc/GMT-7"]),
)
def test_quiet_hours_always_end(now: datetime, start: int, end: int, where: str) -> None:
    """What is put off to their end is not put off again and again."""
    moment, there = now.replace(tzinfo=UTC), zone(where)
    tries = 0
    while (until := quiet_until(moment, there, (start, end))) is not None:
        assert moment < until <= moment + timedelta(hours=26)
        moment, tries = until, tries + 1
        assert tries <= 2  # the hour that comes twice, at most


def test_a_zone_that_is_gone_is_utc() -> None:
    assert zone("Nowhere/Land").key == zone(None).key == zone("../etc").key == "UTC"


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("21-6", (1260, 360)),
        ("21:30-06:00", (1290, 360)),
        ("21.30 – 6", (1290, 360)),
        ("9pm-6am", (1260, 360)),
        ("9 PM to 6 AM.", (1260, 360)),
        ("12am-12pm", (0, 720)),
        ("from 21 until 6", (1260, 360)),
        ("21h-6h", (1260, 360)),
        ("໒໑-໖", (1260, 360)),
        ("២១:៣០-០៦:០០", (1290, 360)),
        ("22-24", (1320, 0)),
        ("0-0", (0, 0)),
        ("21", None),
        ("25-3", None),
        ("21:60-6", None),
        ("13pm-6am", None),
        ("-", None),
        ("at night", None),
        ("1-2-3", None),
        ("21-6 and on Sundays longer", None),
    ],
)
def test_hours_as_typed(text: str, hours: timing.Hours | None) -> None:
    assert typed.hours(text) == hours


MONDAY_MORNING = at("2027-01-04 10:00", PHNOM_PENH)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("3 days", "2027-01-07 08:00"),
        ("3days", "2027-01-07 08:00"),
        ("for two weeks, please", "2027-01-18 08:00"),
        ("a week", "2027-01-11 08:00"),
        ("1 month", "2027-02-03 08:00"),
        ("until Friday", "2027-01-08 08:00"),
        ("Monday", "2027-01-11 08:00"),
        ("sun", "2027-01-10 08:00"),
        ("tomorrow", "2027-01-05 08:00"),
        ("໓ days", "2027-01-07 08:00"),
        ("0 days", None),
        ("999 days", None),
        ("400 days", None),
        ("monthly", None),
        ("a while", None),
        ("moon", None),
        ("", None),
        ("3", None),
        ("I go to see my mother on Monday and will think about what comes then", None),
    ],
)
def test_a_while_as_typed(text: str, until: str | None) -> None:
    found = typed.pause_end(text, MONDAY_MORNING, zone(PHNOM_PENH))
    assert found == (None if until is None else at(until, PHNOM_PENH))


def test_until_she_comes_back() -> None:
    assert typed.pause_end("Until I come back!", MONDAY_MORNING, zone("UTC")) == FOR_GOOD


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Jakarta", "Asia/Jakarta"),
        ("ho chi minh", "Asia/Ho_Chi_Minh"),
        ("asia/manila", "Asia/Manila"),
        ("Laos", "Asia/Vientiane"),
        ("ລາວ", "Asia/Vientiane"),
        ("ພະນົມເປັນ", "Asia/Phnom_Penh"),
        ("កម្ពុជា", "Asia/Phnom_Penh"),
        ("New York", "America/New_York"),
        ("UTC+7", "Etc/GMT-7"),
        ("+៧", "Etc/GMT-7"),
        ("gmt -3", "Etc/GMT+3"),
        ("+5:30", "Asia/Kolkata"),
        ("utc", "Etc/GMT"),
        ("+0", "Etc/GMT"),
        ("+15", None),
        ("-13", None),
        ("-5:30", None),
        ("Indonesia", None),  # has several
        ("7", None),
        ("the moon", None),
        ("x" * 5000, None),
    ],
)
def test_a_place_as_typed(text: str, found: str | None) -> None:
    assert typed.timezone(text) == found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", ["UTC", "Etc/GMT", "Etc/GMT-7", "Etc/GMT+11", "Asia/Kathmandu"])
def test_every_zone_can_be_said_and_typed_again(name: str, language: str) -> None:
    said = place_of(name, language)
    again = typed.timezone(said)
    assert again is not None
    assert zone(again).utcoffset(datetime(2027, 1, 1)) == zone(name).utcoffset(datetime(2027, 1, 1))
