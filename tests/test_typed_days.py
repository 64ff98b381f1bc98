"""Weekdays, hours and days as people type them, in three languages and any digits."""

from __future__ import annotations

from datetime import date

import pytest

from bot import typed
from bot.i18n import day, languages
from bot.timing import date_of, day_of

MONDAY = date(2027, 1, 4)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("9", 540),
        ("09:00", 540),
        ("9.30", 570),
        ("9 30", 570),
        ("15h", 900),
        ("3pm", 900),
        ("3 pm", 900),
        ("12am", 0),
        ("24", 0),
        ("at 8:15", 495),
        ("8 o'clock", 480),
        ("half past 8", 510),
        ("3 in the afternoon", 900),
        ("8 in the morning", 480),
        ("15:00 in the afternoon", 900),
        ("໙ ໂມງ", 540),
        ("8 ໂມງເຄິ່ງ", 510),
        ("ບ່າຍ 3 ໂມງ", 900),
        ("3 ໂມງແລງ", 900),
        ("8 ໂມງ 30 ນາທີ", 510),
        ("ម៉ោង ៩", 540),
        ("ម៉ោង ៨:៣០ ព្រឹក", 510),
        ("ម៉ោង ៣ រសៀល", 900),
        ("ម៉ោង ៨ កន្លះ", 510),
        ("25", None),
        ("9:60", None),
        ("13pm", None),
        ("0pm", None),
        ("15 in the morning", None),
        ("half past 8:15", None),
        ("9-11", None),
        ("nine", None),
        ("", None),
        ("9 or 10", None),
        ("9" * 500, None),
    ],
)
def test_an_hour(text: str, minutes: int | None) -> None:
    assert typed.oclock(text) == minutes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tuesday", 1),
        ("on tuesdays, please", None),
        ("on Tue please", 1),
        ("ວັນອັງຄານ", 1),
        ("ອັງຄານ", 1),
        ("ວັນອາທິດ", 6),
        ("ថ្ងៃព្រហស្បតិ៍", 3),
        ("ពុធ", 2),
        ("ថ្ងៃអាទិត្យ", 6),
        ("Monday or Friday", None),
        ("someday", None),
        ("sundown", None),
        ("", None),
        ("Monday " * 50, None),
    ],
)
def test_a_weekday(text: str, found: int | None) -> None:
    assert typed.weekday(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2027-04-14", date(2027, 4, 14)),
        ("14 April", date(2027, 4, 14)),
        ("14th of April 2028", date(2028, 4, 14)),
        ("14 april 2028", date(2028, 4, 14)),
        ("April 14, 2028", date(2028, 4, 14)),
        ("14.4.", date(2027, 4, 14)),
        ("14/4/2027", date(2027, 4, 14)),
        ("1.1.", date(2028, 1, 1)),  # this year's is over
        ("14/4/2570", date(2027, 4, 14)),  # of the Buddhist era
        ("29 February", date(2028, 2, 29)),
        ("ວັນທີ 14 ເມສາ", date(2027, 4, 14)),
        ("ວັນທີ ໑໔ ເດືອນ ໔", date(2027, 4, 14)),
        ("ថ្ងៃទី១៤ ខែមេសា ឆ្នាំ២០២៧", date(2027, 4, 14)),
        ("១៤ ខែ៤", date(2027, 4, 14)),
        ("tomorrow", date(2027, 1, 5)),
        ("Monday", date(2027, 1, 11)),
        ("ວັນສຸກ", date(2027, 1, 8)),
        ("2 weeks", date(2027, 1, 18)),
        ("ສອງອາທິດ", date(2027, 1, 18)),
        ("31 June", None),
        ("2027-13-01", None),
        ("30.2.2027", None),
        ("0.4.", None),
        ("14", None),
        ("April", None),
        ("14 15 April", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_a_day(text: str, found: date | None) -> None:
    assert typed.day(text, MONDAY) == found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("month", range(1, 13))
def test_every_day_that_we_say_can_be_typed_again(language: str, month: int) -> None:
    on = date(2027, month, 14)
    assert typed.day(day(on, language), MONDAY) == on


def test_days_as_they_are_kept() -> None:
    assert day_of(date(1970, 1, 1)) == 0
    assert date_of(day_of(MONDAY)) == MONDAY
