"""Moderation: a facilitator hides a post, refers it to the focal point, or moves a thread."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.hiding import CHOICES, REASONS, WHY
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.posting import author, hearers
from bot.store import audit, communities, posts, threads
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.truth import remaining
from bot.turn import Turn

LISTED = 6  # posts to choose from

moderation = Conversation("moderation")


# Hiding -----------------------------------------------------------------------------------------


@moderation.action
def begin(turn: Turn) -> None:
    """Which of the posts of a thread it is about."""
    thread = _mine(turn, turn.argument)
    if thread is None:
        return turn.start("threads.gone")
    found = posts.list_live(turn.db, thread.id, LISTED)
    if not found:
        return turn.start("threads.gone")
    if len(found) == 1:
        return _ask_why(turn, found[0].id)
    lines = [
        _(
            "{number}. {name}: {post}",
            number=number,
            name=author(thread, each),
            post=Ref("posts", each.id, 60),
        )
        for number, each in enumerate(found, 1)
    ]
    choices = [
        Choice(f"post:{each.id}", _("Post {number}", number=number))
        for number, each in enumerate(found, 1)
    ]
    turn.ask(_("Which one shall be hidden?"), *lines, choices=[*choices, CANCEL], then=post)


@moderation.step
def post(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    _ask_why(turn, int(turn.chosen))


def _ask_why(turn: Turn, post_id: int) -> None:
    turn.data = {"post": post_id}
    turn.ask(WHY, choices=CHOICES, then=why)


@moderation.step
def why(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _post(turn)
    if found is None:
        return turn.start("threads.gone")
    turn.data["reason"] = turn.choice
    choices = [Choice("hide", _("Hide it"))]
    if communities.has_focal_point(turn.db, found[1].community_id):
        choices.append(Choice("refer", _("Hide and refer")))
    turn.ask(
        _("{post}", post=Ref("stories", found[0].id, 200)),
        _(
            "Hide it from the thread? To refer it means that the safeguarding focal point, "
            "and nobody else, gets it to look into."
        )
        if len(choices) > 1
        else _("Hide it from the thread?"),
        choices=[*choices, CANCEL],
        then=confirm,
    )


@moderation.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _post(turn)
    if found is None:
        return turn.start("threads.gone")
    hidden, thread = found
    if not posts.hide(turn.db, hidden.id):
        return turn.say(_("It was hidden already."))
    audit.add(
        turn.db,
        turn.member.id,
        turn.choice or "hide",  # or refer
        turn.now,
        community_id=thread.community_id,
        subject_id=hidden.id,
    )
    if turn.choice == "refer":
        _refer(turn, hidden, thread)
    _hide(turn, hidden, thread)


def _hide(turn: Turn, hidden: Post, thread: Thread) -> None:
    copies = turn.take_back(hidden.id, hidden.message_id, hidden.author_id or 0)
    said = [_("Hidden."), *remaining(copies)]
    if thread.anonymous:
        said.append(_("Who looked at the thread again may have it there too: that is not noted."))
    if hidden.kind in ("question", "reflection"):
        threads.mark_closed(turn.db, thread.id, turn.now)
    else:
        threads.mark_unanswered(turn.db, thread.id)
    _tell_author(turn, hidden, thread)
    if turn.choice == "refer":
        said.append(_referred(turn, thread))
    turn.say(*said)


def _tell_author(turn: Turn, hidden: Post, thread: Thread) -> None:
    """Of words without a name all are told: who alone heard of it would be the one who asked."""
    why: dict[str, object] = {"thread": thread.ref, "reason": REASONS[turn.data["reason"]]}
    said = _("A facilitator has hidden what you wrote in {thread}. The reason: {reason}.", **why)
    audience = Audience("member", hidden.author_id or 0)
    if thread.anonymous and hidden.author_id is None:
        said = _(
            "A facilitator has hidden something in {thread} that was written without a name. "
            "The reason: {reason}.",
            **why,
        )
        audience = hearers(thread, turn.member.id)
    elif hidden.author_id in (None, turn.member.id):
        return
    turn.tell(
        audience,
        said,
        _("Phones that have it already may keep it. You can ask the facilitator about it."),
        community_id=thread.community_id,
    )


def _referred(turn: Turn, thread: Thread) -> Text:
    reach = turn.reach(Audience("focal_points", thread.community_id))
    if reach.now or reach.noticed:
        return _("The focal point has it now.")
    return _("The focal point gets it after writing here again. If it cannot wait, please call.")


def _refer(turn: Turn, hidden: Post, thread: Thread) -> None:
    turn.tell(
        Audience("focal_points", thread.community_id),
        _(
            "{name} refers this to you, from {thread} in {community}. The reason: {reason}.",
            name=Ref("members", turn.member.id),
            thread=thread.ref,
            community=Ref("communities", thread.community_id),
            reason=REASONS[turn.data["reason"]],
        ),
        _(
            "{name} wrote: {post}",
            name=author(thread, hidden),
            post=Ref("referred", hidden.id),
        ),
        kind="safety",
        community_id=thread.community_id,
        once=f"referred/{hidden.id}",
    )


def _post(turn: Turn) -> tuple[Post, Thread] | None:
    """The post she chose, if it still stands where she facilitates."""
    found = posts.find(turn.db, turn.data["post"])
    if found is None or found.thread_id is None:
        return None
    thread = _mine(turn, found.thread_id)
    return None if thread is None else (found, thread)


def _mine(turn: Turn, thread_id: int) -> Thread | None:
    thread = turn.find_thread(thread_id)
    if thread is None:
        return None
    place = communities.find_where(turn.db, turn.member.id, thread.community_id, "hide", turn.now)
    return None if place is None else thread


# Moving -----------------------------------------------------------------------------------------


@moderation.action
def move(turn: Turn) -> None:
    """To another community that she facilitates too and where the asker is a member."""
    thread = _mine(turn, turn.argument)
    if thread is None or not thread.may_move:
        return turn.start("threads.gone")
    places = _places(turn, thread)
    if not places:
        return turn.say(
            _(
                "{thread} cannot be moved: there is no other group that you facilitate "
                "and where the one who asked is a member.",
                thread=thread.ref,
            )
        )
    turn.data = {"thread": thread.id}
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    choices = [Choice(f"community:{each.id}", labels[each.id]) for each in places]
    turn.ask(
        _("Where shall {thread} be?", thread=thread.ref),
        choices=[*choices, CANCEL],
        then=place,
    )


def _places(turn: Turn, thread: Thread) -> list[Community]:
    """Never out of a discreet community into an open one: the asker trusted its walls."""
    here = communities.get(turn.db, thread.community_id)
    hers = {
        each.community.id
        for each in communities.list_of(turn.db, thread.asker_id or 0)
        if each.is_active
    }
    return [
        each
        for each in communities.list_where(turn.db, turn.member.id, "move", turn.now)
        if each.id != here.id and each.id in hers and (each.discreet or not here.discreet)
    ]


@moderation.step
def place(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    thread = _mine(turn, turn.data["thread"])
    if thread is None or not thread.may_move:
        return turn.start("threads.gone")
    there = next((each for each in _places(turn, thread) if each.id == int(turn.chosen)), None)
    if there is None:
        return turn.start("threads.gone")
    threads.move(turn.db, thread.id, there.id)
    audit.add(
        turn.db, turn.member.id, "move", turn.now, community_id=there.id, subject_id=thread.id
    )
    if thread.asker_id not in (None, turn.member.id):
        turn.tell(
            Audience("member", thread.asker_id or 0),
            _(
                "Your question {thread} is in {community} now; it fits better there.",
                thread=thread.ref,
                community=there.ref,
            ),
            community_id=there.id,
        )
    turn.say(_("{thread} is in {community} now.", thread=thread.ref, community=there.ref))
    turn.start("opening.tell_again", thread=thread.id)
