"""Proposed: what joint proposals keep about one member beside her words, for her own eyes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.models.proposals import hands, proposals, sections
from bot.models.talks import threads


@dataclass(frozen=True, slots=True)
class Proposed:
    """All of it."""

    opened: Sequence[datetime]  # when she opened one
    raised: Sequence[datetime]  # where her hand is up: until when it is known whose it is
    writes: Sequence[int]  # numbers of the drafts of which she writes a part


def find(db: Connection, member_id: int) -> Proposed:
    opened = select(proposals.c.created_at).where(proposals.c.opened_by == member_id)
    raised = (
        select(proposals.c.closes_at)
        .join(hands, hands.c.proposal_id == proposals.c.id)
        .where(hands.c.member_id == member_id)
    )
    writes = (
        select(threads.c.number)
        .join(proposals, proposals.c.thread_id == threads.c.id)
        .join(sections, sections.c.proposal_id == proposals.c.id)
        .where(sections.c.owner_id == member_id)
        .distinct()
    )
    return Proposed(
        db.execute(opened.order_by(proposals.c.id)).scalars().all(),
        db.execute(raised.order_by(proposals.c.id)).scalars().all(),
        db.execute(writes.order_by(threads.c.number)).scalars().all(),
    )
