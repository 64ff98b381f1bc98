"""What came of it: who asked tells how it turned out, those who helped and who follow hear it."""

from __future__ import annotations

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _, _n
from bot.offers import CANCEL, CHANGE, SEND, came_of
from bot.posting import DRAFT_GONE, NOT_PASSED_ON, hearers, outcome, outcome_for_helper
from bot.smalltalk import can_be_passed_on, is_agreement, is_small
from bot.store import outcomes, posts
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.turn import BURST, Turn

outcomes_ = Conversation("outcomes")


@outcomes_.action
def begin(turn: Turn) -> None:
    """[What came of it], from a look at her question."""
    thread = _hers(turn, turn.argument)
    if thread is None:
        return turn.start("threads.gone")
    if _is_told(thread):
        return _told_before(turn, thread)
    turn.say(
        _("{thread}: did you try it? What came of it?", thread=thread.ref),
        choices=came_of(thread.id),
        subject=thread.ref,
    )


@outcomes_.action
def worked(turn: Turn) -> None:
    _came(turn, "worked")


@outcomes_.action
def partly(turn: Turn) -> None:
    _came(turn, "partly")


@outcomes_.action
def not_tried(turn: Turn) -> None:
    _came(turn, "not_tried")


def _hers(turn: Turn, thread_id: int) -> Thread | None:
    """Only who asked tells; without her name only where that may be seen."""
    thread = turn.find_thread(thread_id)
    return thread if thread is not None and turn.may_show_as_hers(thread) else None


def _is_told(thread: Thread) -> bool:
    return thread.outcome in ("worked", "partly")


def _told_before(turn: Turn, thread: Thread) -> None:
    turn.say(
        _("What came of {thread} is told already. You can still add something.", thread=thread.ref),
        choices=(Choice(f"answers.begin:{thread.id}", _("Add something")),),
    )


def _came(turn: Turn, came: str) -> None:
    thread = _hers(turn, turn.argument)
    if thread is None:
        return turn.start("threads.gone")
    if _is_told(thread):
        return _told_before(turn, thread)
    turn.data = {"thread": thread.id, "came": came}
    _ask_sentence(turn, thread)


def _ask_sentence(turn: Turn, thread: Thread, *before: Text) -> None:
    wanted = _wanted(turn.data["came"], thread)
    turn.ask(*before, wanted, choices=(Choice("skip", _("Skip")),), then=sentence, free=True)


def _wanted(came: str, thread: Thread) -> Text:
    if came == "worked":
        return _(
            "Good to hear! In one sentence: what did you do, and what came of it? "
            "It stands on top of {thread} for others.",
            thread=thread.ref,
        )
    if came == "partly":
        return _(
            "Thank you. In one sentence: what worked, and what did not? "
            "It stands on top of {thread} for others.",
            thread=thread.ref,
        )
    return _(
        "That is fine. If you like, say in one sentence what came in between; "
        "or skip, and nobody hears of it."
    )


@outcomes_.step
def sentence(turn: Turn) -> None:
    """A sentence, or [Skip]."""
    thread = _hers(turn, turn.data["thread"])
    if thread is None:
        return turn.start("threads.gone")
    if turn.choice == "skip":
        posts.remove(turn.db, turn.data.get("post", 0))
        return _finish(turn, thread, None)
    if turn.inbound.forwarded:
        own = _("You forwarded this. Please say it in your own words, or choose Skip.")
        return _ask_sentence(turn, thread, own)
    if is_small(turn.text, turn.files):
        return _ask_sentence(turn, thread)
    begun = turn.data.get("post")
    if begun is not None and not posts.is_draft_of(turn.db, begun, turn.member.id):
        return turn.say(DRAFT_GONE)
    # The draft looks like that of an answer: of a question without a name it must not tell.
    post_id = posts.keep(turn.db, begun, turn.member.id, turn.content, turn.now, kind="answer")
    turn.data["post"] = post_id
    if not can_be_passed_on(turn.text, turn.files):
        return _ask_sentence(turn, thread, NOT_PASSED_ON)
    if thread.anonymous or _is_told(thread):
        return _finish(turn, thread, post_id)
    _preview(turn, thread)


def _preview(turn: Turn, thread: Thread) -> None:
    """The question may stand there for days: what she writes then is perhaps no answer to it."""
    helpers, others = _hearers(turn, thread)
    about: dict[str, object] = {"thread": thread.ref, "name": Ref("members", turn.member.id)}
    heard = turn.reach(others).all + len(helpers)
    who = _n(
        "It stands on top of {thread}, and {n} person hears of it, with your name: {name}.",
        "It stands on top of {thread}, and {n} people hear of it, with your name: {name}.",
        n=heard,
        **about,
    )
    turn.ask(
        _("What you add to {thread}:", thread=thread.ref),
        _("{post}", post=Ref("posts", turn.data["post"])),
        who if heard else _("It stands on top of {thread}, with your name: {name}.", **about),
        choices=(SEND, CHANGE, CANCEL),
        then=confirm,
        free=True,
        after=BURST,
    )


@outcomes_.step
def confirm(turn: Turn) -> None:
    thread = _hers(turn, turn.data["thread"])
    if thread is None:
        return turn.start("threads.gone")
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return _add_to_draft(turn, thread)
    if turn.choice == "send":
        return _finish(turn, thread, turn.data["post"])
    posts.remove(turn.db, turn.data.pop("post"))
    if turn.choice == "change":
        return _ask_sentence(turn, thread)
    turn.say(_("Cancelled. Nothing was sent."))


def _add_to_draft(turn: Turn, thread: Thread) -> None:
    """A further bubble belongs to it, and is in the preview before it goes out."""
    if is_agreement(turn.text) or turn.inbound.forwarded:
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if is_small(turn.text, turn.files):
        return turn.wait()
    posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
    if turn.postpone():
        return turn.wait()
    _preview(turn, thread)


def _finish(turn: Turn, thread: Thread, post_id: int | None) -> None:
    came = turn.data["came"]
    if _is_told(thread):  # in another app, or by another of her taps
        posts.remove(turn.db, post_id or 0)
        return _told_before(turn, thread)
    if came == "not_tried" and post_id is None:
        return _nothing_yet(turn, thread)
    if thread.anonymous:
        words = {} if post_id is None else {"post": post_id}
        return turn.start("nameless.outcome", thread=thread.id, came=came, **words)
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    outcomes.mark(turn.db, thread.id, came)
    post = None if post_id is None else posts.get(turn.db, post_id)
    _tell(turn, thread, came, post)


def _nothing_yet(turn: Turn, thread: Thread) -> None:
    """Nobody hears of it; it is only noted where that names nobody."""
    if not thread.anonymous:
        outcomes.mark(turn.db, thread.id, "not_tried")
    turn.say(
        _(
            "All right. When you have tried it, write {number} and choose What came of it.",
            number=thread.number,
        )
    )


def _tell(turn: Turn, thread: Thread, came: str, post: Post | None) -> None:
    """Those whose answers helped hear that; the others who follow hear what came of it."""
    helpers, others = _hearers(turn, thread)
    told = [turn.pass_on(thread, others, outcome(thread, came, post))]
    for helper in helpers:
        message = outcome_for_helper(thread, came, post)
        told.append(turn.pass_on(thread, Audience("member", helper), message))
    heard = turn.reach(others).all
    if post is not None:
        posts.mark(
            turn.db,
            post.id,
            kind="outcome",
            state="live",
            thread_id=thread.id,
            community_id=thread.community_id,
            message_id=told[0] if heard else told[-1],
        )
    many = heard + len(helpers)
    if not many:
        return turn.say(_("Thank you. It stands on top of {thread}.", thread=thread.ref))
    turn.say(
        _n(
            "Thank you. It stands on top of {thread}, and {n} person hears of it.",
            "Thank you. It stands on top of {thread}, and {n} people hear of it.",
            n=many,
            thread=thread.ref,
        )
    )


def _hearers(turn: Turn, thread: Thread) -> tuple[list[int], Audience]:
    """Those whose answers helped, and the others who follow it."""
    helpers = [id_ for id_ in posts.list_helpers(turn.db, thread.id) if id_ != turn.member.id]
    return helpers, hearers(thread, turn.member.id, *helpers)
