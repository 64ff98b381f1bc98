"""Fitting and storing messages: nothing is lost in parts, in lists, or in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.simulator import LOOKS
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.codec import message_from_json, message_to_json
from bot.discretion import (
    ASKED_LASTS,
    CLEAR,
    CLOSING,
    WAITING,
    clearable,
    is_unasked,
    needs_closing,
)
from bot.fitting import Fitted, fit
from bot.i18n import languages, render, units
from bot.messages import Choice, Limits, Message, Ref, Text, _

SMALL = Limits(text=150, buttons=10)
LISTS = Limits(text=150, buttons=0)
NOW = datetime(2027, 1, 4, 3, 0, tzinfo=UTC)
CHOICES = (Choice("a", Text("Answer")), Choice("b", Text("Follow")))
KHMER = "កំពង់ធំ ស្ត្រី ក្រុមសិប្បកម្ម។ "


def said(text: str, choices: tuple[Choice, ...] = CHOICES, **values: Any) -> Message:
    return Message((Text("{t}", {"t": text}),), choices, **values)


def closed(message: Message, limits: Limits, language: str = "en") -> Fitted:
    return fit(
        message, language, limits, lambda ref, _code: f"<{ref.table} {ref.id}>", closing=True
    )


def texts(fitted: Fitted) -> list[str]:
    return [each["text"] for each in fitted.contents]


def closing(language: str) -> str:
    return render(CLOSING, language, lambda *_: "")


# The last bubble of a discreet phone ------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("limits", [SMALL, LISTS, Telegram.limits, WhatsApp.limits])
@pytest.mark.parametrize("words", ["secret ", KHMER, "ຄວາມລັບ ", "👩🏽‍🌾"])
def test_what_closes_tells_nothing(words: str, limits: Limits, language: str) -> None:
    text = (words * 800).strip()
    fitted = closed(said(text), limits, language)
    *above, last = texts(fitted)
    assert len(above) > 1
    assert max(units(each) for each in texts(fitted)) <= limits.text
    assert "".join("".join(above).split()) == "".join(text.split()), "nothing is lost"
    assert last.startswith(closing(language))
    assert not set(last) & set("👩🏽‍🌾")
    assert words.strip() not in last
    assert all("buttons" not in each for each in fitted.contents[:-1])


def test_buttons_stand_below_what_closes() -> None:
    fitted = closed(said("secret"), SMALL)
    labels = [label for label, _data in fitted.contents[-1]["buttons"]]
    assert texts(fitted) == ["secret", closing("en")]
    assert labels == ["Answer", "Follow", "Clear"]
    data = [data for _label, data in fitted.contents[-1]["buttons"]]
    assert data == [f"{fitted.prompt_token}.{n}" for n in range(3)]


def test_a_list_stands_below_what_closes() -> None:
    fitted = closed(said("secret"), LISTS)
    assert texts(fitted) == ["secret", f"{closing('en')}\n\n1. Answer\n2. Follow\n3. Clear"]
    assert fitted.contents[-1]["buttons"] == []
    assert fitted.prompt_token is not None


def test_without_choices_there_is_clear_alone() -> None:
    fitted = closed(said("secret", ()), SMALL)
    assert [label for label, _data in fitted.contents[-1]["buttons"]] == ["Clear"]
    assert texts(closed(said("secret", ()), LISTS))[-1].endswith("\n\n1. Clear")


def test_a_hint_stays_above() -> None:
    """How to answer names the thread."""
    message = said("secret", hint=Text("write 101 and your answer"))
    assert texts(closed(message, Telegram.limits)) == [
        "secret\n\nwrite 101 and your answer",
        closing("en"),
    ]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 40])
def test_clear_may_be_one_button_too_many(count: int) -> None:
    """Then they are a list, and all can still be chosen."""
    choices = tuple(Choice(f"{n}", Text(f"Choice {n}")) for n in range(count))
    fitted = closed(said("secret", choices), Telegram.limits)
    buttons = fitted.contents[-1]["buttons"]
    if count < Telegram.limits.buttons:
        assert len(buttons) == count + 1
    else:
        assert buttons == []
        assert texts(fitted)[-1].endswith(f"\n{count + 1}. Clear")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("limits", [Telegram.limits, WhatsApp.limits, *LOOKS.values()])
def test_a_long_list_of_long_labels(limits: Limits, language: str) -> None:
    choices = tuple(Choice(f"{n}", Text("{t}", {"t": KHMER * 3})) for n in range(30))
    fitted = closed(said("secret", choices), limits, language)
    assert max(units(each) for each in texts(fitted)) <= limits.text
    assert "secret" not in "".join(texts(fitted)[1:])
    assert texts(fitted)[-1].rpartition("\n")[2].startswith("31. ")


@given(
    text=st.text(min_size=1, max_size=300),
    labels=st.lists(st.text(min_size=1, max_size=40), max_size=12),
    limit=st.integers(40, 200),
    buttons=st.integers(0, 10),
    closes=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_it_always_fits(
    text: str, labels: list[str], limit: int, buttons: int, closes: bool
) -> None:
    choices = tuple(Choice(f"{n}", Text("{t}", {"t": each})) for n, each in enumerate(labels))
    limits = Limits(text=limit, buttons=buttons)
    try:
        fitted = fit(said(text, choices), "en", limits, lambda *_: "", closing=closes)
    except ValueError:
        assert not text.strip() and not closes and not labels
        return
    assert all(0 < units(each) <= limit for each in texts(fitted))
    shown = fitted.contents[-1]["buttons"]
    assert len(shown) in (0, len(labels) + closes)
    assert len(shown) <= buttons
    assert (fitted.prompt_token is not None) == bool(labels or closes)


def test_what_is_no_bubble_is_not_closed() -> None:
    menu = closed(Message(commands=True), SMALL, "lo")
    assert menu.contents == ({"commands": "lo"},)
    picture = closed(Message((Text("link"),), qr="link"), SMALL)
    assert picture.contents == ({"text": "link", "qr": "link"},)
    assert (menu.prompt_token, picture.prompt_token) == (None, None)


# When it is needed ------------------------------------------------------------------------------


def refers(table: str) -> Message:
    return Message((_("{x}", x=Ref(table, 1)),))


TELLING = [
    "members",
    "organisations",
    "posts",
    "stories",
    "veiled",
    "veiled_stories",
    "referred",
    "help_contacts",
]


@pytest.mark.parametrize("table", TELLING)
def test_what_tells_of_people_is_closed(table: str) -> None:
    assert needs_closing("direct", refers(table))
    inner = _("{inner}", inner=_("{x}", x=Ref(table, 1)))
    assert needs_closing("direct", Message((inner,)))
    assert needs_closing(
        "direct", Message((Text("x"),), (Choice("a", refers(table).paragraphs[0]),))
    )
    assert needs_closing("direct", Message((Text("x"),), hint=refers(table).paragraphs[0]))


@pytest.mark.parametrize("kind", ["thread", "session", "broadcast", "safety"])
def test_what_comes_from_others_is_always_closed(kind: str) -> None:
    assert needs_closing(kind, Message((Text("anything"),)))


@pytest.mark.parametrize(
    "message", [Message((Text("menu"),), CHOICES), refers("threads"), refers("communities")]
)
def test_the_bots_own_words_are_not(message: Message) -> None:
    assert not needs_closing("direct", message)


NO_BUBBLES = [Message(commands=True), Message(retract=Ref("posts", 1))]


@pytest.mark.parametrize("kind", ["direct", "thread", "notice"])
@pytest.mark.parametrize("message", NO_BUBBLES, ids=["menu", "retract"])
def test_what_nobody_sees(message: Message, kind: str) -> None:
    assert not needs_closing(kind, message)
    assert not is_unasked(kind, message, None, NOW)


def test_a_notice_goes_out_unasked() -> None:
    assert not needs_closing("notice", WAITING)
    assert not is_unasked("notice", WAITING, None, NOW)


@pytest.mark.parametrize(
    ("ago", "unasked"),
    [
        (None, True),
        (timedelta(0), False),
        (ASKED_LASTS, False),
        (ASKED_LASTS + timedelta(microseconds=1), True),
        (-timedelta(minutes=1), False),
    ],
)
@pytest.mark.parametrize("kind", ["direct", "thread", "safety"])
def test_how_long_an_answer_is_one(kind: str, ago: timedelta | None, unasked: bool) -> None:
    asked_at = None if ago is None else NOW - ago
    assert is_unasked(kind, Message((Text("x"),)), asked_at, NOW) is unasked


def test_clear_comes_last() -> None:
    """So that the other choices keep their numbers."""
    found = clearable(said("x"))
    assert found.choices == (*CHOICES, CLEAR)
    assert found.paragraphs == said("x").paragraphs
    assert said("x").choices == CHOICES


# Storing ----------------------------------------------------------------------------------------

WORDS = st.text(max_size=30)
IDS = st.integers(0, 2**63 - 1)
REFS = st.builds(Ref, WORDS, IDS, st.none() | st.integers(1, 500))
PLAIN = st.builds(Ref, WORDS, IDS)  # a subject, or what is taken back, is not shortened
MOMENTS = st.datetimes(timezones=st.just(UTC))
NAMES = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8)
PARAMS = WORDS | IDS | REFS | MOMENTS
TEXTS = st.recursive(
    st.builds(
        Text,
        WORDS,
        st.dictionaries(NAMES, PARAMS, max_size=3),
        st.none() | WORDS,
        st.none() | st.sampled_from(["en", "lo", "km"]),
    ),
    lambda inner: st.builds(Text, WORDS, st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=3,
)
MESSAGES = st.builds(
    Message,
    paragraphs=st.lists(TEXTS, max_size=3).map(tuple),
    choices=st.lists(st.builds(Choice, WORDS, TEXTS), max_size=3).map(tuple),
    hint=st.none() | TEXTS,
    step=st.none() | WORDS,
    free=st.booleans(),
    subject=st.none() | PLAIN,
    qr=st.none() | WORDS,
    commands=st.booleans(),
    retract=st.none() | PLAIN,
)


@given(MESSAGES)
@settings(max_examples=300, deadline=None)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    stored = json.loads(json.dumps(message_to_json(message)))
    assert message_from_json(stored) == message


@pytest.mark.parametrize(
    "message",
    [
        Message(qr="https://wa.me/1?text=X"),
        Message(qr=""),
        Message(retract=Ref("posts", 7)),
        Message(retract=Ref("addresses", 1)),
    ],
)
def test_pictures_and_retractions_come_back(message: Message) -> None:
    found = message_from_json(json.loads(json.dumps(message_to_json(message))))
    assert (found.qr, found.retract) == (message.qr, message.retract)


def test_what_was_stored_before_there_were_pictures() -> None:
    found = message_from_json({"say": [{"text": "x"}]})
    assert (found.qr, found.retract, found.commands) == (None, None, False)


def test_a_short_message_stays_short() -> None:
    assert message_to_json(Message((Text("x"),))) == {"say": [{"text": "x"}]}
