"""Digests: many messages said as one, in the reader's language, by reference only.

What is hidden, erased or taken back before a digest leaves is not in it: its lines are made of
references, and a line whose words are gone is left out when it is rendered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import logs, metrics
from bot.db import must_end
from bot.gathering import LOOKED_AT, moment
from bot.messages import Listing, Message, Ref, Text, _, _n
from bot.store import digests, outcomes, presence
from bot.store.audiences import Audience
from bot.store.digests import Content, Gathered, Reader
from bot.store.outcomes import Outcome
from bot.telling import tell
from bot.timing import coarse

log = logs.get("digests")

LINE = 100  # graphemes of somebody's words in one line
QUOTED = 60  # of a question that was answered
GATHERING = ("daily", "weekly")

fold = digests.fold

_HINT = _("To read or answer one, write its number, or the number and your answer.")


def compose(db: Connection, delivery_ids: Sequence[int]) -> Message | None:
    """One message that stands for these deliveries; None if there is nothing to say."""
    return put_together(digests.list_contents(db, delivery_ids))


def put_together(contents: Sequence[Content], more: Sequence[Listing] = ()) -> Message | None:
    """Their lines under the communities they are from; what was a digest already is opened."""
    found: list[Listing] = []
    for each in contents:
        found += each.message.listings or (Listing(heading(each.community_id), (_line(each),)),)
    listings = _joined([*found, *more])
    if not listings:
        return None
    subjects = [each.message.subject for each in contents]
    alone = len(subjects) == 1 and not more  # then a quote of it is an answer to that one
    return Message(hint=_HINT, subject=subjects[0] if alone else None, listings=listings)


def _joined(listings: Sequence[Listing]) -> tuple[Listing, ...]:
    """One listing for each heading, nothing in it twice."""
    headings: list[Text] = []
    lines: list[list[Text]] = []
    for each in listings:
        if each.heading not in headings:
            headings.append(each.heading)
            lines.append([])
        there = lines[headings.index(each.heading)]
        there += [line for line in each.lines if line not in there]
    return tuple(Listing(*each) for each in zip(headings, map(tuple, lines), strict=True))


def heading(community_id: int | None) -> Text:
    if community_id is None:
        return _("New:")
    return _("New in {community}:", community=Ref("communities", community_id))


def _line(content: Content) -> Text:
    """One delivery in one line."""
    if content.post_id is None:
        return _briefly(content.message)
    words = _words(content.post_id)
    who, thread = _author(content), Ref("threads", content.thread_id or 0)
    if content.post_kind == "announcement":
        words = replace(words, most=None)  # it has no number by which the rest could be read
        return _("{name} announces: {words}", name=who, words=words)
    if content.post_kind == "question":
        if content.anonymous:
            return _("{thread}, somebody asks without a name: {words}", thread=thread, words=words)
        return _("{thread}, {name} asks: {words}", thread=thread, name=who, words=words)
    if content.post_kind == "outcome":
        return _("{thread}, what came of it: {words}", thread=thread, words=words)
    if content.post_kind == "harvest":
        return _("{thread}, notes of a session: {words}", thread=thread, words=words)
    if content.post_kind == "reflection":
        return _("{thread}, {name} reflects: {words}", thread=thread, name=who, words=words)
    if content.post_kind == "answer":
        return _("{thread}, {name} answers: {words}", thread=thread, name=who, words=words)
    if content.anonymous and content.author_id is None:
        return _("{thread}, the one who asked adds: {words}", thread=thread, words=words)
    return _("{thread}, {name} adds: {words}", thread=thread, name=who, words=words)


def _author(content: Content) -> Ref:
    return Ref("members", content.author_id or 0)


def _briefly(message: Message) -> Text:
    """The first thing it says; somebody's words in it are cut."""
    if not message.paragraphs:
        return _("A message is waiting for you.")
    first = message.paragraphs[0]
    params = {
        name: replace(value, most=value.most or LINE)
        if isinstance(value, Ref) and value.table in ("posts", "stories")
        else value
        for name, value in first.params.items()
    }
    return replace(first, params=params)


def list_foldable(db: Connection, delivery_ids: Sequence[int]) -> list[int]:
    """Those of which nothing is lost in a line: what has a number, announcements, digests."""
    return [
        each.delivery_id
        for each in digests.list_contents(db, delivery_ids)
        if each.message.listings
        or each.post_kind == "announcement"
        or (each.post_id is not None and each.thread_id is not None)
    ]


# When their moment has come ----------------------------------------------------------------------

BATCH = 100  # readers in one transaction
PILE = 3  # more of one community, after a night or a pause, are said as one


def make_due(db: Connection, now: datetime) -> int:
    """What is gathered for those whose moment has come; how many they were, BATCH at most."""
    readers = digests.list_due(db, now, BATCH)
    _serve(db, readers, now)
    return len(readers)


def look_again(
    db: Connection, member_id: int, now: datetime, *, gathered_too: bool = False
) -> None:
    """She set something anew: what was put off is judged again at once.

    What is gathered at her pace waits for its moment (`gathered_too`: or comes now).
    """
    presence.release(db, member_id, now)
    soon = []
    for each in digests.list_places(db, member_id):
        if each.pace in GATHERING and not gathered_too:
            at = moment(each.pace, now, each.timezone)
            digests.mark_looked_at(db, each, at, each.since or coarse(now))
        else:
            soon.append(each)
    _serve(db, soon, now)


def _serve(db: Connection, readers: Sequence[Reader], now: datetime) -> None:
    if not readers:
        return
    waiting = digests.list_gathered(db, sorted({each.member_id for each in readers}))
    news = _News(db, coarse(now))
    for each in readers:
        mine = waiting.get((each.member_id, each.community_id), ())
        try:
            with db.begin_nested():
                _serve_one(db, each, mine, news, now)
        except Exception as error:
            if must_end(error):
                raise
            # One that cannot be made must not hold up the others.
            log.error("digest_failed", error=type(error).__name__, where=logs.where(error))
            digests.mark_looked_at(db, each, now + LOOKED_AT, None)


def _serve_one(
    db: Connection, reader: Reader, waiting: Sequence[Gathered], news: _News, now: datetime
) -> None:
    """One community of one member: a digest, or what waits is judged one by one."""
    if reader.paused_until is not None and reader.paused_until > now:
        # Looked at at least once a day: the pause may end in another way.
        again = min(reader.paused_until, now + LOOKED_AT)
        digests.mark_looked_at(db, reader, again, None)
        return
    gathers = reader.inside and reader.pace in GATHERING
    next_at = moment(reader.pace, now, reader.timezone) if gathers else None
    if not digests.mark_looked_at(db, reader, next_at, coarse(now)):
        return
    digests.drop(db, [each.id for each in waiting if each.deaf])
    waiting = [each for each in waiting if not each.deaf]
    fresh = [each for each in waiting if not each.is_digest]
    wants = reader.inside and reader.pace not in ("concerns", "muted")
    capped = any(each.reason == "cap" for each in fresh)
    if not (gathers or (wants and (capped or len(fresh) > PILE))):
        return digests.release(db, [each.id for each in fresh], now)
    told = news.told(reader) if gathers else ()
    if fresh or told:  # a digest that has not left yet is opened: one is enough
        _make(db, reader, [each.id for each in waiting], told, now)


def _make(
    db: Connection, reader: Reader, ids: Sequence[int], news: Sequence[Outcome], now: datetime
) -> None:
    contents = digests.list_contents(db, ids)
    asked = {each.post_id for each in contents}
    told = tuple(_outcome(each, just_asked=each.question_id in asked) for each in news)
    listing = Listing(heading(reader.community_id), told)
    message = put_together(contents, [listing] if told else ())
    if message is None:
        return
    at = reader.due_at or now
    key = f"digest/{reader.membership_id}/{at.isoformat()}/{max(ids, default=0)}"
    audience = Audience("member", reader.member_id)
    message_id = tell(
        db, now, key, audience, message, kind="digest", community_id=reader.community_id
    )
    if message_id is not None:
        fold(db, ids, message_id)
        metrics.DIGESTS.inc()


class _News:
    """What was going on in communities, read once for all who read it at the same moment."""

    def __init__(self, db: Connection, until: datetime) -> None:
        self._db = db
        self._until = until
        self._read: dict[tuple[int, datetime], list[Outcome]] = {}

    def told(self, reader: Reader) -> list[Outcome]:
        """What she has not heard of anyway."""
        days = 7 if reader.pace == "weekly" else 1
        since = reader.since or self._until - timedelta(days=days)
        since = max(since, reader.linked_at or since)
        wanted = reader.community_id, since
        if wanted not in self._read:
            self._read[wanted] = outcomes.list_of(self._db, *wanted, self._until)
        return [each for each in self._read[wanted] if reader.member_id not in each.followers]


def _outcome(outcome: Outcome, *, just_asked: bool) -> Text:
    """What became of a question; one that stands in the same digest is not repeated."""
    thread = Ref("threads", outcome.thread_id)
    if outcome.helpful_id is not None:
        return _("{thread}, what helped: {words}", thread=thread, words=_words(outcome.helpful_id))
    n = outcome.answers
    if just_asked:
        return _n(
            "{thread} has {n} new answer.", "{thread} has {n} new answers.", n=n, thread=thread
        )
    return _n(
        "{thread} has {n} new answer: {question}",
        "{thread} has {n} new answers: {question}",
        n=n,
        thread=thread,
        question=Ref("posts", outcome.question_id, QUOTED),
    )


def _words(post_id: int) -> Ref:
    return Ref("posts", post_id, LINE)
