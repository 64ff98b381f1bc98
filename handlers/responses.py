"""Responses: an answer to this week's question, and who may see it.

It comes by [Answer] under the question, as a reply to it, or simply written soon after it arrived
(handlers/writing.py asks what that is). Whoever does not answer hears nothing of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _
from bot.posting import DRAFT_GONE, NOT_PASSED_ON
from bot.responses import is_told, readers
from bot.smalltalk import is_agreement, is_small
from bot.store import communities, posts, responses, weekly
from bot.store.responses import ME
from bot.store.weekly import Question
from bot.turn import BURST, Turn

NOTE_AGAIN = timedelta(seconds=20)  # what is added later is confirmed at most so often

responses_ = Conversation("responses")


# Ways in -----------------------------------------------------------------------------------------


@responses_.action
def begin(turn: Turn) -> None:
    """[Answer] was chosen."""
    turn.data = {}
    _choose(turn, weekly.list_beside(turn.db, turn.member.id, turn.argument))


@responses_.on("response")
def replied(turn: Turn) -> None:
    """A reply to the weekly message. One to a tip, or to what peers said, may be anything."""
    assert turn.subject is not None
    found = weekly.list_beside(turn.db, turn.member.id, turn.subject.id)
    if not found:
        return turn.start("writing.wrote")
    if is_small(turn.text, turn.files):
        return turn.say(_("Thank you! Only answers are passed on, so that phones stay quiet."))
    turn.data = {}
    _keep(turn)
    _choose(turn, found)


@responses_.action
def take(turn: Turn) -> None:
    """A draft turned out to be an answer; data["edition"] is one of the questions it may be to."""
    _choose(turn, weekly.list_beside(turn.db, turn.member.id, turn.data.pop("edition")))


@responses_.action
def again(turn: Turn) -> None:
    """Her answer is written anew; the old one stands until it is there."""
    question = _question(turn)
    if question is None:
        return turn.start("threads.gone")
    _ask_for_words(turn, question)


# Which question ----------------------------------------------------------------------------------


def _choose(turn: Turn, found: list[Question]) -> None:
    if not found:
        return turn.start("threads.gone")
    if len(found) == 1:
        turn.data["edition"] = found[0].edition_id
        return _go_on(turn, found[0], BURST)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    lines = [
        _("{community}: {question}", community=labels[each.community_id], question=each.words)
        for each in found
        if each.words is not None
    ]
    turn.ask(
        _("Which question do you answer?"),
        *lines,
        choices=[Choice(f"edition:{each.edition_id}", labels[each.community_id]) for each in found],
        then=which,
        free=True,
        after=BURST if "post" in turn.data else timedelta(0),
    )


@responses_.step
def which(turn: Turn) -> None:
    if turn.choice is None:
        return _add(turn, _("I have kept what you sent. Please choose first:"))
    turn.data["edition"] = int(turn.chosen)
    question = _question(turn)
    if question is None:
        return turn.start("threads.gone")
    _go_on(turn, question, timedelta(0))


def _question(turn: Turn) -> Question | None:
    return weekly.find_question(turn.db, turn.member.id, turn.data["edition"])


# Her words ---------------------------------------------------------------------------------------


def _go_on(turn: Turn, question: Question, after: timedelta) -> None:
    if "post" not in turn.data:
        return _ask_for_words(turn, question)
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    _ask_who(turn, question, after)


def _ask_for_words(turn: Turn, question: Question) -> None:
    said = [] if question.words is None else [_("{question}", question=question.words)]
    turn.ask(
        *said,
        _("Please write your answer, in one message or several, or say it in a voice note."),
        then=write,
    )


@responses_.step
def write(turn: Turn) -> None:
    question = _question(turn)
    if question is None:
        return turn.start("threads.gone")
    if turn.choice == ME:
        return _give(turn, ME)
    if is_small(turn.text, turn.files) and not is_agreement(turn.text):
        return turn.again(_("Please answer in a few words, written or said."))
    _keep(turn)
    _ask_who(turn, question, BURST)


def _keep(turn: Turn) -> None:
    begun = turn.data.get("post")
    if begun is not None and not posts.is_draft_of(turn.db, begun, turn.member.id):
        begun = None
    turn.data["post"] = posts.keep(
        turn.db, begun, turn.member.id, turn.content, turn.now, kind="response"
    )


def _add(turn: Turn, unseen: Text) -> None:
    """A further bubble before the question about it is answered is part of it."""
    if is_agreement(turn.text):
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if is_small(turn.text, turn.files):
        return turn.wait()
    _keep(turn)
    if not turn.postpone():
        return turn.again(unseen)
    turn.wait()


# Who may see it ----------------------------------------------------------------------------------


def _ask_who(turn: Turn, question: Question, after: timedelta) -> None:
    if not responses.has_words(turn.db, turn.data["post"]):
        return _need_words(turn)
    turn.ask(
        _("Your answer:"),
        _("{post}", post=Ref("posts", turn.data["post"])),
        _who_may_see(turn, question),
        choices=readers(turn.db, question.community_id, turn.now),
        then=who,
        free=True,
        after=after,
    )


def _who_may_see(turn: Turn, question: Question) -> Text:
    name = Ref("members", turn.member.id)
    if not is_told(turn.db, question.community_id, turn.now):
        return _("Who may see it? Facilitators read it with your name: {name}.", name=name)
    return _(
        "Who may see it? If it is your group, all in {community} read it together with the "
        "answers of others, with your name: {name}.",
        community=Ref("communities", question.community_id),
        name=name,
    )


def _need_words(turn: Turn) -> None:
    """It is kept for herself; what others may read needs words."""
    turn.ask(
        NOT_PASSED_ON,
        choices=(Choice(ME, _("Only me")),),
        then=write,
        free=True,
    )


@responses_.step
def who(turn: Turn) -> None:
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return _add_to_answer(turn)
    if turn.choice == "cancel":
        posts.remove(turn.db, turn.data["post"])
        return turn.say(_("Cancelled. Nothing was sent."))
    question = _question(turn)
    if question is None:
        return turn.start("threads.gone")
    _give(turn, turn.choice)


def _add_to_answer(turn: Turn) -> None:
    """What comes when the question has left already is added, and said so once for a burst."""
    noted = turn.data.get("noted")
    again_soon = noted is not None and datetime.fromisoformat(noted) > turn.now - NOTE_AGAIN
    if is_agreement(turn.text):
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if not is_small(turn.text, turn.files):
        _keep(turn)
        if not turn.postpone() and not again_soon:
            turn.data["noted"] = turn.now.isoformat()
            turn.say(_("Added to your answer. Please choose who may see all of it."), after=BURST)
    turn.wait()


def _give(turn: Turn, seen_by: str) -> None:
    turn.start("readers.give", **turn.data, seen_by=seen_by)


@responses_.action
def needs_words(turn: Turn) -> None:
    """An answer that others are to read has none yet."""
    _need_words(turn)
