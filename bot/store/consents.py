"""Consents: what a story may be used for, and how its teller is named there; until she ends it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bot.messages import Ref
from bot.models.people import communities
from bot.models.stories import consents, how_told, stories

COMMUNITY, PROGRAMME, PUBLIC = "community", "programme", "public"
USES = (COMMUNITY, PROGRAMME, PUBLIC)  # each is wider than the one before
NAME, ORGANISATION, NAMELESS = "name", "organisation", "nameless"
TABLE = "consents"  # of the reference that a message which tells a story has as its subject


@dataclass(frozen=True, slots=True)
class Consent:
    id: int
    story_id: int
    use: str  # COMMUNITY, PROGRAMME, PUBLIC
    how: str  # NAME, ORGANISATION, NAMELESS: as she agreed
    given_at: datetime
    discreet: bool  # whether the group it comes from is so now

    @property
    def told(self) -> str:
        return how_told(self.how, discreet=self.discreet)

    @property
    def ref(self) -> Ref:
        return Ref(TABLE, self.id)


_ROW = (consents.c.id, consents.c.story_id, consents.c.use, consents.c.how, consents.c.given_at)
_CONSENT = (
    select(*_ROW, communities.c.discreet)
    .join(stories, stories.c.id == consents.c.story_id)
    .join(communities, communities.c.id == stories.c.community_id)
)
_LIVE = consents.c.withdrawn_at.is_(None)


def list_live(db: Connection, story_id: int) -> dict[str, Consent]:
    """What stands now, by its use."""
    found = _CONSENT.where(consents.c.story_id == story_id, _LIVE)
    return {each.use: each for each in (Consent(*row) for row in db.execute(found))}


def find(db: Connection, story_id: int, use: str) -> Consent | None:
    """None also if the story is told no more, or is nobody's."""
    found = _CONSENT.where(
        consents.c.story_id == story_id,
        consents.c.use == use,
        _LIVE,
        stories.c.state == "told",
        stories.c.member_id.is_not(None),
    )
    row = db.execute(found).first()
    return None if row is None else Consent(*row)


def give(db: Connection, story_id: int, use: str, how: str, words: str, now: datetime) -> None:
    """She agrees to this, in these words; what she agreed to for this use before is over."""
    end(db, story_id, now, (use,))
    row = {"story_id": story_id, "use": use, "how": how, "words": words, "given_at": now}
    db.execute(insert(consents).values(row))


def end(db: Connection, story_id: int, now: datetime, uses: Collection[str] = USES) -> int:
    """How many ended by it."""
    mine = (consents.c.story_id == story_id, consents.c.use.in_(uses), _LIVE)
    return db.execute(update(consents).where(*mine).values(withdrawn_at=now)).rowcount


def list_over(db: Connection, ids: Collection[int]) -> set[int]:
    """Those of these that do not stand any more, or are no consents at all."""
    found = (
        select(consents.c.id)
        .join(stories, stories.c.id == consents.c.story_id)
        .where(
            consents.c.id.in_(ids),
            _LIVE,
            stories.c.state == "told",
            stories.c.member_id.is_not(None),
        )
    )
    return set(ids) - set(db.execute(found).scalars())
