"""Interest: who would like to be there, who could show it, and the session that comes of it."""

from __future__ import annotations

from typing import Any

from bot.conversation import Conversation
from bot.messages import Choice, _, _n
from bot.sessions import matching
from bot.sessions.matching import NOBODY_AN_EXPERT, interested, line
from bot.store import communities, topics
from bot.store.topics import PLANNED, Topic
from bot.turn import Turn

TITLE = 100  # signs of a title

interest = Conversation("interest")

_LOOK = Choice("market.look", _("Look around"))


@interest.action
def begin(turn: Turn) -> None:
    topic = _topic(turn)
    if topic is None:
        return
    if topic.is_of(turn.member.id):
        return turn.start("market.show")
    if topic.state == PLANNED:
        return _planned(turn, topic)
    count = matching.take_interest(turn.db, turn.now, topic, turn.member.id)
    turn.say(
        _("Noted. When a session of it is planned, you are invited."),
        interested(count),
        choices=(Choice(f"interest.end:{topic.id}", _("Not any more")), _LOOK),
    )


@interest.action
def end(turn: Turn) -> None:
    """Also of one that is gone."""
    topics.remove_interest(turn.db, turn.argument, turn.member.id)
    turn.say(_("All right. You are not invited because of it."), choices=(_LOOK,))


def _topic(turn: Turn) -> Topic | None:
    """The one of the button, if she may still see it; else she hears that it is gone."""
    found = topics.find_for(turn.db, turn.argument, turn.member.id)
    if found is None:
        turn.start("market.gone")
    return found


def _planned(turn: Turn, topic: Topic) -> None:
    choices = matching.details(turn.db, topic, turn.member.id)
    turn.say(_("A session of it is planned."), choices=choices or (_LOOK,))


# A session of it ---------------------------------------------------------------------------------


@interest.action
def can_show(turn: Turn) -> None:
    """Somebody asks for it, and she could show it."""
    topic = _topic(turn)
    if topic is None:
        return
    if topic.is_offer or topic.is_of(turn.member.id):
        return turn.start("market.show")
    if topic.state == PLANNED:
        return _planned(turn, topic)
    count = len({*topics.list_interested(turn.db, topic.id)} - {turn.member.id}) + 1
    turn.say(
        line(topic, turn.member.id),
        _n(
            "That is kind. {n} person would like to learn it, and you choose the day.",
            "That is kind. {n} people would like to learn it, and you choose the day.",
            n=count,
        ),
        NOBODY_AN_EXPERT,
        choices=matching.suggestion(topic),
    )


@interest.action
def plan(turn: Turn) -> None:
    """Of what she offers, or of what others ask for."""
    topic = _topic(turn)
    if topic is None:
        return
    if topic.is_offer != topic.is_of(turn.member.id):
        return turn.start("market.gone")
    if topic.state == PLANNED:
        return _planned(turn, topic)
    turn.start("session.start", **_known(turn, topic))


def _known(turn: Turn, topic: Topic) -> dict[str, Any]:
    """What is known of the session: what she herself said stands above it, as she may change it."""
    found: dict[str, Any] = {"topic_id": topic.id}
    place = topic.community_id
    if communities.find_where(turn.db, turn.member.id, place, "ask", turn.now):
        found["community"] = place
    if topic.is_offer and len(topic.text) <= TITLE:
        found["title"] = " ".join(topic.text.split())
    return found


@interest.action
def not_now(turn: Turn) -> None:
    turn.say(_("All right. It stays in the market, and there is no hurry."))


@interest.action
def leave(turn: Turn) -> None:
    turn.say(_("That is fine. Nothing changes."))
