"""Stories of change: their parts, what may be done with them, and how one is chosen of several."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    UniqueConstraint,
    exists,
    false,
)

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import partial_index, ref, row_id

stories = Table(  # its number is told to others: whose it is only she and the machine know
    "stories",
    metadata,
    row_id(),
    ref("member_id", "members", nullable=True, ondelete="SET NULL", index=True),
    ref("community_id", "communities", index=True),
    Column("state", String(12), nullable=False),  # draft, told, withdrawn, hidden
    Column("domain", String(12)),  # the kind of change; None = nobody has said
    Column("others", String(8)),  # people in it: none, agreed, asking; None = she was not asked
    Column("created_at", Moment, nullable=False),
    Column("told_at", Moment),  # when somebody else could read it for the first time
    # The number of a story that is gone is never another's.
    sqlite_autoincrement=True,
)

story_parts = Table(  # what she answered to one of the questions
    "story_parts",
    metadata,
    ref("story_id", "stories", primary_key=True),
    Column("name", String(12), primary_key=True),  # who, before, happened, matters
    ref("post_id", "posts", index=True),
)

consents = Table(  # what she agreed to, and when that ended
    "consents",
    metadata,
    row_id(),
    ref("story_id", "stories", index=True),
    Column("use", String(12), nullable=False),  # community, programme, public
    Column("how", String(12), nullable=False),  # name, organisation, nameless
    Column("words", Sealed("consents.words"), nullable=False),  # as she read them
    Column("given_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    sqlite_autoincrement=True,
)
partial_index(
    "ix_consents_live", "withdrawn_at IS NULL", consents.c.story_id, consents.c.use, unique=True
)

rounds = Table(  # stories of a time and a kind, of which one is chosen, with reasons
    "rounds",
    metadata,
    row_id(),
    # where its result goes on; itself it is the last one, above those of the communities
    ref("parent_id", "rounds", nullable=True, index=True),
    ref("programme_id", "programmes", index=True),
    ref("community_id", "communities", nullable=True, index=True),  # None = the whole programme
    ref("opened_by", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("domain", String(12)),  # None = any kind of change
    Column("since", Moment, nullable=False),  # told since then
    # waiting (for those below), reading, tie, checking, closed
    Column("state", String(12), nullable=False),
    Column("again", Boolean, nullable=False, server_default=false()),  # a second, short one
    Column("opened_at", Moment),
    Column("closes_at", Moment),
    Column("next_at", Moment),  # when it is looked at again; None = nothing is to come
    sqlite_autoincrement=True,
)
partial_index("ix_rounds_due", "next_at IS NOT NULL", rounds.c.next_at)

candidates = Table(  # a story in a round; it goes with the consent to be there
    "candidates",
    metadata,
    row_id(),
    ref("round_id", "rounds"),
    ref("story_id", "stories", index=True),
    Column("stands", Boolean, nullable=False),  # or others were ahead in the first choice
    Column("chosen", Boolean, nullable=False, server_default=false()),
    Column("voices", Integer),  # None = not counted, or too few to be told
    UniqueConstraint("round_id", "story_id"),
    sqlite_autoincrement=True,
)

choices = Table(  # one voice each, until they are counted: then it is forgotten whose it was
    "choices",
    metadata,
    ref("round_id", "rounds", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    ref("candidate_id", "candidates", index=True),
    ref("post_id", "posts", index=True),  # why
    Column("named", Boolean, nullable=False),  # she wishes to be named beside her reason
)

reasons = Table(  # why a story was chosen, once that was counted; in the order of the words
    "reasons",
    metadata,
    row_id(),
    ref("candidate_id", "candidates", index=True),
    ref("post_id", "posts", index=True),
    sqlite_autoincrement=True,
)

story_questions = Table(  # the one question back to a teller, before the result is told
    "story_questions",
    metadata,
    ref("candidate_id", "candidates", primary_key=True),
    ref("asked_by", "members", nullable=True, ondelete="SET NULL", index=True),
    ref("post_id", "posts", index=True),
    Column("answered", Boolean, nullable=False, server_default=false()),
)

story_exports = Table(  # a file of stories that somebody took with her
    "story_exports",
    metadata,
    row_id(),
    ref("made_by", "members", nullable=True, ondelete="SET NULL", index=True),  # None = operator
    Column("use", String(12), nullable=False),
    Column("made_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

exported = Table(  # which stories a file has
    "exported",
    metadata,
    ref("export_id", "story_exports", primary_key=True),
    ref("story_id", "stories", primary_key=True, index=True),
    Column("out_at", Moment),  # since then it may not be used any more
)


def may_be(use: str) -> ColumnElement[bool]:
    """Whether a story may be used so at this moment."""
    live = consents.alias()
    return exists().where(
        live.c.story_id == stories.c.id,
        live.c.use == use,
        live.c.withdrawn_at.is_(None),
        stories.c.state == "told",
        stories.c.member_id.is_not(None),
    )


def how_told(how: str, *, discreet: bool) -> str:
    """How a teller is named at this moment: where a group is discreet, no organisation is."""
    return "nameless" if how == "organisation" and discreet else how
