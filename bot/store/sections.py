"""Sections: the parts of a draft, who writes each, and what is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select, update

from bot.messages import Ref, Text, _
from bot.models.people import memberships
from bot.models.proposals import proposals, sections
from bot.models.talks import bubbles, posts
from bot.roles import TAKING_PART

USUAL: dict[str, Text] = {
    "problem": _("The problem"),
    "plan": _("What we would do"),
    "people": _("Who takes part"),
    "costs": _("What it costs"),
    "change": _("What will change"),
}
MOST = 12  # parts of one draft


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a draft."""

    id: int
    proposal_id: int
    place: int
    name: str | None  # one of USUAL
    title_id: int | None  # its own title, a post
    owner_id: int | None  # who writes it, as long as she takes part
    post_id: int | None  # what is written, as long as it stands

    @property
    def title(self) -> Text:
        if self.name in USUAL:
            return USUAL[self.name]
        return _("{post}", post=Ref("posts", self.title_id or 0, 60))

    @property
    def label(self) -> Text:
        """Its title, as short as a choice must be."""
        if self.name in USUAL:
            return USUAL[self.name]
        return _("{post}", post=Ref("posts", self.title_id or 0, 20))


def add_usual(db: Connection, proposal_id: int) -> None:
    rows = [
        {"proposal_id": proposal_id, "place": place, "name": name}
        for place, name in enumerate(USUAL, 1)
    ]
    db.execute(insert(sections), rows)


def add(db: Connection, proposal_id: int, title_id: int) -> bool:
    """One more, with its own title; False if there are many already."""
    counted = select(func.count(), func.coalesce(func.max(sections.c.place), 0))
    count, last = db.execute(counted.where(sections.c.proposal_id == proposal_id)).one()
    if count >= MOST:
        return False
    row = {"proposal_id": proposal_id, "place": last + 1, "title_id": title_id}
    db.execute(insert(sections), row)
    return True


def list_of(db: Connection, proposal_id: int) -> list[Section]:
    """In their order."""
    statement = _sections().where(sections.c.proposal_id == proposal_id)
    return [_section(row) for row in db.execute(statement.order_by(sections.c.place))]


def find(db: Connection, section_id: int) -> Section | None:
    row = db.execute(_sections().where(sections.c.id == section_id)).first()
    return None if row is None else _section(row)


def _section(row: Any) -> Section:
    return Section(*row)


def _sections() -> Select[Any]:
    """An owner who has left is none, nor are words that were hidden or forgotten."""
    part = and_(
        memberships.c.member_id == sections.c.owner_id,
        memberships.c.community_id == proposals.c.community_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    words = exists().where(bubbles.c.post_id == posts.c.id)
    stands = (posts.c.state == "live") & words
    return (
        select(
            sections.c.id,
            sections.c.proposal_id,
            sections.c.place,
            sections.c.name,
            sections.c.title_id,
            memberships.c.member_id,
            posts.c.id,
        )
        .join(proposals, proposals.c.id == sections.c.proposal_id)
        .outerjoin(memberships, part)
        .outerjoin(posts, and_(posts.c.id == sections.c.post_id, stands))
    )


def take(db: Connection, section_id: int, member_id: int) -> bool:
    """She writes it; False if somebody else was faster, who still takes part."""
    there = (
        select(memberships.c.id)
        .join(proposals, proposals.c.community_id == memberships.c.community_id)
        .where(
            proposals.c.id == sections.c.proposal_id,
            memberships.c.member_id == sections.c.owner_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
        .correlate(sections)
    )
    free = or_(sections.c.owner_id.is_(None), ~there.exists())
    taken = update(sections).where(sections.c.id == section_id, free)
    return db.execute(taken.values(owner_id=member_id)).rowcount == 1


def leave(db: Connection, section_id: int, member_id: int) -> bool:
    """False if it was not hers."""
    hers = (sections.c.id == section_id, sections.c.owner_id == member_id)
    return db.execute(update(sections).where(*hers).values(owner_id=None)).rowcount == 1


def write(db: Connection, section: Section, draft_id: int, author_id: int) -> None:
    """What it says from now on. It stays the same post, so that who has seen it is known."""
    if section.post_id is None:
        db.execute(update(posts).where(posts.c.id == draft_id).values(state="live"))
        mine = update(sections).where(sections.c.id == section.id)
        db.execute(mine.values(post_id=draft_id))
        return
    db.execute(delete(bubbles).where(bubbles.c.post_id == section.post_id))
    moved = update(bubbles).where(bubbles.c.post_id == draft_id)
    db.execute(moved.values(post_id=section.post_id))
    db.execute(update(posts).where(posts.c.id == section.post_id).values(author_id=author_id))
    db.execute(delete(posts).where(posts.c.id == draft_id))


def remove(db: Connection, section: Section) -> None:
    """A part that nobody has written."""
    db.execute(delete(sections).where(sections.c.id == section.id, sections.c.post_id.is_(None)))


def list_owned(db: Connection, member_id: int) -> list[Section]:
    """The parts she has taken, of all drafts."""
    statement = _sections().where(sections.c.owner_id == member_id)
    return [_section(row) for row in db.execute(statement.order_by(sections.c.id))]
