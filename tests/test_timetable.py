"""Rhythm and holidays in a programme file: what is impossible is refused with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot import ahead, clock, models, programme
from bot.db import Database
from bot.i18n import country_of
from bot.programme import ProgrammeError
from bot.rehearsal.transcripts import BEGINS
from bot.store import communities, schedules
from bot.store.schedules import Schedule
from bot.timing import date_of
from tests.test_programme import GOOD, changed, load, rows, written

PI_MAI = {
    "country": "LA",
    "names": {"en": "Pi Mai", "lo": "ປີໃໝ່", "km": "ចូលឆ្នាំឡាវ"},
    "from": "2027-04-14",
    "until": "2027-04-16",
}


def with_rhythm(**values: Any) -> dict[str, Any]:
    return changed(lambda found: found["communities"][0].update(rhythm=values))


def with_holiday(**values: Any) -> dict[str, Any]:
    return changed(lambda found: found["programme"].update(holidays=[PI_MAI | values]))


def raw(text: str) -> Callable[[str], str]:
    return lambda file: file.replace("approval: true", f"approval: true\n  rhythm: {text}")


def as_yaml(folder: Path, text: str) -> Path:
    """As people write it: days and hours without quotes."""
    path = written(folder, changed(lambda _found: None))
    path.write_text(raw(text)(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "place", "mend"),
    [
        ("{tip: {weekday: montag}}", "rhythm.tip.weekday", "like monday"),
        ("{tip: {weekday: 3}}", "rhythm.tip.weekday", "like monday"),
        ("{tip: {time: 24:00}}", "rhythm.tip.time", "00:00 to 23:59"),
        ("{tip: {time: 9}}", "rhythm.tip.time", "00:00 to 23:59"),
        ("{tip: {time: 9:00, weekday: Friday}}", None, None),
        ("{tip: {time: 09:00, from: 2027-04-14}, prompt: false, digest: }", None, None),
        ('{tip: {time: "9"}}', "rhythm.tip.time", "00:00 to 23:59"),
        ('{tip: {time: "09:75"}}', "rhythm.tip.time", "00:00 to 23:59"),
        ("{tip: {timezone: Asia/Vientane}}", "rhythm.tip.timezone", "like Asia/Vientiane"),
        ("{prompt: {every: 0}}", "rhythm.prompt.every", "from 1 to 8"),
        ("{prompt: {every: 1.5}}", "rhythm.prompt.every", "from 1 to 8"),
        ("{prompt: {every: true}}", "rhythm.prompt.every", "from 1 to 8"),
        ("{prompt: {until: 2020-01-01}}", "rhythm.prompt", "never comes"),
        ("{prompt: {from: soon}}", "rhythm.prompt.from", "like 2027-04-14"),
        ("{prompt: {from: 27-04-14}}", "rhythm.prompt.from", "like 2027-04-14"),
        ("{prompt: {from: 2570-04-14}}", "rhythm.prompt.from", "like 2027-04-14"),
        ("{prompt: {from: 2027-04-14, until: 2027-04-13}}", "rhythm.prompt", "before from"),
        (
            "{prompt: {weekday: monday, from: 2027-01-05, until: 2027-01-10}}",
            "rhythm.prompt",
            "no such weekday",
        ),
        ("{digest: {order: series}}", "rhythm", "leave it out of digest"),
        ("{tip: {order: random}}", "rhythm.tip.order", "series"),
        ("{tips: {}}", "rhythm.tips", ""),
        ("{tip: true}", "rhythm.tip", ""),
        ("[tip]", "rhythm", ""),
    ],
)
def test_an_impossible_rhythm(
    text: str, place: str | None, mend: str | None, tmp_path: Path
) -> None:
    path = as_yaml(tmp_path, text)
    if place is None:
        programme.read(path)
        return
    line = 1 + path.read_text(encoding="utf-8").split("\n").index(f"  rhythm: {text}")
    with pytest.raises(ProgrammeError) as caught:
        programme.read(path)
    said = str(caught.value)
    assert said.startswith(f"programme.yaml, line {line}, communities.0.{place}: ")
    assert mend is not None and mend in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"until": "2027-04-13"}, "before from"),
        ({"until": "2072-04-16"}, "longer than a month"),
        ({"country": "XX"}, "no country"),
        ({"country": "ZZ"}, "no country"),
        ({"country": "EU"}, "no country"),
        ({"country": "la"}, "country"),
        ({"names": {"en": "Pi Mai"}}, "missing"),
        ({"from": "14 April"}, "like 2027-04-14"),
    ],
)
def test_an_impossible_holiday(values: dict[str, Any], mend: str, tmp_path: Path) -> None:
    path = written(tmp_path, with_holiday(**values))
    text = path.read_text(encoding="utf-8").replace("'", "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProgrammeError, match=r"line \d+, programme\.holidays\.0.*" + mend):
        programme.read(path)


# Loading -----------------------------------------------------------------------------------------


@pytest.fixture
def monday() -> Iterator[None]:
    """Ten o'clock in Vientiane, on Monday 4 January 2027."""
    clock.stand()
    clock.move(BEGINS - clock.now())
    yield
    clock.reset()


def rhythm_of(database_url: str, slug: str) -> dict[str, Schedule]:
    def work(db: Connection) -> dict[str, Schedule]:
        found = communities.find(db, slug)
        assert found is not None
        return {each.kind: each for each in schedules.list_of(db, found.id)}

    return in_store(database_url, work)


def in_store(database_url: str, work: Callable[[Connection], Any]) -> Any:
    database = Database(database_url)
    try:
        return database.run_now(work)
    finally:
        database.close()


def by_chat(database_url: str, kind: str, **values: Any) -> None:
    schedule = rhythm_of(database_url, "crafts")[kind]
    in_store(database_url, lambda db: ahead.save(db, replace(schedule, **values), clock.now()))


@pytest.mark.usefixtures("monday")
def test_a_new_community_has_a_rhythm(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, GOOD))
    found = rhythm_of(database_url, "farming")
    assert {kind: (each.weekday, each.minutes) for kind, each in found.items()} == {
        "tip": (0, 540),
        "prompt": (0, 540),
        "digest": (4, 900),
    }
    days = {kind: [date_of(day) for day in each.next_days(0, 2)] for kind, each in found.items()}
    assert days["prompt"] == days["tip"] == [date(2027, 1, 11), date(2027, 1, 18)]
    assert days["digest"] == [date(2027, 1, 15), date(2027, 1, 22)]
    assert {(each.timezone, each.every, each.sequence) for each in found.values()} == {
        (None, 1, "series")
    }


@pytest.mark.parametrize(
    ("on", "first"),
    [("2027-01-09", "2027-01-11"), ("2027-01-10", "2027-01-18"), ("2027-01-11", "2027-01-18")],
)
def test_there_is_time_before_the_first_one(
    on: str, first: str, database_url: str, tmp_path: Path
) -> None:
    clock.stand()
    clock.move(datetime.fromisoformat(f"{on}T20:00+00:00") - timedelta(hours=12) - clock.now())
    load(database_url, written(tmp_path, GOOD))
    assert str(date_of(rhythm_of(database_url, "crafts")["tip"].next_days(0, 1)[0])) == first
    clock.reset()


@pytest.mark.usefixtures("monday")
def test_the_file_says_when(database_url: str, tmp_path: Path) -> None:
    text = "{tip: {weekday: Tuesday, time: 8:30, timezone: Asia/Phnom_Penh, every: 2, "
    text += "from: 2027-02-01, until: 2027-06-30, order: shuffled}, prompt: false}"
    path = as_yaml(tmp_path, text)
    load(database_url, path)
    found = rhythm_of(database_url, "crafts")
    tip = found["tip"]
    assert (tip.weekday, tip.minutes, tip.timezone, tip.every) == (1, 510, "Asia/Phnom_Penh", 2)
    assert (date_of(tip.first_on), date_of(tip.until_on or 0)) == (
        date(2027, 2, 1),
        date(2027, 6, 30),
    )
    assert tip.sequence == "shuffled"
    assert (found["prompt"].stopped, found["digest"].stopped) == (True, False)
    before = rows(database_url)
    load(database_url, path)
    assert rows(database_url) == before


@pytest.mark.usefixtures("monday")
def test_what_was_changed_by_chat_stays(database_url: str, tmp_path: Path) -> None:
    first = as_yaml(tmp_path, "{tip: {time: 8:30}}")
    load(database_url, first)
    by_chat(database_url, "tip", weekday=2)
    by_chat(database_url, "prompt", minutes=600)
    load(database_url, first)
    found = rhythm_of(database_url, "crafts")
    assert (found["tip"].weekday, found["tip"].minutes) == (2, 510)
    assert found["prompt"].minutes == 600
    # Only what the file says anew counts more than the chat.
    load(database_url, as_yaml(tmp_path, "{tip: {time: 10:00}}"))
    found = rhythm_of(database_url, "crafts")
    assert (found["tip"].weekday, found["tip"].minutes) == (0, 600)
    assert found["prompt"].minutes == 600
    # What it does not mention any more stays as it is.
    load(database_url, written(tmp_path, GOOD))
    assert rhythm_of(database_url, "crafts")["tip"].minutes == 600


@pytest.mark.usefixtures("monday")
def test_what_the_file_stopped_comes_again_without_that(database_url: str, tmp_path: Path) -> None:
    load(database_url, as_yaml(tmp_path, "{tip: false}"))
    assert rhythm_of(database_url, "crafts")["tip"].stopped
    for _time in range(2):
        load(database_url, written(tmp_path, GOOD))
        tip = rhythm_of(database_url, "crafts")["tip"]
        assert (tip.stopped, tip.weekday, tip.minutes) == (False, 0, 540)
    by_chat(database_url, "tip", stopped=True)
    load(database_url, written(tmp_path, GOOD))
    assert rhythm_of(database_url, "crafts")["tip"].stopped  # that was people's own
    load(database_url, as_yaml(tmp_path, "{tip: false}"))


@pytest.mark.usefixtures("monday")
def test_weeks_are_counted_as_before(database_url: str, tmp_path: Path) -> None:
    """A new hour in the file does not turn round which weeks have one."""
    load(database_url, as_yaml(tmp_path, "{prompt: {every: 2}}"))
    before = rhythm_of(database_url, "crafts")["prompt"].next_days(0, 3)
    clock.move(timedelta(days=9))
    load(database_url, as_yaml(tmp_path, "{prompt: {every: 2, time: 10:00}}"))
    assert rhythm_of(database_url, "crafts")["prompt"].next_days(0, 3) == before


def test_an_ended_community_gets_none(database_url: str, tmp_path: Path) -> None:
    ended = changed(lambda found: found["communities"][0].update(ended=True))
    load(database_url, written(tmp_path, ended))
    assert not in_store(database_url, lambda db: db.execute(
        select(models.schedules.c.id).join(
            models.communities, models.communities.c.id == models.schedules.c.community_id
        ).where(models.communities.c.slug == "crafts")
    ).all())  # fmt: skip


def test_holidays_are_those_of_the_file(database_url: str, tmp_path: Path) -> None:
    def kept() -> list[tuple[str, str, str]]:
        found = in_store(database_url, lambda db: db.execute(select(models.holidays)).all())
        return [
            (each.country, str(date_of(each.first_on)), str(date_of(each.last_on)))
            for each in found
        ]

    source = with_holiday()
    holiday = source["programme"]["holidays"][0]
    holiday |= {"from": date(2027, 4, 14), "until": date(2027, 4, 16)}
    one_day = {**holiday, "country": "KH", "from": date(2027, 11, 9)}
    one_day.pop("until")
    source["programme"]["holidays"].append(one_day)
    load(database_url, written(tmp_path, source))
    assert kept() == [("LA", "2027-04-14", "2027-04-16"), ("KH", "2027-11-09", "2027-11-09")]
    before = rows(database_url)
    load(database_url, written(tmp_path, source))
    assert rows(database_url) == before
    load(database_url, written(tmp_path, GOOD))
    assert kept() == []


@pytest.mark.parametrize(
    ("zone", "country"),
    [("Asia/Saigon", "VN"), ("US/Eastern", "US"), ("Asia/Vientiane", "LA"), ("Etc/Nothing", None)],
)
def test_zones_have_other_names_too(zone: str, country: str | None) -> None:
    assert country_of(zone) == country
