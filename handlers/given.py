"""Given: what members answered to weekly questions, for the facilitators of their community."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.desk import note
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.store import audit, communities, posts, responses
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.responses import FACILITATORS, Response
from bot.truth import remaining
from bot.turn import Turn

LISTED = 6  # answers in one list
LINE = 120  # graphemes of each

READ = "responses.read"  # in the audit: each look at what was given to few

given = Conversation("given")


@given.action
def show(turn: Turn) -> None:
    """The latest in a community."""
    community = _mine(turn, turn.argument)
    if community is not None:
        _list(turn, community, 0)


@given.action
def older(turn: Turn) -> None:
    """Those before the one of the button."""
    found = responses.find_given(turn.db, turn.argument)
    community = None if found is None else _mine(turn, found.community_id)
    if found is None:
        return gone(turn)
    if community is not None:
        _list(turn, community, found.id)


def _mine(turn: Turn, community_id: int) -> Community | None:
    found = communities.find_where(turn.db, turn.member.id, community_id, "responses", turn.now)
    if found is None:
        turn.start("facilitate.refuse", community=community_id)
    return found


def _list(turn: Turn, community: Community, before: int) -> None:
    found = responses.list_given(turn.db, community.id, LISTED + 1, before)
    if not found:
        return turn.say(
            _("No answer to a weekly question waits for you here."),
        )
    note(turn, READ, community.id)
    shown = found[:LISTED]
    choices = [
        Choice(f"given.read:{each.id}", _("Answer {number}", number=number))
        for number, each in enumerate(shown, 1)
    ]
    if len(found) > LISTED:
        choices.append(Choice(f"given.older:{shown[-1].id}", _("Earlier ones")))
    turn.say(
        _("Answers to the weekly questions in {community}:", community=community.ref),
        *(_line(number, each) for number, each in enumerate(shown, 1)),
        choices=choices,
    )


def _line(number: int, response: Response) -> Text:
    words = {
        "number": number,
        "name": Ref("members", response.author_id or 0),
        "post": Ref("posts", response.id, LINE),
    }
    if response.seen_by == FACILITATORS:
        return _("{number}. {name}, only for facilitators: {post}", **words)
    return _("{number}. {name}: {post}", **words)


@given.action
def read(turn: Turn) -> None:
    """One of them in full, the question above it."""
    found = _given(turn, turn.argument)
    if found is None:
        return
    note(turn, READ, found.community_id, found.id)
    asked = [] if found.content_id is None else [Ref("contents", found.content_id)]
    readers = (
        _("Only facilitators read it.")
        if found.seen_by == FACILITATORS
        else _("The whole group may read it.")
    )
    name = Ref("members", found.author_id or 0)
    turn.say(
        *(_("{question}", question=each) for each in asked),
        _("{name}: {post}", name=name, post=Ref("posts", found.id)),
        readers,
        choices=(Choice(f"given.hide:{found.id}", _("Hide it")),),
    )


def _given(turn: Turn, post_id: int) -> Response | None:
    """The answer, if it still stands where she facilitates; else she hears that it does not."""
    found = responses.find_given(turn.db, post_id)
    if found is None:
        gone(turn)
    elif _mine(turn, found.community_id) is not None:
        return found
    return None


@given.action
def hide(turn: Turn) -> None:
    found = _given(turn, turn.argument)
    if found is None:
        return
    turn.data = {"post": found.id}
    turn.ask(
        _("Hide this answer? Nobody reads it here any more; the one who wrote it hears of it."),
        choices=(Choice("hide", _("Hide it")), CANCEL),
        then=confirm,
    )


@given.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _given(turn, turn.data["post"])
    if found is None:
        return
    copies = turn.take_back(found.id, None, found.author_id or 0)
    posts.hide(turn.db, found.id)
    audit.add(
        turn.db,
        turn.member.id,
        "hide",
        turn.now,
        community_id=found.community_id,
        subject_id=found.id,
    )
    if found.author_id not in (None, turn.member.id):
        turn.tell(
            Audience("member", found.author_id or 0),
            _("A facilitator has hidden your answer to a weekly question: nobody reads it here."),
            _("Phones that have it already may keep it. You can ask the facilitator about it."),
            community_id=found.community_id,
            once=f"response_hidden/{found.id}",
        )
    turn.say(_("Hidden."), *remaining(copies))


@given.action
def gone(turn: Turn) -> None:
    turn.say(_("I do not find that answer any more."))
