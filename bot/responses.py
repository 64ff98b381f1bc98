"""What peers said: the shared answers to weekly questions, as their community reads them.

Only references: what is taken back, hidden or erased meanwhile is not in it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot import trees
from bot.messages import Choice, Listing, Message, Ref, Text, _
from bot.offers import CANCEL
from bot.store import responses, schedules
from bot.store.editions import Edition
from bot.store.responses import FACILITATORS, GROUP, ME, Response
from bot.timing import day_of

LINE = 200  # graphemes of an answer
QUESTION = 120  # graphemes of the question above
SHOWN = 30  # answers in one message; who wants to reads the others too

SEEN_BY: dict[str, Text] = {
    GROUP: _("your group sees it"),
    FACILITATORS: _("only facilitators see it"),
    ME: _("only you see it"),
}


def compose(db: Connection, editions: Sequence[Edition]) -> Message | None:
    """What peers said, below the new leaves of their trees; None if nobody shared anything."""
    found = [each for each in editions if each.kind == "digest"]
    told = tuple(listing for each in found for listing in said(db, each))
    tree = trees.news(db, found)
    if not told:
        return None if tree is None else Message(tree=tree)
    read = Choice(f"peers.read:{found[0].id}", _("Read it all"))
    return Message(choices=(read,), listings=told, tree=tree)


def readers(db: Connection, community_id: int, now: datetime) -> tuple[Choice, ...]:
    """Who may see an answer; the group only where it is ever told what peers said."""
    found = [Choice(FACILITATORS, _("Only facilitators")), Choice(ME, _("Only me"))]
    if is_told(db, community_id, now):
        found.insert(0, Choice(GROUP, _("My group")))
    return (*found, CANCEL)


def is_told(db: Connection, community_id: int, now: datetime) -> bool:
    """Whether what peers said is still to be told there one day."""
    schedule = schedules.find(db, community_id, "digest")
    return schedule is not None and bool(schedule.next_days(day_of(now.date()) - 1, 1))


def said(db: Connection, edition: Edition) -> tuple[Listing, ...]:
    """What this edition tells its community; nothing if nobody shared anything."""
    return listings(edition.community_id, responses.list_said(db, edition.id))


def listings(community_id: int, found: Sequence[Response]) -> tuple[Listing, ...]:
    """Under each question what was answered to it."""
    shown = found[:SHOWN]
    questions = dict.fromkeys((each.edition_id, each.content_id) for each in shown)
    made = [
        Listing(
            _heading(community_id, content_id),
            tuple(line(each) for each in shown if each.edition_id == edition_id),
        )
        for edition_id, content_id in questions
    ]
    left = len(found) - len(shown)
    if left:
        more = (*made[-1].lines, _("And {n} more.", n=left))
        made[-1] = Listing(made[-1].heading, more)
    return tuple(made)


def _heading(community_id: int, content_id: int | None) -> Text:
    community = Ref("communities", community_id)
    if content_id is None:
        return _("What peers said in {community}:", community=community)
    return _(
        "What peers said in {community}: {question}",
        community=community,
        question=Ref("contents", content_id, QUESTION),
    )


def line(response: Response, most: int | None = LINE) -> Text:
    """One answer, with the name of who gave it."""
    name = Ref("members", response.author_id or 0)
    return _("{name}: {post}", name=name, post=Ref("posts", response.id, most))
