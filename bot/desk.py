"""The desk: where somebody with a role may do something, and that she did it."""

from __future__ import annotations

from bot.store import audit, communities
from bot.store.communities import Community
from bot.turn import Turn


def find_place(turn: Turn, community_id: int, power: str) -> Community | None:
    """The community, if she has this power there at this moment; else she is told so."""
    found = communities.find_where(turn.db, turn.member.id, community_id, power, turn.now)
    if found is None:
        turn.start("facilitate.refuse", **turn.data)
    return found


def note(turn: Turn, action: str, community_id: int, subject_id: int | None = None) -> None:
    """What she did stands in the audit, without any words."""
    audit.add(
        turn.db,
        turn.member.id,
        action,
        turn.now,
        community_id=community_id,
        subject_id=subject_id,
    )
