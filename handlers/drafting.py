"""Drafting: a proposal is written part by part, and read as one text."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.posting import DRAFT_GONE, NOT_PASSED_ON, author
from bot.proposing import keep_back
from bot.smalltalk import can_be_passed_on, is_small
from bot.store import communities, posts, proposals, sections, threads
from bot.store.proposals import DRAFTING, Proposal
from bot.store.sections import Section
from bot.turn import BURST, Turn

SAID = 3  # of what was said about it, in one look

drafting = Conversation("drafting")


# Looking ----------------------------------------------------------------------------------------


@drafting.action
def show(turn: Turn) -> None:
    """The idea, its parts, what was said lately, and what she can do."""
    found = proposals.find_for(turn.db, turn.argument, turn.member.id)
    if found is None or found.thread_id is None:
        return turn.start("proposals.gone")
    parts = sections.list_of(turn.db, found.id)
    discreet = communities.get(turn.db, found.community_id).discreet
    head = _("{thread} is the draft for: {post}", thread=found.thread, post=found.purpose)
    said = [_state(each, turn.member.id, discreet=discreet) for each in parts]
    turn.say(
        head,
        *_idea(turn, found),
        *said,
        *_until(found),
        *_comments(turn, found),
        choices=_choices(turn, found, parts),
        subject=found.thread,
    )


def _idea(turn: Turn, proposal: Proposal) -> list[Text]:
    opening = threads.find_question(turn.db, proposal.thread_id or 0)
    found = None if opening is None else posts.find(turn.db, opening)
    if found is None:
        return []
    name = Ref("members", found.author_id or 0)
    return [_("The idea, from {name}: {post}", name=name, post=Ref("posts", found.id, 300))]


def _state(section: Section, member_id: int, *, discreet: bool) -> Text:
    """Who writes it; in a discreet group only that somebody does."""
    about: dict[str, object] = {"section": section.title}
    if section.post_id is not None:
        return _("{section}: written", **about)
    if section.owner_id is None:
        return _("{section}: nobody yet", **about)
    if section.owner_id == member_id:
        return _("{section}: you write it", **about)
    if discreet:
        return _("{section}: somebody writes it", **about)
    return _("{section}: {name} writes it", name=Ref("members", section.owner_id), **about)


def _until(proposal: Proposal) -> list[Text]:
    if proposal.state != DRAFTING:
        return [_("It is ready.")]
    if proposal.deadline_at is None:
        return []
    return [_("To be ready: {at}.", at=proposal.deadline_at)]


def _comments(turn: Turn, proposal: Proposal) -> list[Text]:
    thread = turn.find_thread(proposal.thread_id)
    if thread is None:
        return []
    said = posts.list_live(turn.db, thread.id, 4 * SAID)
    found = [each for each in said if each.kind in ("answer", "reply")][-SAID:]
    return [
        _("{name}: {post}", name=author(thread, each), post=Ref("posts", each.id, 200))
        for each in found
    ]


def _choices(turn: Turn, proposal: Proposal, parts: list[Section]) -> list[Choice]:
    made = []
    if proposal.state == DRAFTING:
        made.append(Choice(f"drafting.choose:{proposal.id}", _("Write a part")))
    if any(each.post_id is not None for each in parts):
        made.append(Choice(f"drafting.whole:{proposal.id}", _("Read it all")))
    made.append(Choice(f"answers.begin:{proposal.thread_id}", _("Say something")))
    if _leads(turn, proposal):
        made.append(Choice(f"parts.show:{proposal.id}", _("Change the plan")))
    if communities.find_where(turn.db, turn.member.id, proposal.community_id, "hide", turn.now):
        made.append(Choice(f"moderation.begin:{proposal.thread_id}", _("Hide a post")))
    return made


def _leads(turn: Turn, proposal: Proposal) -> bool:
    if proposal.opened_by == turn.member.id:
        return True
    here = (turn.db, turn.member.id, proposal.community_id, "close", turn.now)
    return not turn.sender.is_fresh(turn.now) and communities.find_where(*here) is not None


@drafting.action
def whole(turn: Turn) -> None:
    """One text, put together at this moment."""
    found = proposals.find_for(turn.db, turn.argument, turn.member.id)
    if found is None or found.thread_id is None:
        return turn.start("proposals.gone")
    lines = [_("{post}", post=found.purpose)]
    for each in sections.list_of(turn.db, found.id):
        lines.append(each.title)
        lines.append(
            _("(not written yet)")
            if each.post_id is None
            else _("{post}", post=Ref("posts", each.post_id))
        )
    turn.say(
        *lines,
        choices=(Choice(f"drafting.show:{found.id}", _("See the draft")),),
        subject=found.thread,
    )


# Taking a part ----------------------------------------------------------------------------------


def _find(turn: Turn, section_id: int) -> tuple[Proposal, Section] | None:
    """A part that can be written; else she is told what became of it."""
    section = sections.find(turn.db, section_id)
    found = None
    if section is not None:
        found = proposals.find_for(turn.db, section.proposal_id, turn.member.id)
    if section is None or found is None:
        turn.start("proposals.gone")
        return None
    if found.state != DRAFTING:
        _ready(turn, found)
        return None
    return found, section


def _ready(turn: Turn, proposal: Proposal) -> None:
    turn.say(
        _("{thread} is ready; nothing is written there any more.", thread=proposal.thread),
        choices=(Choice(f"drafting.whole:{proposal.id}", _("Read it all")),),
    )


@drafting.action
def choose(turn: Turn) -> None:
    """Which part she writes: one that nobody does, or her own."""
    found = proposals.find_for(turn.db, turn.argument, turn.member.id)
    if found is None or found.thread_id is None:
        return turn.start("proposals.gone")
    if found.state != DRAFTING:
        return _ready(turn, found)
    nobodys_or_hers = (None, turn.member.id)
    open_ones = [
        each for each in sections.list_of(turn.db, found.id) if each.owner_id in nobodys_or_hers
    ]
    if not open_ones:
        return turn.say(
            _("Each part has somebody who writes it. What would you add? Tell the others."),
            choices=(Choice(f"answers.begin:{found.thread_id}", _("Say something")),),
        )
    choices = [Choice(f"part:{each.id}", each.label) for each in open_ones]
    turn.ask(
        _("Which part would you write?"),
        choices=[*choices, CANCEL],
        then=take,
    )


@drafting.step
def take(turn: Turn) -> None:
    """The first one who says so writes it."""
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    pair = _find(turn, int(turn.chosen))
    if pair is None:
        return
    proposal, section = pair
    if section.owner_id == turn.member.id:
        turn.argument = section.id
        return write(turn)
    if not sections.take(turn.db, section.id, turn.member.id):
        return _taken(turn, proposal)
    _follow(turn, proposal)
    turn.say(
        _("Thank you! This part is yours: {section}", section=section.title),
        _("Write it now or whenever it suits you. A few lines are a good start."),
        choices=(
            Choice(f"drafting.write:{section.id}", _("Write it")),
            Choice(f"drafting.leave:{section.id}", _("Give it back")),
        ),
        subject=proposal.thread,
    )


def _taken(turn: Turn, proposal: Proposal) -> None:
    turn.say(
        _("Somebody else writes this part already. Perhaps another one?"),
        choices=(Choice(f"drafting.choose:{proposal.id}", _("Write a part")),),
    )


def _follow(turn: Turn, proposal: Proposal) -> None:
    thread = turn.find_thread(proposal.thread_id)
    if thread is not None:
        threads.follow(turn.db, thread, turn.member.id, turn.now)


@drafting.action
def leave(turn: Turn) -> None:
    """It is nobody's again; what is written stays."""
    pair = _find(turn, turn.argument)
    if pair is None:
        return
    proposal, section = pair
    if sections.leave(turn.db, section.id, turn.member.id):
        keep_back(turn.db, proposal, (turn.member.id,))
    turn.say(
        _("That is fine. Somebody else can take it."),
        choices=(Choice(f"drafting.show:{proposal.id}", _("See the draft")),),
    )


# Writing it -------------------------------------------------------------------------------------


@drafting.action
def write(turn: Turn) -> None:
    pair = _find(turn, turn.argument)
    if pair is None:
        return
    proposal, section = pair
    if section.owner_id != turn.member.id and not sections.take(
        turn.db, section.id, turn.member.id
    ):
        return _taken(turn, proposal)
    turn.data = {"section": section.id}
    before = []
    if section.post_id is not None:
        before = [
            _("So it reads now. What you write takes its place:"),
            _("{post}", post=Ref("posts", section.post_id)),
        ]
    turn.ask(
        section.title,
        *before,
        _("Please write or say it here, in one message or several."),
        choices=(CANCEL,),
        then=words,
        free=True,
    )


@drafting.step
def words(turn: Turn) -> None:
    begun = turn.data.get("post")
    if begun is not None and not posts.is_draft_of(turn.db, begun, turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice == "cancel":
        posts.remove(turn.db, begun or 0)
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "done":
        return _save(turn)
    if is_small(turn.text, turn.files):
        return turn.wait()
    turn.data["post"] = posts.keep(
        turn.db, begun, turn.member.id, turn.content, turn.now, kind="section"
    )
    if not can_be_passed_on(turn.text, turn.files):
        return turn.again(NOT_PASSED_ON)
    if begun is not None and turn.postpone():
        return turn.wait()
    turn.ask(
        _("I have it. Write more, or choose Done."),
        choices=(Choice("done", _("Done")), CANCEL),
        then=words,
        free=True,
        after=BURST,
    )


def _save(turn: Turn) -> None:
    pair = _find(turn, turn.data["section"])
    if pair is None:
        return posts.remove(turn.db, turn.data["post"])
    proposal, section = pair
    if section.owner_id != turn.member.id:
        posts.remove(turn.db, turn.data["post"])
        return _taken(turn, proposal)
    posts.mark(
        turn.db,
        turn.data["post"],
        thread_id=proposal.thread_id,
        community_id=proposal.community_id,
    )
    sections.write(turn.db, section, turn.data["post"], turn.member.id)
    keep_back(turn.db, proposal, (turn.member.id,))
    turn.say(
        _(
            "Thank you! It stands in {thread}. You can change it at any time.",
            thread=proposal.thread,
        ),
        choices=(
            Choice(f"drafting.whole:{proposal.id}", _("Read it all")),
            Choice(f"drafting.show:{proposal.id}", _("See the draft")),
        ),
    )
