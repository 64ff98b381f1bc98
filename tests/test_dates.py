"""Dates as people say them: what is read back to them, and what they are asked.

tests/phrases/*.txt hold a phrase a line as it is typed on Monday, 4 January 2027 at 10:00 in
Vientiane, then " = " and what is read back (with "(+90)" minutes, if an end was said), or " ? "
and the question with the moments that may have been meant, each in the language of the file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.i18n import languages, moment, render
from bot.messages import Ref
from bot.when import dates, lengths
from bot.when.dates import Unclear, When

PHRASES = Path(__file__).parent / "phrases"
HERE = ZoneInfo("Asia/Vientiane")
NOW = datetime(2027, 1, 4, 3, 0, tzinfo=UTC)  # Monday, 10:00 in Vientiane
BERLIN = ZoneInfo("Europe/Berlin")


def lookup(_ref: Ref, _language: str) -> str:
    raise AssertionError("nothing refers to anything")


def as_told(found: When | Unclear, language: str) -> str:
    """What a member reads."""
    if isinstance(found, When):
        more = f" (+{found.minutes})" if found.minutes else ""
        return f"= {moment(found.starts_at, language, HERE.key)}{more}"
    said = [render(each, language, lookup, HERE.key) for each in dates.question(found)]
    return f"? {' | '.join(said)}"


TABLE = [
    (language, line)
    for language in languages()
    for line in (PHRASES / f"{language}.txt").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("language", "line"), TABLE)
def test_a_phrase_is_read_back_or_asked_about(language: str, line: str) -> None:
    at = min(n for n in (line.find(" = "), line.find(" ? ")) if n >= 0)
    typed, told = line[:at], line[at + 1 :]
    assert as_told(dates.read(typed, NOW, HERE), language) == told


def test_in_hour_and_half_is_ninety_minutes() -> None:
    assert dates.read("in hour and a half", NOW, HERE) == When(NOW + timedelta(minutes=90))
    for typed in ("in hour half", "in hour កន្លះ", "in minutes half", "in hour"):
        dates.read(typed, NOW, HERE)


@pytest.mark.parametrize("day", range(7))
@pytest.mark.parametrize("named", ["today", "tomorrow", "yesterday", "the day after tomorrow"])
@pytest.mark.parametrize("weekday", ["Monday", "Wednesday", "Friday", "Sunday"])
def test_a_day_that_is_not_that_weekday_is_asked_about(named: str, weekday: str, day: int) -> None:
    """On every day of the week, also where the weekday nearest to it is over."""
    now = NOW + timedelta(days=day)
    found = dates.read(f"{named} {weekday} 14:00", now, HERE)
    assert isinstance(found, When) or found.reason in ("two_days", "past")
    if isinstance(found, Unclear):
        assert all(each > now for each in found.suggestions)
    dates.read_day(f"{named} {weekday}", now, HERE)


@pytest.mark.parametrize("language", languages())
def test_there_are_many_phrases_and_half_of_them_are_no_easy_ones(language: str) -> None:
    lines = [line for code, line in TABLE if code == language]
    assert len(lines) >= 60
    assert sum(" ? " in line for line in lines) * 2 >= len(lines)


moments = st.datetimes(datetime(2027, 1, 5), datetime(2028, 12, 30)).map(
    lambda at: at.replace(second=0, microsecond=0, fold=0)
)


@pytest.mark.parametrize("zone", [HERE, BERLIN, ZoneInfo("Asia/Kathmandu")], ids=lambda z: z.key)
@pytest.mark.parametrize("language", languages())
@settings(max_examples=60, deadline=None)
@given(local=moments)
def test_what_we_say_can_be_typed_again(zone: ZoneInfo, language: str, local: datetime) -> None:
    at = local.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local:
        return  # an hour that a clock leaves out
    assert dates.read(moment(at, language, zone.key), NOW, zone) == When(at)


WORDS = [
    "next",
    "this",
    "Friday",
    "9",
    "14:00",
    "ວັນພະຫັດ",
    "ໜ້າ",
    "ម៉ោង",
    "២",
    "រសៀល",
    "or",
    "-",
    "to",
]
WORDS += [
    "31",
    "February",
    "14/4",
    "in",
    "two",
    "weeks",
    "ເຄິ່ງ",
    "ໂມງ",
    "ខ្វះ",
    "half",
    "quarter",
    "a",
    "midnight",
]
WORDS += [
    "ວັນທີ",
    "ເດືອນ",
    "2570",
    "last",
    "ago",
    "of",
    "h",
    "1h30",
    "9.10",
    "weekend",
    "night",
    "am",
    "xyz",
    "໑໔",
]


@settings(max_examples=400, deadline=None)
@given(
    text=st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
)
def test_whatever_is_typed_is_read_or_asked_about(text: str) -> None:
    """Nothing raises; what is read is ahead; what is offered is ahead and fits on buttons."""
    for zone in (HERE, BERLIN):
        found = dates.read(text, NOW, zone)
        if isinstance(found, When):
            assert found.starts_at > NOW
            assert found.minutes is None or 0 < found.minutes <= 12 * 60
        else:
            assert len(found.suggestions) <= dates.MOST
            assert all(each > NOW for each in found.suggestions)
            for language in languages():
                for choice, at in zip(
                    dates.choices(found, language, zone), found.suggestions, strict=True
                ):
                    assert len(render(choice.label, language, lookup)) <= 20
                    assert dates.chosen(choice.key) == at
        day, hour = dates.read_day(text, NOW, zone), dates.read_hour(text)
        assert isinstance(day, Unclear) or day >= date(2027, 1, 4)
        assert isinstance(hour, Unclear) or 0 <= hour < 24 * 60
        dates.read(text, NOW, zone, "next Friday")
        dates.read(text, NOW, zone, "14:00")
    lengths.read_length(text)


def test_a_story_is_no_date() -> None:
    assert dates.read("tomorrow at 9 " * 60, NOW, HERE) == Unclear("nothing")
    assert dates.read("9" * 5000, NOW, HERE).reason == "nothing"  # type: ignore[union-attr]


def local(*values: int) -> datetime:
    return datetime(*values, tzinfo=HERE).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("said", "text", "found"),
    [
        ("Thursday", "14:00", When(local(2027, 1, 7, 14))),
        ("Thursday", "14", When(local(2027, 1, 7, 14))),
        ("Thursday", "ບ່າຍ 2", When(local(2027, 1, 7, 14))),
        ("Thursday afternoon", "2", When(local(2027, 1, 7, 14))),
        ("14:00", "Thursday", When(local(2027, 1, 7, 14))),
        ("14:00", "ថ្ងៃព្រហស្បតិ៍", When(local(2027, 1, 7, 14))),
        ("14:00", "14", When(local(2027, 1, 14, 14))),  # a number alone is what is missing
        ("Thursday 25:00", "15:00", When(local(2027, 1, 7, 15))),
        ("Thursday", "Friday 9:00", When(local(2027, 1, 8, 9))),  # she thought again
        ("Thursday 9:00", "10:00", When(local(2027, 1, 7, 10))),
        ("next week", "Friday 9:00", When(local(2027, 1, 8, 9))),
        (
            "next Friday",
            "14:00",
            Unclear("two_days", (local(2027, 1, 8, 14), local(2027, 1, 15, 14))),
        ),
        (
            "Thursday",
            "2",
            Unclear("morning_or_evening", (local(2027, 1, 7, 2), local(2027, 1, 7, 14))),
        ),
        ("Thursday", "hm", Unclear("no_hour", (local(2027, 1, 7, 9), local(2027, 1, 7, 14)))),
        ("hm", "hm", Unclear("nothing")),
    ],
)
def test_a_day_and_an_hour_one_after_the_other(said: str, text: str, found: When | Unclear) -> None:
    assert dates.read(text, NOW, HERE, said) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Thursday", date(2027, 1, 7)),
        ("Monday", date(2027, 1, 11)),  # today is one: the next
        ("today", date(2027, 1, 4)),
        ("14/4 at 10", date(2027, 4, 14)),
        ("14", date(2027, 1, 14)),
        ("ວັນສຸກ", date(2027, 1, 8)),
        ("១៤ មេសា", date(2027, 4, 14)),
        ("in two weeks", date(2027, 1, 18)),
        ("next week", Unclear("no_day")),
        ("31/2", Unclear("no_such_day", (local(2027, 2, 28, 12), local(2027, 3, 1, 12)))),
        ("yesterday", Unclear("past")),
        ("9:00", Unclear("nothing")),
        ("next Friday", Unclear("two_days", (local(2027, 1, 8, 12), local(2027, 1, 15, 12)))),
        ("soon", Unclear("nothing")),
    ],
)
def test_a_day_alone(text: str, found: date | Unclear) -> None:
    assert dates.read_day(text, NOW, HERE) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("14:00", 840),
        ("9", 540),
        ("Thursday at half past 8", 510),
        ("ບ່າຍ 2 ໂມງເຄິ່ງ", 870),
        ("ម៉ោង ៣ រសៀល", 900),
        ("noon", 720),
        ("3", Unclear("morning_or_evening")),
        ("25:00", Unclear("no_such_hour")),
        ("in the morning", Unclear("no_hour")),
        ("9 or 10", Unclear("no_hour")),
        ("soon", Unclear("nothing")),
    ],
)
def test_an_hour_alone(text: str, found: int | Unclear) -> None:
    assert dates.read_hour(text) == found


def test_a_day_and_an_hour_that_are_kept_are_joined() -> None:
    assert dates.join(date(2027, 1, 7), 840, NOW, HERE) == When(local(2027, 1, 7, 14))
    too_late = dates.join(date(2027, 1, 4), 540, NOW, HERE)
    assert too_late == Unclear("past", (local(2027, 1, 5, 9),))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("28 March 2027 10:00", datetime(2027, 3, 28, 8, tzinfo=UTC)),
        ("27 March 2027 10:00", datetime(2027, 3, 27, 9, tzinfo=UTC)),
        ("28 March 2027 02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # there is none: 03:30
        ("31 October 2027 02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # the first of two
    ],
)
def test_clocks_that_are_put_forward_or_back(text: str, found: datetime) -> None:
    assert dates.read(text, NOW, BERLIN) == When(found)


def test_it_is_another_day_elsewhere() -> None:
    late = datetime(2027, 1, 4, 20, 0, tzinfo=UTC)  # in Vientiane it is Tuesday already
    found = dates.read("today 9:00", late, HERE)
    assert found == When(local(2027, 1, 5, 9))
    assert dates.read("tomorrow 09:00", late, BERLIN) == When(datetime(2027, 1, 5, 8, tzinfo=UTC))


def test_next_friday_is_clear_when_all_mean_the_same() -> None:
    saturday = NOW + timedelta(days=5)
    assert dates.read("next Friday 9:00", saturday, HERE) == When(local(2027, 1, 15, 9))
    friday = NOW + timedelta(days=4)
    assert dates.read("next Friday 9:00", friday, HERE) == When(local(2027, 1, 15, 9))
    assert dates.read("this Friday 15:00", friday, HERE) == When(local(2027, 1, 8, 15))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1h30", 90), ("1h", 60), ("2:30", 150), ("90", 90), ("90 min", 90), ("120 minutes", 120),
        ("two hours", 120), ("2", 120), ("1 hour 30 minutes", 90), ("half an hour", 30),
        ("an hour and a half", 90), ("one and a half hours", 90), ("1.5 hours", 90),
        ("1,5 h", 90), ("1½ hours", 90), ("about 2 hours", 120), ("half a day", 720),
        ("2 days", 2880), ("a week", 10080), ("ໜຶ່ງຊົ່ວໂມງເຄິ່ງ", 90), ("ຊົ່ວໂມງເຄິ່ງ", 90),
        ("ສອງຊົ່ວໂມງ", 120), ("ເຄິ່ງຊົ່ວໂມງ", 30), ("໔໕ ນາທີ", 45), ("1 ຊົ່ວໂມງ 30 ນາທີ", 90),
        ("ສອງມື້", 2880), ("២ម៉ោង", 120), ("មួយម៉ោងកន្លះ", 90), ("កន្លះម៉ោង", 30),
        ("៤៥នាទី", 45), ("២ម៉ោង ៣០នាទី", 150), ("ពីរថ្ងៃ", 2880),
        ("0", None), ("3 minutes", None), ("25:00", None), ("1:75", None), ("100 days", None),
        ("long", None), ("", None), ("tomorrow", None), ("9 or 10 hours", None),
    ],
)  # fmt: skip
def test_a_length(text: str, minutes: int | None) -> None:
    assert lengths.read_length(text) == minutes


@pytest.mark.parametrize("language", languages())
def test_a_length_that_we_say_can_be_typed_again(language: str) -> None:
    for minutes in (5, 30, 45, 60, 90, 120, 150, 24 * 60, 3 * 24 * 60):
        said = render(lengths.length(minutes), language, lookup)
        assert lengths.read_length(said) == minutes
