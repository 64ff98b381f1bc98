"""Digests: many messages said as one, in the reader's language, by reference only.

What is hidden, erased or taken back before a digest leaves is not in it: its lines are made of
references, and a line whose words are gone is left out when it is rendered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from bot.messages import Listing, Message, Ref, Text, _
from bot.store import digests
from bot.store.digests import Content

LINE = 100  # graphemes of somebody's words in one line
ANNOUNCED = 200  # of an announcement, which cannot be read by a number

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
    words = Ref("posts", content.post_id, LINE)
    who, thread = _author(content), Ref("threads", content.thread_id or 0)
    if content.post_kind == "announcement":
        words = replace(words, most=ANNOUNCED)
        return _("{name} announces: {words}", name=who, words=words)
    if content.post_kind == "question":
        if content.anonymous:
            return _("{thread}, somebody asks without a name: {words}", thread=thread, words=words)
        return _("{thread}, {name} asks: {words}", thread=thread, name=who, words=words)
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
