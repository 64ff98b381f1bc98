"""Matching: what is offered meets what is asked for, and whoever could show it hears of it.

What concerns somebody because she offers it, or asked for it, is told to her once. What goes to a
whole group (who could show this?) counts with what comes unasked. In discreet groups nobody reads
who asks or is interested.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.i18n import written_in
from bot.library import KEY
from bot.likeness import ALIKE, rank
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.store import contents, copies, responses, sessions, topics
from bot.store import messages as outbox
from bot.store.audiences import Audience
from bot.store.sessions import Session
from bot.store.topics import ASK, OFFER, OPEN, PLANNED, Topic
from bot.telling import tell
from bot.themes import NO_THEME, THEMES

KIND = "session"
ENOUGH = 3  # so many are interested: a session is suggested
NEAR = 200  # of the latest that are compared with a new one
SHOWN = 3  # that a new one is said to meet
LINE = 140  # graphemes of one in a list, or in a sentence
SURE = 0.12  # from here on a theme is guessed: seen with topics of our field
CLOSEST = 3  # of its tips and questions that a theme is judged by
OLDEST, YOUNGEST = timedelta(days=45), timedelta(days=3)  # introductions that become an offer

NOBODY_AN_EXPERT = _("Nobody has to be an expert, and a part of it is enough.")
PLAN = _("Plan a session")


def theme_of(topic: Topic) -> Text:
    return THEMES.get(topic.theme or "", NO_THEME)


# What it is about --------------------------------------------------------------------------------


def guess_theme(db: Connection, text: str, language: str) -> str | None:
    """The theme of the tips and questions it is most like; None if it is like none."""
    found = _library(db, written_in(text, language))
    likeness = rank(text, [words for _theme, words in found])
    by_theme: dict[str, list[float]] = {}
    for (theme, _words), score in zip(found, likeness, strict=True):
        by_theme.setdefault(theme, []).append(score)
    scores = {each: sum(sorted(of_it)[-CLOSEST:]) / CLOSEST for each, of_it in by_theme.items()}
    best = max(scores, key=lambda each: (scores[each], each), default=None)
    return best if best is not None and scores[best] >= SURE else None


def _library(db: Connection, language: str) -> list[tuple[str, str]]:
    """(theme, words) of what is said to everybody every week, in this language."""
    found = {
        each.id: each.theme
        for each in contents.list_by_key(db, KEY).values()
        if each.theme in THEMES and not each.is_retired
    }
    wordings = contents.list_wordings(db, sorted(found)) if found else {}
    return [
        (found[id_] or "", by_language[language].text)
        for id_, by_language in wordings.items()
        if language in by_language
    ]


# What meets --------------------------------------------------------------------------------------


def put_up(db: Connection, now: datetime, topic: Topic, language: str) -> list[Topic]:
    """It stands in the market from now on; what it meets there, which she is told at once.

    A member who asked is interested in the offer from then on, so that she is invited; who offers
    hears of an ask only if it may be seen where she is.
    """
    assert topic.member_id is not None
    topics.change(db, topic.id, state=OPEN, created_at=now)
    met = find_alike(db, topic, language)
    for other in met:
        offer, ask = (topic, other) if topic.is_offer else (other, topic)
        if ask.member_id is None or offer.member_id is None:
            continue
        if topics.find_for(db, offer.id, ask.member_id):
            topics.add_interest(db, offer.id, [ask.member_id], now)
        if topic.is_offer:
            topics.mark_suggested(db, offer.id, now)  # in this very turn
        elif topics.find_for(db, ask.id, offer.member_id):
            _suggest(db, now, offer, ask)
    return met


def find_alike(db: Connection, topic: Topic, language: str) -> list[Topic]:
    """What of the other kind is about the same, of those that its owner may see; best first."""
    wanted = ASK if topic.is_offer else OFFER
    others = topics.list_for(db, topic.member_id or 0, NEAR, kind=wanted, hers=False)
    # Beside the library, so that it counts little what everybody says.
    beside = [words for _theme, words in _library(db, written_in(topic.text, language))]
    likeness = rank(topic.text, [*(each.text for each in others), *beside])[: len(others)]
    ranked = sorted(zip(likeness, others, strict=True), key=lambda pair: (-pair[0], pair[1].id))
    return [each for score, each in ranked if score >= ALIKE][:SHOWN]


def _suggest(db: Connection, now: datetime, offer: Topic, ask: Topic) -> None:
    """Whoever offers hears of the first ask that it meets."""
    if not topics.mark_suggested(db, offer.id, now):
        return
    said = (
        line(ask, offer.member_id or 0),
        _("What you offer: {topic}", topic=Ref("topics", offer.id, LINE)),
        WOULD_YOU,
    )
    message = Message(said, suggestion(offer))
    _tell_owner(db, now, offer, "met", message)


WOULD_YOU = _("Would you show it in a session? You choose the day. A part of it is enough.")


def line(topic: Topic, reader_id: int, most: int | None = LINE) -> Text:
    """One topic as this reader sees it, with the name of its owner where that may be read."""
    words = Ref("topics", topic.id, most)
    if topic.is_of(reader_id):
        if topic.is_offer:
            return _("You offer to show: {topic}", topic=words)
        return _("You would like to learn: {topic}", topic=words)
    if topic.veiled:
        if topic.is_offer:
            return _("Somebody offers to show: {topic}", topic=words)
        return _("Somebody would like to learn: {topic}", topic=words)
    name = Ref("members", topic.member_id or 0)
    if topic.is_offer:
        return _("{name} offers to show: {topic}", name=name, topic=words)
    return _("{name} would like to learn: {topic}", name=name, topic=words)


def suggestion(topic: Topic) -> tuple[Choice, ...]:
    return (
        Choice(f"interest.plan:{topic.id}", PLAN),
        Choice(f"interest.not_now:{topic.id}", _("Not now")),
    )


def details(db: Connection, topic: Topic, member_id: int) -> tuple[Choice, ...]:
    """The way to the session of it that is planned, if she may come to it."""
    session_id = topics.find_session(db, topic.id)
    if session_id is None or sessions.find_for(db, session_id, member_id) is None:
        return ()
    return (Choice(f"sessions.show:{session_id}", _("Details")),)


# Interest ----------------------------------------------------------------------------------------


def take_interest(db: Connection, now: datetime, topic: Topic, member_id: int) -> int:
    """She would like to be there; how many are. Once there are enough, somebody hears of it."""
    topics.lock(db, topic.id)  # two at once: one of them is the third
    new = topics.add_interest(db, topic.id, [member_id], now)
    topics.forget_strangers(db, topic.id)
    found = topics.list_interested(db, topic.id)
    if new and len(found) >= ENOUGH and topic.state == OPEN:
        if topic.is_offer:
            _tell_owner(db, now, topic, "many", _wanted(topic, len(found)))
        else:
            _ask_all(db, now, topic, found)
    return len(found)


def interested(count: int) -> Text:
    return _n("{n} person is interested.", "{n} people are interested.", n=count)


def _wanted(offer: Topic, n: int) -> Message:
    said = _n(
        "{n} person is interested in what you offer: {topic}",
        "{n} people are interested in what you offer: {topic}",
        n=n,
        topic=Ref("topics", offer.id, LINE),
    )
    return Message((said, WOULD_YOU), suggestion(offer))


def _ask_all(db: Connection, now: datetime, ask: Topic, interested: Sequence[int]) -> None:
    """Its group is asked once who could show it."""
    said = _n(
        "{n} person would like to learn this. Could you show it? {topic}",
        "{n} people would like to learn this. Could you show it? {topic}",
        n=len(interested) + 1,
        topic=Ref("topics", ask.id, LINE),
    )
    message = Message(
        (said, NOBODY_AN_EXPERT), (Choice(f"interest.can_show:{ask.id}", _("I can show this")),)
    )
    audience = Audience("community", ask.community_id, but=(ask.member_id or 0, *interested))
    key = _key(db, ask, "many")
    tell(db, now, key, audience, message, kind=KIND, community_id=ask.community_id)


def _tell_owner(db: Connection, now: datetime, topic: Topic, why: str, message: Message) -> None:
    audience, place = Audience("member", topic.member_id or 0), topic.community_id
    tell(db, now, _key(db, topic, why), audience, message, kind=KIND, community_id=place)


def _key(db: Connection, topic: Topic, why: str) -> str:
    """Once for each time that it stands in the market."""
    return _keyed(topic, topics.count_sessions(db, topic.id), why)


def _keyed(topic: Topic, times: int, why: str) -> str:
    return f"topic/{topic.id}/{times}/{why}"


# Its session -------------------------------------------------------------------------------------


def bring(
    db: Connection,
    now: datetime,
    session: Session,
    facts: Sequence[Text],
    choices: tuple[Choice, ...],
) -> tuple[int, ...]:
    """Those who wanted it are asked to the session by name, once; who they are.

    `facts` and `choices` are those of every invitation: nobody needs another one.
    """
    topic = None if session.topic_id is None else topics.find(db, session.topic_id)
    if topic is None or topic.state != OPEN:
        return ()
    if topics.find_for(db, topic.id, session.host_id or 0) is None:
        return ()  # whoever planned it has left meanwhile, or it is not for her any more
    if not topic.is_offer and topic.member_id is not None:
        topics.add_interest(db, topic.id, [topic.member_id], now)
    topics.forget_strangers(db, topic.id)
    wanted = [each for each in topics.list_interested(db, topic.id) if each != session.host_id]
    topics.change(db, topic.id, state=PLANNED)
    keep_back(db, topic)
    topics.invite(db, session.id, wanted, now)
    message = Message((_happening(session, topic), *facts), choices, subject=session.ref)
    audience = Audience("interested", topic.id, but=(session.host_id or 0,))
    # As calling names what it says of a session: kept back where that is called off, or another.
    key, until = f"session/{session.id}/{session.sequence}/wanted", session.starts_at
    tell(db, now, key, audience, message, kind=KIND, expires_at=until)
    return tuple(wanted)


def _happening(session: Session, topic: Topic) -> Text:
    if session.host_id is None or topic.veiled:
        return _("What you would like to learn is happening: {title}", title=session.title_ref)
    return _(
        "{name} shows what you would like to learn: {title}",
        name=Ref("members", session.host_id),
        title=session.title_ref,
    )


def settle(db: Connection, now: datetime, most: int = 100) -> int:
    """What was shown may be offered anew; what was cancelled stands in the market again."""
    found = topics.list_settled(db, most)
    for topic_id, held in found:
        topics.reopen(db, topic_id, held=held)
    return len(found)


def close(db: Connection, topic: Topic) -> None:
    """It is taken back, or hidden: nobody finds it, and what was said of it and waits is not said.

    Its words go with it.
    """
    keep_back(db, topic)
    topics.change(db, topic.id, state=topics.CLOSED, text="")


def keep_back(db: Connection, topic: Topic) -> None:
    """What was suggested of it and has not left is not said any more."""
    times = range(topics.count_sessions(db, topic.id) + 1)
    keys = [_keyed(topic, each, why) for each in times for why in ("met", "many")]
    for message_id in outbox.list_ids(db, keys):
        copies.keep_back(db, message_id, "taken_back")


# Introductions -----------------------------------------------------------------------------------


def offer_introductions(db: Connection, now: datetime, most: int = 200) -> int:
    """Who told her group what she could show is asked once whether it shall be an offer."""
    found = responses.list_late_introductions(db, now - OLDEST, now - YOUNGEST, most)
    told = 0
    for each in found:
        hers = topics.list_own(db, each.author_id or 0, NEAR)
        if any(topic.is_offer and topic.community_id == each.community_id for topic in hers):
            continue
        said = (
            _("You told your group: {post}", post=Ref("posts", each.id, LINE)),
            _("Shall what you could show stand in the market, as an offer?"),
            NOBODY_AN_EXPERT,
        )
        choices = (
            Choice(f"offering.introduced:{each.id}", _("Offer it")),
            Choice("interest.leave", _("Not now")),
        )
        told += _tell_introduced(db, now, each, Message(said, choices))
    return told


def _tell_introduced(
    db: Connection, now: datetime, introduction: responses.Response, message: Message
) -> bool:
    audience, place = Audience("member", introduction.author_id or 0), introduction.community_id
    key = f"introduction/{introduction.author_id}/{place}"
    new = tell(db, now, key, audience, message, kind=KIND, community_id=place, wide=True)
    return new is not None
