"""Reflect: one question, she speaks or writes, and it is kept for her alone."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation, Step
from bot.messages import N_, Choice, Text, _
from bot.reflecting import (
    FEELINGS,
    MINE,
    PATHWAYS,
    QUESTIONS,
    WHICH_PATHWAY,
    after,
    when_kept,
)
from bot.smalltalk import is_agreement, is_small
from bot.store import communities, posts, presence, reflections, tallies, weekly
from bot.store.reflections import KIND
from bot.store.weekly import Question
from bot.themes import THEMES
from bot.timing import morning_after, zone
from bot.turn import BURST, Turn

BREATH = timedelta(minutes=2)  # what she writes so soon after it is part of it
OPEN_FOR = timedelta(minutes=20)  # a voice note or a picture even later, until she has chosen
NOTE_AGAIN = timedelta(seconds=20)  # what is added is confirmed at most so often
A_MONTH = 30  # days until it may come back

HOW = _("Say it in a voice note or write it, in one message or several. Only you see it.")
ANOTHER = Choice("another", _("Another question"))

reflect = Conversation(
    "reflect",
    command="reflect",
    about=_("Say what you have learnt"),
    words=N_("reflect, reflection, a reflection"),
)


# The question ------------------------------------------------------------------------------------


@reflect.start
def start(turn: Turn) -> None:
    """The one after that which she answered last."""
    _ask(turn, after(reflections.find_last_question(turn.db, turn.member.id)))


def _ask(turn: Turn, question: str) -> None:
    turn.data = {"question": question}
    turn.ask(QUESTIONS[question], HOW, choices=(ANOTHER,), then=write, free=True)


@reflect.action
def weekly_one(turn: Turn) -> None:
    """[Reflect] under this week's question, which is the question then."""
    found = weekly.list_beside(turn.db, turn.member.id, turn.argument)
    if not found:
        return start(turn)
    if len(found) == 1:
        return _ask_weekly(turn, found[0])
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    lines = [
        _("{community}: {question}", community=labels[each.community_id], question=each.words)
        for each in found
        if each.words is not None
    ]
    choices = [Choice(f"edition:{each.edition_id}", labels[each.community_id]) for each in found]
    turn.data = {}
    turn.ask(_("Which question do you reflect on?"), *lines, choices=choices, then=which)


@reflect.step
def which(turn: Turn) -> None:
    question = weekly.find_question(turn.db, turn.member.id, int(turn.chosen))
    if question is None:
        return start(turn)
    _ask_weekly(turn, question)


def _ask_weekly(turn: Turn, question: Question) -> None:
    turn.data = {"edition": question.edition_id}
    said = [] if question.words is None else [_("{question}", question=question.words)]
    turn.ask(*said, HOW, then=write)


@reflect.action
def anew(turn: Turn) -> None:
    """It has changed since data["earlier"] was said."""
    turn.data = {"earlier": turn.data["earlier"]}
    turn.ask(_("How is it now?"), HOW, then=write)


# Her words ---------------------------------------------------------------------------------------


@reflect.step
def write(turn: Turn) -> None:
    if turn.choice == ANOTHER.key:
        return _ask(turn, after(turn.data["question"]))
    if is_small(turn.text, turn.files):
        return turn.again(_("A few words are enough, or a voice note."))
    _keep(turn)


def _keep(turn: Turn) -> None:
    """Kept at once; who else may see it is a choice that she need not make."""
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind=KIND, state="kept")
    where = zone(presence.get(turn.db, turn.member.id).timezone)
    id_ = reflections.add(
        turn.db,
        post_id,
        turn.now,
        question=turn.data.get("question"),
        edition_id=turn.data.get("edition"),
        earlier_id=_earlier(turn),
        adds_until=turn.now + OPEN_FOR,
        look_back_at=morning_after(turn.now, where, A_MONTH),
    )
    choices = when_kept(id_, shares=_shares(turn), more=True)
    turn.say(_("Kept, for you alone."), choices=choices, after=BURST)


def _earlier(turn: Turn) -> int | None:
    """What it comes from, if that is still there."""
    earlier = turn.data.get("earlier")
    found = earlier and reflections.find_own(turn.db, turn.member.id, earlier)
    return found.id if found else None


def _shares(turn: Turn) -> bool:
    return bool(communities.list_where(turn.db, turn.member.id, "ask", turn.now))


@reflect.action
def add(turn: Turn) -> None:
    """She goes on: a further bubble of what she has just kept. If it is none, it is new."""
    found = reflections.find_open(turn.db, turn.member.id, turn.now)
    touched = None if found is None else found[2] - OPEN_FOR
    alone = bool(turn.files) and not turn.text
    if found is None or touched is None or not (alone or touched > turn.now - BREATH):
        return turn.start("writing.new")
    _add(turn, *found[:2])
    if touched > turn.now - BURST:  # nothing was said of it yet
        return
    if tallies.take(turn.db, "reflection added", found[0], 1, NOTE_AGAIN, turn.now):
        turn.say(_("Added to what you kept."), after=BURST)


def _add(turn: Turn, id_: int, post_id: int) -> None:
    posts.add_bubbles(turn.db, post_id, turn.content, turn.now)
    reflections.mark(turn.db, id_, adds_until=turn.now + OPEN_FOR)


@reflect.action
def fine(turn: Turn) -> None:
    """She is done with it."""
    found = reflections.find_own(turn.db, turn.member.id, turn.argument)
    if found is None:
        return turn.start("reflections.gone")
    reflections.mark(turn.db, found.id, adds_until=None)
    # NOTE: use your own words for MY REFLECTIONS
    turn.say(_("All right. You find it under MY REFLECTIONS."), choices=(MINE,))
    turn.start("lookback.offer")


# More about it -----------------------------------------------------------------------------------


@reflect.action
def more(turn: Turn) -> None:
    """Theme, pathway, feeling: one tap each, and each may be skipped."""
    found = reflections.find_own(turn.db, turn.member.id, turn.argument)
    if found is None or not turn.sender.knows(found.created_at):
        return turn.start("reflections.gone")
    turn.data = {"reflection": found.id}
    _choose(turn, _("What is it about?"), THEMES, theme)


def _choose(turn: Turn, asked: Text, labels: dict[str, Text], then: Step) -> None:
    choices = [Choice(f"{name}:{name}", label) for name, label in labels.items()]
    skip = Choice("skip", _("Skip"))
    turn.ask(asked, choices=[*choices, skip], then=then, free=True)


@reflect.step
def theme(turn: Turn) -> None:
    if not _marks(turn, "theme"):
        return
    _choose(turn, WHICH_PATHWAY, PATHWAYS, pathway)


@reflect.step
def pathway(turn: Turn) -> None:
    if _marks(turn, "pathway"):
        _choose(turn, _("How does it feel?"), FEELINGS, feeling)


@reflect.step
def feeling(turn: Turn) -> None:
    if not _marks(turn, "feeling"):
        return
    id_ = turn.data["reflection"]
    found = reflections.find_own(turn.db, turn.member.id, id_)
    if found is not None and found.state == "kept":
        choices = when_kept(id_, shares=_shares(turn), more=False)
        return turn.say(_("Noted. It is kept for you alone."), choices=choices)
    turn.say(_("Noted."), choices=(MINE,))


def _marks(turn: Turn, what: str) -> bool:
    """False if she has not chosen: what she says here belongs to the reflection."""
    found = reflections.find_own(turn.db, turn.member.id, turn.data["reflection"])
    if found is None:
        turn.start("reflections.gone")
        return False
    if turn.choice is not None:
        if turn.choice != "skip":
            reflections.mark(turn.db, found.id, **{what: turn.chosen})
        return True
    if is_small(turn.text, turn.files) or is_agreement(turn.text) or found.state != "kept":
        turn.again(_("Please choose one of these. You can tap it or type its number."))
        return False
    _add(turn, found.id, found.post_id)
    turn.again(_("Added to what you kept."))
    return False
