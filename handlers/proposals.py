"""Joint proposals: a community says what it would write together, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import allowances, deadlines, proposing
from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import N_, Choice, Ref, Text, _
from bot.offers import CANCEL, CHANGE
from bot.posting import DRAFT_GONE
from bot.scheduler import Counts, Progress, job
from bot.smalltalk import has_words, is_small
from bot.store import communities, posts, proposals
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.proposals import DRAFTING, IDEAS, Proposal
from bot.truth import reached
from bot.turn import Turn

LISTED = 8
LONGEST = 300  # graphemes of what it is for

proposals_ = Conversation(
    "proposals",
    command="proposals",
    about=_("Write a proposal together"),
    words=N_("proposals, proposal, joint proposals, joint proposal"),
)


@job(every=timedelta(minutes=1))
def go_on(db: Connection, now: datetime) -> Counts | Progress:
    """What has come due of all proposals."""
    return proposing.look(db, now)


@proposals_.start
def start(turn: Turn) -> None:
    """What goes on in her groups; a single one is shown at once."""
    found = proposals.list_for(turn.db, turn.member.id, LISTED)
    if not found:
        return _first(turn)
    if len(found) == 1:
        return _open(turn, found[0])
    choices = [
        Choice(f"proposals.show:{each.id}", _("Proposal {number}", number=number))
        for number, each in enumerate(found, 1)
    ]
    lines = [_line(number, each) for number, each in enumerate(found, 1)]
    choices.append(Choice("proposals.choose", _("Open a new one")))
    turn.say(_("Joint proposals of your groups:"), *lines, choices=choices)


def _line(number: int, proposal: Proposal) -> Text:
    if proposal.state == DRAFTING:
        return _(
            "{number}. {post}: it is drafted in {thread}.",
            number=number,
            post=Ref("posts", proposal.post_id or 0, 60),
            thread=proposal.thread,
        )
    return _(
        "{number}. {post}: ideas and hands until {at}.",
        number=number,
        post=Ref("posts", proposal.post_id or 0, 60),
        at=proposal.closes_at,
    )


def _first(turn: Turn) -> None:
    if not _groups(turn):
        return turn.say(_("With an invite code you can join a group, and then ask there."))
    turn.say(
        _(
            "A joint proposal is written by a whole group: everybody can send ideas, each raises "
            "one hand, and the chosen idea is drafted part by part. Nobody needs to be an expert."
        ),
        choices=(Choice("proposals.choose", _("Open a new one")),),
    )


@proposals_.action
def show(turn: Turn) -> None:
    found = proposals.find_for(turn.db, turn.argument, turn.member.id)
    if found is None:
        return gone(turn)
    _open(turn, found)


def _open(turn: Turn, proposal: Proposal) -> None:
    turn.argument = proposal.id
    turn.start("drafting.show" if proposal.thread_id is not None else "ideas.show")


@proposals_.action
def gone(turn: Turn) -> None:
    turn.say(_("I do not find that proposal any more."))


# Opening one ------------------------------------------------------------------------------------


def _groups(turn: Turn) -> list[Community]:
    return communities.list_where(turn.db, turn.member.id, "ask", turn.now)


@proposals_.action
def choose(turn: Turn) -> None:
    """In which of her groups."""
    found = _groups(turn)
    if len(found) == 1:
        turn.argument = found[0].id
    if len(found) <= 1:
        return begin(turn)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    turn.ask(
        _("Which group is it about?"),
        choices=[Choice(f"community:{each.id}", labels[each.id]) for each in found],
        then=community,
    )


@proposals_.step
def community(turn: Turn) -> None:
    turn.argument = int(turn.chosen)
    begin(turn)


@proposals_.action
def begin(turn: Turn) -> None:
    place = _place(turn, turn.argument)
    if place is None:
        return gone(turn)
    turn.data = {"community": place.id}
    turn.ask(
        _(
            "What is the proposal for? A sentence is enough, like: a small grant for market "
            "days. What stands in it, everybody decides together."
        ),
        then=purpose,
    )


def _place(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "ask", turn.now)


@proposals_.step
def purpose(turn: Turn) -> None:
    if not turn.text or not has_words(turn.text) or is_small(turn.text):
        return turn.again(_("Please write in a few words what the proposal is for."))
    if graphemes(turn.text) > LONGEST:
        return turn.again(_("That is too long for one message. Please make it shorter."))
    turn.data["post"] = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="purpose")
    turn.ask(
        _("Until which day can everybody send ideas and raise a hand? You can also write a day."),
        choices=(Choice("7", _("In one week")), Choice("14", _("In two weeks")), CANCEL),
        then=closing,
        free=True,
    )


@proposals_.step
def closing(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    at = deadlines.read(turn, turn.now)
    if at is None:
        return
    turn.data["closes"] = at.isoformat()
    turn.ask(
        _(
            "By which day must it be ready? Then I remind those who write. You can also write "
            "a day."
        ),
        choices=(Choice("none", _("Not known yet")), Choice("30", _("In a month")), CANCEL),
        then=deadline,
        free=True,
    )


@proposals_.step
def deadline(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    turn.data["deadline"] = None
    if turn.choice != "none":
        at = deadlines.read(turn, datetime.fromisoformat(turn.data["closes"]))
        if at is None:
            return
        turn.data["deadline"] = at.isoformat()
    _preview(turn)


def _preview(turn: Turn) -> None:
    place = _place(turn, turn.data["community"])
    if place is None:
        return gone(turn)
    turn.ask(
        _("A joint proposal for {community}:", community=place.ref),
        _("{post}", post=Ref("posts", turn.data["post"])),
        *_days(turn),
        *reached(turn.reach(_everybody(turn, place), "session")),
        choices=(Choice("open", _("Open it")), CHANGE, CANCEL),
        then=confirm,
    )


def _days(turn: Turn) -> list[Text]:
    closes = datetime.fromisoformat(turn.data["closes"])
    said = [_("Ideas and hands: until {at}.", at=closes)]
    if turn.data["deadline"]:
        said.append(_("To be ready: {at}.", at=datetime.fromisoformat(turn.data["deadline"])))
    return said


def _everybody(turn: Turn, place: Community) -> Audience:
    return Audience("community", place.id, but=(turn.member.id,))


@proposals_.step
def confirm(turn: Turn) -> None:
    place = _place(turn, turn.data["community"])
    if place is None:
        return gone(turn)
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice == "open":
        return _publish(turn, place)
    if turn.choice == "cancel":
        return _drop(turn)
    posts.remove(turn.db, turn.data["post"])
    turn.argument = place.id
    begin(turn)


def _drop(turn: Turn) -> None:
    posts.remove(turn.db, turn.data["post"])
    turn.say(_("Cancelled. Nothing was sent."))


def _publish(turn: Turn, place: Community) -> None:
    closes, ready = turn.data["closes"], turn.data["deadline"]
    if datetime.fromisoformat(closes) <= turn.now:  # the card lay there for a while
        turn.say(_("That day is over meanwhile. Let us begin again."))
        posts.remove(turn.db, turn.data["post"])
        turn.argument = place.id
        return begin(turn)
    if not allowances.take(turn.db, allowances.ANNOUNCEMENTS, turn.member.id, turn.now):
        return turn.say(allowances.ANNOUNCEMENTS.over, _("Nothing was sent."))
    posts.mark(turn.db, turn.data["post"], state="live", community_id=place.id)
    id_ = proposals.add(
        turn.db,
        turn.now,
        community_id=place.id,
        opened_by=turn.member.id,
        post_id=turn.data["post"],
        closes_at=datetime.fromisoformat(closes),
        deadline_at=datetime.fromisoformat(ready) if ready else None,
    )
    _call(turn, place, id_)
    turn.say(
        _("It is open. When the time is over I count the hands and tell everybody the result."),
        choices=(
            Choice(f"ideas.begin:{id_}", _("Send an idea")),
            Choice(f"ideas.show:{id_}", _("See the ideas")),
        ),
    )


def _call(turn: Turn, place: Community, proposal_id: int) -> None:
    found = proposals.find(turn.db, proposal_id)
    assert found is not None and found.state == IDEAS
    turn.tell(
        _everybody(turn, place),
        _("{post}", post=found.purpose),
        _(
            "{name} would like to write a proposal together in {community}. Until {at} everybody "
            "can send ideas and raise one hand. An idea need not be finished.",
            name=Ref("members", turn.member.id),
            community=place.ref,
            at=found.closes_at,
        ),
        kind="session",
        choices=(
            Choice(f"ideas.begin:{found.id}", _("Send an idea")),
            Choice(f"ideas.show:{found.id}", _("See the ideas")),
        ),
        hint=_("To send an idea you can also reply to this message."),
        subject=Ref("proposals", found.id),
        community_id=place.id,
        once=f"proposal/{found.id}/opened",
    )
