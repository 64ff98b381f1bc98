"""Ideas for a joint proposal: send one, look at all of them, take one back."""

from __future__ import annotations

from bot import allowances, drafts
from bot.conversation import Conversation
from bot.desk import note
from bot.messages import Choice, Ref, Text, _, _n
from bot.offers import CANCEL, CHANGE, SEND
from bot.posting import DRAFT_GONE, NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on, has_words, is_small
from bot.store import communities, posts, proposals
from bot.store.audiences import Audience
from bot.store.proposals import Idea, Proposal
from bot.turn import BURST, Turn

LISTED = 6  # in one look
EACH = 5  # ideas of one member

ideas = Conversation("ideas")


# Looking ----------------------------------------------------------------------------------------


@ideas.action
def show(turn: Turn) -> None:
    """From the first one on."""
    found = proposals.find_for(turn.db, turn.argument, turn.member.id)
    if found is None:
        return turn.start("proposals.gone")
    if found.thread_id is not None:
        return turn.start("drafting.show")
    _list(turn, found, 0)


@ideas.action
def more(turn: Turn) -> None:
    """After the idea the button names."""
    idea = proposals.find_idea(turn.db, turn.argument)
    found = None if idea is None else _open(turn, idea.proposal_id)
    if idea is None or found is None:
        return
    _list(turn, found, idea.id)


def _list(turn: Turn, proposal: Proposal, after: int) -> None:
    found = proposals.list_ideas(turn.db, proposal.id, after, LISTED + 1)
    first = proposals.count_ideas(turn.db, proposal.id, after) + 1
    shown = list(enumerate(found[:LISTED], first))
    head = [_("{post}", post=proposal.purpose)]
    if proposal.takes_hands(turn.now):
        head.append(_("Ideas and hands: until {at}.", at=proposal.closes_at))
    lines = [
        _("Idea {number}: {post}", number=number, post=Ref("posts", each.post_id, 300))
        for number, each in shown
    ]
    if not found:
        lines = [_("No idea is here yet. Yours can be the first; it need not be finished.")]
    turn.say(*head, *lines, *_hers(turn, proposal), choices=_choices(turn, proposal, shown, found))


def _hers(turn: Turn, proposal: Proposal) -> list[Text]:
    raised = proposals.find_hand(turn.db, proposal.id, turn.member.id)
    if raised is None or proposals.find_idea(turn.db, raised) is None:
        return []
    number = proposals.count_ideas(turn.db, proposal.id, raised)
    return [_("Your hand is up for idea {number}. Nobody else sees that.", number=number)]


def _choices(
    turn: Turn, proposal: Proposal, shown: list[tuple[int, Idea]], found: list[Idea]
) -> list[Choice]:
    if not proposal.takes_hands(turn.now):
        return []
    made = [
        Choice(f"votes.raise_hand:{each.id}", _("My hand for {number}", number=number))
        for number, each in shown
    ]
    if len(found) > LISTED:
        made.append(Choice(f"ideas.more:{found[LISTED - 1].id}", _("More ideas")))
    made.append(Choice(f"ideas.begin:{proposal.id}", _("Send an idea")))
    if proposals.list_ideas_of(turn.db, proposal.id, turn.member.id):
        made.append(Choice(f"ideas.mine:{proposal.id}", _("Take mine back")))
    if found and _facilitates(turn, proposal):
        made.append(Choice(f"ideas.choose:{proposal.id}", _("Hide an idea")))
    if proposal.opened_by == turn.member.id or _facilitates(turn, proposal):
        made.append(Choice(f"votes.days:{proposal.id}", _("Change the day")))
    return made


def _facilitates(turn: Turn, proposal: Proposal) -> bool:
    here = (turn.db, turn.member.id, proposal.community_id, "hide", turn.now)
    return not turn.sender.is_fresh(turn.now) and communities.find_where(*here) is not None


def _open(turn: Turn, proposal_id: int) -> Proposal | None:
    """The proposal, as long as it takes ideas; else she is told what became of it."""
    found = proposals.find_for(turn.db, proposal_id, turn.member.id)
    if found is None:
        turn.start("proposals.gone")
        return None
    if found.takes_hands(turn.now):
        return found
    turn.say(_("The time for ideas is over. Thank you for thinking about it!"))
    if found.thread_id is not None:
        turn.argument = found.id
        turn.start("drafting.show")
    return None


# Sending one ------------------------------------------------------------------------------------


@ideas.action
def begin(turn: Turn) -> None:
    found = _open(turn, turn.argument)
    if found is None or _has_many(turn, found):
        return
    turn.data = {"proposal": found.id}
    turn.ask(_("What is your idea? A few words are enough; others can add to it."), then=write)


def _has_many(turn: Turn, proposal: Proposal) -> bool:
    mine = proposals.list_ideas_of(turn.db, proposal.id, turn.member.id)
    if len(mine) < EACH:
        return False
    turn.say(
        _("Your ideas are in the list, thank you! Let us hear what others think of."),
        choices=(Choice(f"ideas.show:{proposal.id}", _("See the ideas")),),
    )
    return True


@ideas.on("proposal")
def replied(turn: Turn) -> None:
    """A reply to the call is an idea."""
    assert turn.subject is not None
    if is_small(turn.text, turn.files):
        return turn.say(_("Thank you! Only ideas are put on the list, so that phones stay quiet."))
    found = _open(turn, turn.subject.id)
    if found is None or _has_many(turn, found):
        return
    turn.data = {"proposal": found.id}
    _keep(turn)


@ideas.step
def write(turn: Turn) -> None:
    if is_small(turn.text, turn.files) or (turn.text and not has_words(turn.text)):
        return turn.again(_("Please say a little more, so that others see what you think of."))
    _keep(turn)


def _keep(turn: Turn) -> None:
    turn.data["post"] = posts.keep(
        turn.db, turn.data.get("post"), turn.member.id, turn.content, turn.now, kind="idea"
    )
    if not can_be_passed_on(turn.text, turn.files):
        return turn.ask(NOT_PASSED_ON, then=write)
    turn.ask(
        _("Your idea:"),
        _("{post}", post=Ref("posts", turn.data["post"])),
        _("It stands on the list without your name. If it is chosen, your name stands with it."),
        choices=(SEND, CHANGE, CANCEL),
        then=confirm,
        free=True,
        after=BURST,
    )


@ideas.step
def confirm(turn: Turn) -> None:
    post_id = turn.data["post"]
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return drafts.add(turn, _("Added."))
    if turn.choice == "send":
        return _send(turn)
    posts.remove(turn.db, post_id)
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    del turn.data["post"]
    turn.ask(_("Please write or say it again, as you would like it."), then=write)


def _send(turn: Turn) -> None:
    found = proposals.lock(turn.db, turn.data["proposal"])
    if found is None or _open(turn, found.id) is None:
        return posts.remove(turn.db, turn.data["post"])
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    place = found.community_id
    posts.mark(turn.db, turn.data["post"], state="live", community_id=place)
    idea_id = proposals.add_idea(turn.db, found.id, turn.data["post"])
    number = proposals.count_ideas(turn.db, found.id, idea_id)
    turn.say(
        _("Thank you! It is idea {number} on the list.", number=number),
        choices=(Choice(f"ideas.show:{found.id}", _("See the ideas")),),
    )


# Taking one back --------------------------------------------------------------------------------


@ideas.action
def mine(turn: Turn) -> None:
    """Her own."""
    found = _open(turn, turn.argument)
    if found is not None:
        _ask_which(turn, found, proposals.list_ideas_of(turn.db, found.id, turn.member.id))


@ideas.action
def choose(turn: Turn) -> None:
    """A facilitator hides what hurts somebody, or has nothing to do here."""
    found = _open(turn, turn.argument)
    if found is None:
        return
    if not _facilitates(turn, found):
        return turn.start("facilitate.refuse", community=found.community_id)
    _ask_which(turn, found, proposals.list_ideas(turn.db, found.id, 0, 10 * LISTED))


def _ask_which(turn: Turn, proposal: Proposal, listed: list[Idea]) -> None:
    if not listed:
        return turn.say(_("There is nothing to take back."))
    turn.data = {"proposal": proposal.id}
    every = proposals.list_ideas(turn.db, proposal.id, 0, 1000)
    numbers = {each.id: number for number, each in enumerate(every, 1)}
    choices = [
        Choice(f"idea:{each.id}", _("Idea {number}", number=numbers[each.id])) for each in listed
    ]
    turn.ask(
        _n("Shall it go from the list?", "Which one shall go from the list?", n=len(listed)),
        choices=[*choices, CANCEL],
        then=which,
    )


@ideas.step
def which(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    idea = proposals.find_idea(turn.db, int(turn.chosen))
    found = None if idea is None else _open(turn, idea.proposal_id)
    if idea is None or found is None:
        return None if idea is not None else turn.say(_("It was taken back already."))
    hers = idea.author_id == turn.member.id
    if not hers and not _facilitates(turn, found):
        return turn.start("facilitate.refuse", community=found.community_id)
    posts.hide(turn.db, idea.post_id)
    if not hers:
        note(turn, "hide", found.community_id, idea.post_id)
        _tell_author(turn, found, idea)
    turn.say(
        _("Done. It is not on the list any more."),
        choices=(Choice(f"ideas.show:{found.id}", _("See the ideas")),),
    )


def _tell_author(turn: Turn, proposal: Proposal, idea: Idea) -> None:
    if idea.author_id is None:
        return
    turn.tell(
        Audience("member", idea.author_id),
        _("A facilitator has taken an idea of yours from a list. Please ask if you wonder why."),
        kind="session",
        choices=(Choice(f"ideas.show:{proposal.id}", _("See the ideas")),),
        community_id=proposal.community_id,
        once=f"idea/{idea.id}/hidden",
    )
