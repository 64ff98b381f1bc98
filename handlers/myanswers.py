"""My answers: what she answered to weekly questions; who sees it; change it, take it back."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, _
from bot.offers import CANCEL
from bot.responses import SEEN_BY
from bot.responses import readers as readers_of
from bot.store import responses, weekly
from bot.store.responses import Response
from bot.truth import remaining
from bot.turn import Turn

LISTED = 6  # answers in one list
LINE = 80  # graphemes of each

myanswers = Conversation("myanswers", command="answers", words=N_("my answers"))


@myanswers.start
def start(turn: Turn) -> None:
    """Behind her secret word, if she has one."""
    turn.start("secret.ask", then="myanswers.list_mine")


@myanswers.action
def older(turn: Turn) -> None:
    turn.start("secret.ask", then="myanswers.list_mine")


@myanswers.action
def list_mine(turn: Turn) -> None:
    """The latest, or those before the one of the button.

    An app that was linked later shows nothing from before.
    """
    since, before = turn.sender.linked_at, turn.argument
    found = responses.list_own(turn.db, turn.member.id, LISTED + 1, before, since)
    if not found:
        return turn.say(_("There are no answers of yours here yet."))
    shown = found[:LISTED]
    lines = [
        _(
            "{number}. {post} ({who})",
            number=number,
            post=Ref("posts", each.id, LINE),
            who=SEEN_BY[each.seen_by],
        )
        for number, each in enumerate(shown, 1)
    ]
    choices = [
        Choice(f"myanswers.show:{each.id}", _("Answer {number}", number=number))
        for number, each in enumerate(shown, 1)
    ]
    if len(found) > LISTED:
        choices.append(Choice(f"myanswers.older:{shown[-1].id}", _("Earlier ones")))
    turn.say(_("Your answers:"), *lines, choices=choices)


@myanswers.action
def show(turn: Turn) -> None:
    turn.start("secret.ask", then="myanswers.open_one")


@myanswers.action
def open_one(turn: Turn) -> None:
    """One of them, the question above it."""
    found = _hers(turn)
    if found is None:
        return gone(turn)
    asked = [] if found.content_id is None else [Ref("contents", found.content_id)]
    choices = [
        Choice(f"stories.start_from:{found.id}", _("Make it a story")),
        Choice(f"myanswers.take_back:{found.id}", _("Take it back")),
    ]
    if _is_open(turn, found):
        choices = [
            Choice(f"myanswers.change:{found.id}", _("Change it")),
            Choice(f"myanswers.readers:{found.id}", _("Who sees it")),
            *choices,
        ]
    turn.say(
        *(_("{question}", question=each) for each in asked),
        _("Your answer ({who}):", who=SEEN_BY[found.seen_by]),
        _("{post}", post=Ref("posts", found.id)),
        choices=choices,
    )


@myanswers.action
def change(turn: Turn) -> None:
    found = _hers(turn)
    if found is None or not _is_open(turn, found):
        return gone(turn)
    turn.start("responses.again", edition=found.edition_id or 0, replaces=found.id)


@myanswers.action
def readers(turn: Turn) -> None:
    found = _hers(turn)
    if found is None or not _is_open(turn, found):
        return gone(turn)
    turn.data = {"post": found.id}
    turn.ask(
        _("Who may see it? Now {who}.", who=SEEN_BY[found.seen_by]),
        choices=readers_of(turn.db, found.community_id, turn.now),
        then=chosen,
    )


@myanswers.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = responses.find_own(turn.db, turn.member.id, turn.data["post"])
    if found is None:
        return gone(turn)
    turn.start("readers.move", post=found.id, edition=found.edition_id or 0, seen_by=turn.choice)


@myanswers.action
def take_back(turn: Turn) -> None:
    found = _hers(turn)
    if found is None:
        return gone(turn)
    turn.data = {"post": found.id}
    turn.ask(
        _("Take your answer back? It is deleted here, and where phones allow it there too."),
        choices=(Choice("yes", _("Take it back")), CANCEL),
        then=confirm,
    )


@myanswers.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = responses.find_own(turn.db, turn.member.id, turn.data["post"])
    if found is None:
        return gone(turn)
    copies = turn.take_back(found.id, None, turn.member.id)
    responses.empty(turn.db, found.id)
    turn.say(_("Taken back."), *remaining(copies))


@myanswers.action
def gone(turn: Turn) -> None:
    """Taken back, hidden, of a group she has left, or never hers: all look alike."""
    turn.say(_("I do not find that answer any more."))


def _hers(turn: Turn) -> Response | None:
    found = responses.find_own(turn.db, turn.member.id, turn.argument)
    return None if found is None or not turn.sender.knows(found.created_at) else found


def _is_open(turn: Turn, found: Response) -> bool:
    """Whether she still takes part where it was asked."""
    edition_id = found.edition_id or 0
    return weekly.find_question(turn.db, turn.member.id, edition_id) is not None
