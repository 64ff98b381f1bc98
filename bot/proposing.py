"""Joint proposals move on by themselves: a last call, the counting of hands, reminders to write.

Each is said once: its key names the proposal and the moment that it is about.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Text, _, _n
from bot.scheduler import Counts, Progress, attempt
from bot.store import communities, copies, messages, posts, proposals, sections, threads
from bot.store.audiences import Audience
from bot.store.proposals import CLOSED, DRAFTING, IDEAS, Idea, Proposal
from bot.store.sections import Section
from bot.store.threads import Thread
from bot.telling import tell

LAST_CALL = timedelta(days=1)  # before the hands are counted
REMINDERS = (timedelta(days=7), timedelta(days=1))  # before it is to be ready, the longest first
AGAIN = timedelta(hours=1)  # what failed is tried again
ASLEEP = timedelta(days=1)  # a group that has ended may go on one day
RAISED = 1000  # so many are spared the last call; where there are more, nobody is


def look(db: Connection, now: datetime) -> Counts | Progress:
    """One that is due; each is a transaction of its own."""
    due = proposals.list_due(db, now, 1)
    if not due:
        return {}
    done = attempt(db, partial(_go_on, db, now, due[0]))
    if done is None:
        proposals.change(db, due[0], next_at=now + AGAIN)
    return Progress({done or "failed": 1}, then=look)


def _go_on(db: Connection, now: datetime, proposal_id: int) -> str:
    proposal = proposals.lock(db, proposal_id)
    if proposal is None or proposal.next_at is None or proposal.next_at > now:
        return "overtaken"
    if communities.has_ended(db, proposal.community_id):
        proposals.change(db, proposal.id, next_at=now + ASLEEP)
        return "asleep"
    if proposal.state == IDEAS:
        return _count(db, now, proposal) if now >= proposal.closes_at else _call(db, now, proposal)
    if proposal.state == DRAFTING and proposal.deadline_at is not None:
        return _remind(db, now, proposal, proposal.deadline_at)
    proposals.change(db, proposal.id, next_at=None)
    return "still"


# Hands ------------------------------------------------------------------------------------------


def _call(db: Connection, now: datetime, proposal: Proposal) -> str:
    """A day before the end, to those whose hand is not up: they came when the list was empty."""
    last = proposal.closes_at - LAST_CALL
    if now < last:
        proposals.change(db, proposal.id, next_at=last)
        return "waits"
    proposals.change(db, proposal.id, next_at=proposal.closes_at)
    count = proposals.count_ideas(db, proposal.id)
    if count == 0 or proposal.closes_at - proposal.created_at < 2 * LAST_CALL:
        return "waits"
    raised = proposals.list_raised(db, proposal.id, RAISED + 1)
    message = Message(
        (
            _n(
                "{n} idea is there for {community}:",
                "{n} ideas are there for {community}:",
                n=count,
                community=communities.get(db, proposal.community_id).ref,
            ),
            _("{post}", post=proposal.purpose),
            _("Until {at} you can raise your hand for one of them.", at=proposal.closes_at),
        ),
        (Choice(f"ideas.show:{proposal.id}", _("See the ideas")),),
    )
    audience = Audience(
        "community", proposal.community_id, () if len(raised) > RAISED else tuple(raised)
    )
    key = f"proposal/{proposal.id}/last/{proposal.closes_at.isoformat()}"
    _tell(db, now, proposal, key, audience, message, proposal.closes_at)
    return "called"


def _count(db: Connection, now: datetime, proposal: Proposal) -> str:
    """The idea with most hands is drafted; of several, the one that came first."""
    counted = proposals.count_hands(db, proposal)
    proposals.forget_hands(db, proposal.id, counted)
    chosen = proposals.find_idea(db, counted[0][0]) if counted else None
    if chosen is None:
        proposals.change(db, proposal.id, state=CLOSED, next_at=None)
        _tell_leader(db, now, proposal, f"proposal/{proposal.id}/counted", _nothing(proposal))
        return "closed"
    thread = _begin_draft(db, now, proposal, chosen)
    said = _result(chosen, [number for _idea, number in counted])
    drafted = _("It is drafted in {thread}. Everybody can write a part of it.", thread=thread.ref)
    choices = (
        Choice(f"drafting.show:{proposal.id}", _("See the draft")),
        Choice(f"threads.follow:{thread.id}", _("Follow")),
    )
    message = Message((*said, drafted), choices, subject=thread.ref)
    audience = Audience("community", proposal.community_id)
    _tell(db, now, proposal, f"proposal/{proposal.id}/counted", audience, message)
    return "counted"


def _begin_draft(db: Connection, now: datetime, proposal: Proposal, chosen: Idea) -> Thread:
    """The idea opens a thread; who sent it and who opened the proposal follow it."""
    asker = chosen.author_id if proposal.opened_by is None else proposal.opened_by
    thread = threads.add(db, proposal.community_id, asker, now)
    if chosen.author_id is not None:
        threads.follow(db, thread, chosen.author_id, now)
    threads.mark_closed(db, thread.id, now)  # nobody waits for an answer there
    posts.mark(db, chosen.post_id, thread_id=thread.id)
    sections.add_usual(db, proposal.id)
    next_at = None if proposal.deadline_at is None else next_reminder(proposal.deadline_at, now)
    proposals.change(db, proposal.id, state=DRAFTING, thread_id=thread.id, next_at=next_at)
    return thread


def _result(chosen: Idea, counted: list[int]) -> list[Text]:
    """What was chosen; how many hands others had is told to nobody."""
    said = [
        _("The hands are counted. This idea was chosen:"),
        _("{post}", post=chosen.ref),
        _n(
            "{n} of {every} hands is for it.",
            "{n} of {every} hands are for it.",
            n=counted[0],
            every=sum(counted),
        ),
    ]
    if counted.count(counted[0]) > 1:
        said.append(_("Another idea had as many hands; this one came first."))
    return said


def _nothing(proposal: Proposal) -> Message:
    return Message(
        (
            _("The time for ideas is over, and no hand was up for one:"),
            _("{post}", post=proposal.purpose),
            _("That is fine: perhaps another time suits the group better."),
        ),
        (Choice(f"proposals.begin:{proposal.community_id}", _("Open it again")),),
    )


# Writing ----------------------------------------------------------------------------------------


def next_reminder(deadline: datetime, now: datetime) -> datetime | None:
    """When who writes is reminded next; None if the deadline is too near for that."""
    return next((deadline - each for each in REMINDERS if deadline - each > now), None)


def _remind(db: Connection, now: datetime, proposal: Proposal, deadline: datetime) -> str:
    """Of several that are late only the last one is of use; after the deadline none is."""
    proposals.change(db, proposal.id, next_at=next_reminder(deadline, now))
    due = [each for each in REMINDERS if deadline - each <= now]
    if not due or now >= deadline:
        return "still"
    open_ones = [each for each in sections.list_of(db, proposal.id) if each.post_id is None]
    owners = {each.owner_id for each in open_ones if each.owner_id is not None}
    for owner_id in sorted(owners):
        mine = [each for each in open_ones if each.owner_id == owner_id]
        _tell(
            db,
            now,
            proposal,
            _key(proposal, deadline, due[-1], owner_id),
            Audience("member", owner_id),
            _yours(proposal, deadline, mine),
            deadline,
        )
    free = [each for each in open_ones if each.owner_id is None]
    if free:
        key = _key(proposal, deadline, due[-1], 0)
        _tell_leader(db, now, proposal, key, _nobodys(proposal, deadline, free), deadline)
    return "reminded"


def _key(proposal: Proposal, deadline: datetime, before: timedelta, member_id: int) -> str:
    return f"draft/{proposal.id}/{deadline.isoformat()}/{before.days}/{member_id}"


def keep_back(db: Connection, proposal: Proposal, member_ids: tuple[int, ...]) -> None:
    """What waits to remind these (0: who leads) is not of use any more."""
    if proposal.deadline_at is None:
        return
    keys = [
        _key(proposal, proposal.deadline_at, before, each)
        for before in REMINDERS
        for each in member_ids
    ]
    for message_id in messages.list_ids(db, keys):
        copies.keep_back(db, message_id, "overtaken")


def keep_all_back(db: Connection, proposal: Proposal) -> None:
    """It is ready, or another day was named."""
    owners = {each.owner_id or 0 for each in sections.list_of(db, proposal.id)}
    keep_back(db, proposal, (0, *sorted(owners - {0})))


def _yours(proposal: Proposal, deadline: datetime, mine: list[Section]) -> Message:
    choices = [Choice(f"drafting.show:{proposal.id}", _("See the draft"))]
    if len(mine) == 1:
        choices.insert(0, Choice(f"drafting.write:{mine[0].id}", _("Write it")))
    return Message(
        (
            _("{thread} is to be ready by {at}. You write:", thread=proposal.thread, at=deadline),
            *(each.title for each in mine),
            _("A few lines are a good start; others can add to them."),
        ),
        tuple(choices),
        subject=proposal.thread,
    )


def _nobodys(proposal: Proposal, deadline: datetime, free: list[Section]) -> Message:
    head = _(
        "{thread} is to be ready by {at}. Nobody writes these parts yet:",
        thread=proposal.thread,
        at=deadline,
    )
    choices = (Choice(f"drafting.show:{proposal.id}", _("See the draft")),)
    return Message((head, *(each.title for each in free)), choices, subject=proposal.thread)


# Saying it --------------------------------------------------------------------------------------


def _tell_leader(
    db: Connection,
    now: datetime,
    proposal: Proposal,
    key: str,
    message: Message,
    expires_at: datetime | None = None,
) -> None:
    """Who opened it, as long as she takes part; else the facilitators."""
    leads = proposal.opened_by is not None and proposals.find_for(
        db, proposal.id, proposal.opened_by
    )
    audience = Audience("facilitators", proposal.community_id)
    if leads and proposal.opened_by is not None:
        audience = Audience("member", proposal.opened_by)
    _tell(db, now, proposal, key, audience, message, expires_at)


def _tell(
    db: Connection,
    now: datetime,
    proposal: Proposal,
    key: str,
    audience: Audience,
    message: Message,
    expires_at: datetime | None = None,
) -> None:
    tell(
        db,
        now,
        key,
        audience,
        message,
        kind="session",
        community_id=proposal.community_id,
        expires_at=expires_at,
    )
