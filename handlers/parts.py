"""Parts: who opened a proposal adds or removes one, names the day, and says that it is ready."""

from __future__ import annotations

from bot import deadlines
from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import Choice, _
from bot.offers import CANCEL
from bot.proposing import keep_all_back, next_reminder
from bot.smalltalk import has_words
from bot.store import communities, posts, proposals, sections
from bot.store.audiences import Audience
from bot.store.proposals import DRAFTING, READY, Proposal
from bot.turn import Turn

LONGEST = 60  # graphemes of a title

parts = Conversation("parts")


def _mine(turn: Turn, proposal_id: int) -> Proposal | None:
    """A draft that she leads: who opened it does, and who facilitates there."""
    found = proposals.find_for(turn.db, proposal_id, turn.member.id)
    if found is None or found.thread_id is None:
        turn.start("proposals.gone")
        return None
    here = (turn.db, turn.member.id, found.community_id, "close", turn.now)
    facilitates = not turn.sender.is_fresh(turn.now) and communities.find_where(*here)
    if found.opened_by == turn.member.id or facilitates:
        return found
    turn.start("facilitate.refuse", community=found.community_id)
    return None


@parts.action
def show(turn: Turn) -> None:
    found = _mine(turn, turn.argument)
    if found is None:
        return
    turn.data = {"proposal": found.id}
    choices = [Choice("open", _("Write on"))]
    if found.state == DRAFTING:
        choices = [
            Choice("add", _("Add a part")),
            Choice("remove", _("Remove a part")),
            Choice("day", _("Change the day")),
            Choice("ready", _("It is ready")),
        ]
    turn.ask(
        _("What would you like to change in {thread}?", thread=found.thread),
        choices=[*choices, CANCEL],
        then=deed,
    )


@parts.step
def deed(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _mine(turn, turn.data["proposal"])
    if found is None:
        return
    if turn.choice == "open":
        return _open_again(turn, found)
    if found.state != DRAFTING:
        return _again(turn, found)
    if turn.choice == "ready":
        return _finish(turn, found)
    if turn.choice == "remove":
        return _ask_which(turn, found)
    if turn.choice == "add":
        return turn.ask(_("What is the part about? Two or three words are enough."), then=title)
    turn.ask(
        _(
            "By which day must it be ready? Then I remind those who write. You can also write "
            "a day."
        ),
        choices=(Choice("none", _("Not known yet")), Choice("30", _("In a month")), CANCEL),
        then=day,
        free=True,
    )


def _again(turn: Turn, proposal: Proposal) -> None:
    turn.argument = proposal.id
    turn.start("drafting.show")


@parts.step
def title(turn: Turn) -> None:
    if not turn.text or not has_words(turn.text):
        return turn.again(_("What is the part about? Two or three words are enough."))
    if graphemes(turn.text) > LONGEST:
        return turn.again(_("That is too long for a title. Please make it shorter."))
    found = _mine(turn, turn.data["proposal"])
    if found is None:
        return
    place = found.community_id
    post_id = posts.add(
        turn.db, turn.member.id, turn.content, turn.now,
        kind="part", state="live", community_id=place,
    )  # fmt: skip
    if not sections.add(turn.db, found.id, post_id):
        posts.mark(turn.db, post_id, state="draft")
        posts.remove(turn.db, post_id)
        return turn.say(_("There are many parts already; one of them may have room for it."))
    _again(turn, found)


def _ask_which(turn: Turn, proposal: Proposal) -> None:
    """Only what nobody has written."""
    free = [each for each in sections.list_of(turn.db, proposal.id) if each.post_id is None]
    if not free:
        return turn.say(_("Something is written in every part, so all of them stay."))
    choices = [Choice(f"part:{each.id}", each.label) for each in free]
    turn.ask(
        _("Which part shall go?"),
        choices=[*choices, CANCEL],
        then=which,
    )


@parts.step
def which(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _mine(turn, turn.data["proposal"])
    section = sections.find(turn.db, int(turn.chosen))
    if found is None:
        return
    if section is not None and section.proposal_id == found.id:
        keep_all_back(turn.db, found)
        sections.remove(turn.db, section)
    _again(turn, found)


@parts.step
def day(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _mine(turn, turn.data["proposal"])
    if found is None:
        return
    at = None
    if turn.choice != "none":
        at = deadlines.read(turn, turn.now)
        if at is None:
            return
    keep_all_back(turn.db, found)
    soon = None if at is None else next_reminder(at, turn.now)
    proposals.change(turn.db, found.id, deadline_at=at, next_at=soon)
    _again(turn, found)


def _finish(turn: Turn, proposal: Proposal) -> None:
    """Everybody who follows it hears that it can be read."""
    keep_all_back(turn.db, proposal)
    proposals.change(turn.db, proposal.id, state=READY, next_at=None)
    turn.tell(
        Audience("followers", proposal.thread_id or 0, but=(turn.member.id,)),
        _("{thread} is ready. Thank you to all who wrote it!", thread=proposal.thread),
        kind="session",
        choices=(Choice(f"drafting.whole:{proposal.id}", _("Read it all")),),
        subject=proposal.thread,
        community_id=proposal.community_id,
        once=f"proposal/{proposal.id}/ready",
    )
    turn.say(
        _("Good! Who follows {thread} hears that it can be read.", thread=proposal.thread),
        choices=(Choice(f"drafting.whole:{proposal.id}", _("Read it all")),),
    )


def _open_again(turn: Turn, proposal: Proposal) -> None:
    soon = None
    if proposal.deadline_at is not None:
        soon = next_reminder(proposal.deadline_at, turn.now)
    proposals.change(turn.db, proposal.id, state=DRAFTING, next_at=soon)
    _again(turn, proposal)
