"""A question without a name: nobody learns who asks, not from chats, rows, logs or figures."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot import seals
from bot.nameless import tells_who
from tests import two_worlds
from tests.conftest import in_memory
from tests.two_worlds import OTHERS, PAIR, Event, World, play, swapped, unnumbered

SCENARIOS = int(os.environ.get("LINKLINE_SCENARIOS", "100"))
in_parts = pytest.mark.parametrize("_part", range(4))  # which workers share
HERE = {"Noy": "X", "Bo": "Y"}
THERE = {"Noy": "Y", "Bo": "X"}

Fresh = Callable[[], str]

letters = st.sampled_from("XY")
others = st.sampled_from(OTHERS)
anybody = st.sampled_from(("both", *OTHERS))
after = st.one_of(
    st.builds(Event, st.just("answer"), others, letters),
    st.builds(Event, st.just("help"), anybody, letters, st.integers(0, 3)),
    st.builds(Event, st.sampled_from(("reply", "mine", "edit")), st.just("both")),
    st.builds(Event, st.just("close"), st.sampled_from(("both", "Alex")), letters),
    st.builds(Event, st.sampled_from(("look", "mute")), anybody, letters),
    st.builds(Event, st.sampled_from(("unanswered", "restart"))),
    st.builds(Event, st.just("hide"), st.just("Alex"), letters),
    st.builds(Event, st.just("outcome"), st.just("both"), number=st.integers(0, 1)),
    st.builds(Event, st.just("wait"), number=st.sampled_from((1, 2, 5, 150))),
)
asked = [Event("ask", "both", number=1), Event("wait")]
stories = st.lists(after, min_size=2, max_size=7).map(
    lambda events: [*asked, *events, Event("wait")]
)


@pytest.fixture
def fresh(sqlite_template: Path) -> Iterator[Fresh]:
    """Fresh stores, in memory where the machine has some: a scenario opens two of them."""
    folder = Path(tempfile.mkdtemp(dir=in_memory()))
    numbers = itertools.count()

    def new() -> str:
        path = folder / f"{next(numbers) % 2}.db"
        for old in folder.glob(f"{path.name}*"):
            old.unlink()
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    seals.use(seals.Keyring([seals.new_key()]))
    yield new
    shutil.rmtree(folder, ignore_errors=True)


def assert_same(here: World, there: World) -> None:
    for name in OTHERS:
        assert here.chats[name] == [swapped(each) for each in there.chats[name]], name
    for name, other in zip(PAIR, reversed(PAIR), strict=True):
        assert here.chats[name] == [swapped(each) for each in there.chats[other]], name
    other = [pair for pair in zip(here.dump, there.dump, strict=False) if pair[0] != pair[1]]
    assert not other, other[0]
    assert len(here.dump) == len(there.dump)
    assert here.logs == there.logs
    assert here.figures == there.figures


@pytest.mark.repeats
@in_parts
@settings(
    max_examples=SCENARIOS // 4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink two worlds takes too long
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories, channel=st.sampled_from(("telegram", "whatsapp")), discreet=st.booleans())
def test_two_worlds(
    _part: int, story: list[Event], channel: str, discreet: bool, fresh: Fresh
) -> None:
    here = play(fresh(), HERE, story, channel=channel, discreet=discreet)
    there = play(fresh(), THERE, story, channel=channel, discreet=discreet)
    assert_same(here, there)


alone = st.lists(after, min_size=2, max_size=5).map(
    lambda events: [Event("ask", "", number=1), Event("wait"), *events, Event("wait")]
)


@pytest.mark.repeats
@settings(
    max_examples=max(SCENARIOS // 8, 5),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=alone, channel=st.sampled_from(("telegram", "whatsapp")), discreet=st.booleans())
def test_one_asker(story: list[Event], channel: str, discreet: bool, fresh: Fresh) -> None:
    """Only one of them asks; with the two exchanged, her rows are as the other's would be."""
    worlds = []
    for asker, other in (PAIR, tuple(reversed(PAIR))):
        told = [replace(each, who=asker) if each.kind == "ask" else each for each in story]
        told = [
            replace(each, who=asker) if each.kind in ("reply", "edit") else each for each in told
        ]
        pair = [
            half
            for each in told
            for half in (
                [replace(each, who=asker), replace(each, who=other)]
                if each.who == "both"
                else [each]
            )
        ]
        worlds.append(play(fresh(), {asker: "X"}, pair, channel=channel, discreet=discreet))
    here, there = worlds
    for name in OTHERS:
        assert here.chats[name] == [swapped(each) for each in there.chats[name]], name
    for name, other in zip(PAIR, reversed(PAIR), strict=True):
        assert here.chats[name] == [swapped(each) for each in there.chats[other]], name
    assert unnumbered(here.dump, swap=False) == unnumbered(there.dump, swap=True)


LONG = [
    *asked,
    Event("answer", "Dara", "X"),
    Event("answer", "Sok", "Y"),
    Event("help", "both", "X"),
    Event("mine", "both"),
    Event("wait"),
    Event("reply", "both"),
    Event("look", "both", "X"),
    Event("mute", "both", "Y"),
    Event("unanswered"),
    Event("close", "both"),
    Event("wait", number=3),
    Event("hide", "Alex", "X"),
]


def test_two_worlds_on_both_databases(database_url: str, fresh: Fresh) -> None:
    """The long story; PostgreSQL has the other world beside a first one on SQLite."""
    here = play(database_url, HERE, LONG)
    there = play(fresh(), THERE, LONG)
    for name in OTHERS:
        assert here.chats[name] == [swapped(each) for each in there.chats[name]], name
    assert len(here.dump) == len(there.dump)


SPOKEN = [
    Event("speak", "both"),
    Event("wait"),
    Event("answer", "Dara", "X"),
    Event("help", "both", "X"),
    Event("look", "Sok", "Y"),
    Event("hide", "Alex", "Y"),
    Event("wait", number=150),
]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_a_voice_tells_no_asker_but_by_its_sound(channel: str, fresh: Fresh) -> None:
    """Its rows say whose it is no more than those of words do."""
    here, there = (play(fresh(), world, SPOKEN, channel=channel) for world in (HERE, THERE))
    assert_same(here, there)
    assert sum("voice.ogg" in each for each in here.chats["Dara"]) >= 2


FOLLOWED_UP = [
    *asked,
    Event("answer", "Dara", "X"),
    Event("help", "both", "X"),
    Event("wait", number=150),  # a day later, and another, Y has no answer yet
    Event("wait", number=120),
    Event("answer", "Sok", "Y"),
    Event("outcome", "both", number=1),
    Event("wait"),
]


def test_what_follows_tells_no_asker(fresh: Fresh) -> None:
    """Peers are asked personally, facilitators hear, what came of it is told: alike in both."""
    here, there = (play(fresh(), world, FOLLOWED_UP) for world in (HERE, THERE))
    assert_same(here, there)
    heard = ["\n".join(each) for each in here.chats.values()]
    assert any("Perhaps you can help" in each for each in heard)
    assert any("has waited two working days" in each for each in heard)
    assert all("tells what came of it: it worked." in each for each in heard)
    assert not any("Did you try it?" in each and "Two weeks" in each for each in heard)


def test_the_story_is_told(fresh: Fresh) -> None:
    """What is compared really happened: questions, answers, thanks, a reply, an end."""
    world = play(fresh(), HERE, LONG)
    dara = "\n".join(world.chats["Dara"])
    for words in (
        "Somebody asks without a name",
        "The one who asked Q",
        "adds this.",
        "says that your answer helps",
        "has hidden something",
    ):
        assert words in dara, words
    assert not any("Noy asks" in each or "Bo asks" in each for each in world.chats["Dara"])


@pytest.mark.parametrize(
    "leak",
    [
        "UPDATE threads SET asker_id = (SELECT min(id) FROM members) WHERE number = 101",
        "UPDATE posts SET author_id = (SELECT min(id) FROM members) WHERE kind = 'question'",
    ],
)
def test_a_leak_is_seen(leak: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: a clear link in one world shows."""
    real = two_worlds._dump

    def leaking(db: object) -> object:
        db.exec_driver_sql(leak)  # type: ignore[attr-defined]
        return real(db)

    here = play(fresh(), HERE, LONG)
    monkeypatch.setattr(two_worlds, "_dump", leaking)
    there = play(fresh(), THERE, LONG)
    with pytest.raises(AssertionError):
        assert_same(here, there)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Who borrows money here?", False),
        ("Call 020 5512 3456 please", True),
        ("ໂທ ໐໒໐ ໕໕໑໒ ໓໔໕໖", True),
        ("ទូរសព្ទ ០១២ ៣៤៥ ៦៧៨", True),
        ("I earned 150,000 in 2024", False),
        ("write to @noy_weaves", True),
        ("noy@example.org knows", True),
        ("see https://example.org/me", True),
        ("see example.org", True),
        ("they call me Noy", True),
        ("they call me NOY.", True),
        ("an annoying thing", False),
        ("ຂ້ອຍຊື່ນ້ອຍເດີ", True),
        ("At Basket House we do it so", True),
    ],
)
def test_words_that_tell(text: str, tells: bool) -> None:
    assert tells_who(text, "Noy" if "ນ້ອຍ" not in text else "ນ້ອຍ", "Basket House") is tells
