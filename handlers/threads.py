"""Threads: look at one, follow it, close it; the list of my questions."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _
from bot.posting import OUTCOMES, author
from bot.store import audit, communities, harvests, posts, proposals, threads
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.turn import Turn

SHOWN = 6  # posts of a thread in one look
LISTED = 8  # questions in one list
STORIES = 4  # heavy posts that can be opened from one look

STATES = {
    "asked": _("no answer yet"),
    "answered": _("answered"),
    "helped": _("helped"),
    "told": _("told how it turned out"),
    "harvest": _("notes of a session"),
    "reflection": _("a reflection"),
    "closed": _("closed"),
}

WITHOUT_OUTCOME = ("asked", "reflection")  # nothing has helped with it, or was to

threads_ = Conversation(
    "threads",
    command="questions",
    about=_("My questions"),
    words=N_("my questions, questions"),
)


@threads_.start
def start(turn: Turn) -> None:
    mine(turn)


@threads_.action
def mine(turn: Turn) -> None:
    """Behind her secret word, if she has one."""
    turn.start("secret.ask", then="threads.list_mine")


@threads_.action
def list_mine(turn: Turn) -> None:
    """An app that was linked later shows nothing from before."""
    since = turn.sender.linked_at
    found = threads.list_asked_by(turn.db, turn.member.id, LISTED, since)
    if not found:
        return turn.say(_("You have no questions here yet. Simply write one."))
    lines = [
        _(
            "{thread}, {state}: {question}",
            thread=thread.ref,
            state=STATES[thread.state],
            question=Ref("veiled" if thread.anonymous else "posts", post_id, 60),
        )
        for thread, post_id in found
    ]
    choices = [
        Choice(f"threads.show:{thread.id}", _("{thread}", thread=thread.ref))
        for thread, _post_id in found
    ]
    turn.say(_("Your questions:"), *lines, choices=choices)


@threads_.action
def show(turn: Turn) -> None:
    """One thread: the question, the latest answers, what can be done."""
    thread = _thread(turn)
    if thread is None:
        return gone(turn)
    if harvests.find_thread(turn.db, thread.id) is not None:
        turn.argument = thread.id
        return turn.start("harvest.show")
    drafted = proposals.find_by_thread(turn.db, thread.id)
    if drafted is not None:
        turn.argument = drafted
        return turn.start("drafting.show")
    shown = [each for each in posts.list_live(turn.db, thread.id, SHOWN) if each.kind != "outcome"]
    lines = [*_outcome(turn, thread), *(_line(thread, each) for each in shown)]
    head = _(
        "{thread} in {community}: {state}",
        thread=thread.ref,
        community=Ref("communities", thread.community_id),
        state=STATES[thread.state],
    )
    stories = _stories([post for post in shown if post.heavy])
    choices = [*stories, *_choices(turn, thread, heavy=bool(stories))]
    turn.say(head, *lines, choices=choices, subject=thread.ref)


def _line(thread: Thread, post: Post) -> Text:
    table = "veiled" if thread.anonymous else "posts"
    return _("{name}: {post}", name=author(thread, post), post=Ref(table, post.id))


def _outcome(turn: Turn, thread: Thread) -> list[Text]:
    """What came of it stands on top; that she has not tried it only if she wanted to say so."""
    if thread.outcome is None:
        return []
    post = posts.find_outcome(turn.db, thread.id)
    if thread.outcome == "not_tried" and post is None:
        return []
    lines = [_("What came of it: {came}", came=OUTCOMES[thread.outcome])]
    return lines if post is None else [*lines, _line(thread, post)]


def _stories(heavy: list[Post]) -> list[Choice]:
    """Heavy posts are opened one by one, the oldest first."""
    if len(heavy) == 1:
        return [Choice(f"heavy.read:{heavy[0].id}", _("Read the story"))]
    return [
        Choice(f"heavy.read:{post.id}", _("Read story {number}", number=number))
        for number, post in enumerate(heavy[:STORIES], 1)
    ]


def _choices(turn: Turn, thread: Thread, *, heavy: bool) -> list[Choice]:
    found = [Choice(f"answers.begin:{thread.id}", _("Answer"))]
    if turn.may_show_as_hers(thread):
        found[0] = Choice(f"answers.begin:{thread.id}", _("Add something"))
        if thread.outcome in (None, "not_tried") and thread.state not in WITHOUT_OUTCOME:
            found.append(Choice(f"outcomes.begin:{thread.id}", _("What came of it")))
    elif threads.is_followed(turn.db, thread, turn.member.id):
        found.append(Choice(f"threads.unfollow:{thread.id}", _("Stop following")))
    else:
        found.append(Choice(f"threads.follow:{thread.id}", _("Follow")))
    if thread.state != "closed" and _may_close(turn, thread):
        found.append(Choice(f"threads.close:{thread.id}", _("Close it")))
    discreet = communities.get(turn.db, thread.community_id).discreet
    open_ = thread.scope == "community" and thread.state != "reflection"
    if not discreet and not heavy and open_:
        found.append(Choice(f"share.card:{thread.id}", _("Share")))
    if turn.may_show_as_hers(thread):
        found.append(Choice(f"reached.show:{thread.id}", _("Who has it")))
    if _facilitates(turn, thread):
        found.append(Choice(f"moderation.begin:{thread.id}", _("Hide a post")))
        if thread.may_move:
            found.append(Choice(f"moderation.move:{thread.id}", _("Move it")))
    return found


@threads_.action
def follow(turn: Turn) -> None:
    thread = _thread(turn)
    if thread is None:
        return gone(turn)
    threads.follow(turn.db, thread, turn.member.id, turn.now)
    turn.say(
        _("You follow {thread} and get what comes there.", thread=thread.ref),
        choices=(Choice(f"threads.unfollow:{thread.id}", _("Stop following")),),
        subject=thread.ref,
    )


@threads_.action
def unfollow(turn: Turn) -> None:
    thread = _thread(turn)
    if thread is None:
        return gone(turn)
    threads.unfollow(turn.db, thread, turn.member.id, turn.now)
    turn.say(_("You do not follow {thread} any more.", thread=thread.ref))


@threads_.action
def close(turn: Turn) -> None:
    """The asker or a facilitator closes; it can still be read and answered."""
    thread = _thread(turn)
    if thread is None or not _may_close(turn, thread):
        return gone(turn)
    if thread.anonymous:
        return turn.start("nameless.close", thread=thread.id)
    if threads.mark_closed(turn.db, thread.id, turn.now):
        if thread.asker_id != turn.member.id:
            audit.add(
                turn.db,
                turn.member.id,
                "close",
                turn.now,
                community_id=thread.community_id,
                subject_id=thread.id,
            )
        turn.say(_("{thread} is closed. It can still be read.", thread=thread.ref))
    else:
        turn.say(_("{thread} was closed already.", thread=thread.ref))


def _may_close(turn: Turn, thread: Thread) -> bool:
    return turn.may_show_as_hers(thread) or _facilitates(turn, thread)


def _facilitates(turn: Turn, thread: Thread) -> bool:
    mine = communities.find_where(turn.db, turn.member.id, thread.community_id, "close", turn.now)
    return mine is not None


def _thread(turn: Turn) -> Thread | None:
    """By the button's number, or by what was quoted or typed."""
    thread_id = turn.argument or (turn.subject.id if turn.subject else 0)
    return turn.find_thread(thread_id)


@threads_.on("no_thread")
def no_thread(turn: Turn) -> None:
    turn.say(_("I find no question with this number in your groups."))


@threads_.action
def gone(turn: Turn) -> None:
    """Erased, moved, or never hers: all look alike."""
    turn.say(_("I do not find that question any more."))
