"""Ask: a question goes to the peers of a community."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation, Turn
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.scheduler import job
from bot.smalltalk import has_words, is_agreement, is_small
from bot.store import communities, messages, posts, threads
from bot.store.communities import Community, Membership
from bot.store.messages import Audience, Reach
from bot.store.threads import Thread

BURST = timedelta(seconds=3)  # people write in bursts: the preview waits for the next bubble
NOTE_AGAIN = timedelta(seconds=20)  # what is added later is confirmed at most so often
DRAFTS_LAST = timedelta(days=7)

ask = Conversation(
    "ask",
    command="ask",
    about=_("Ask your peers a question"),
    words=N_("ask, question, ask a question"),
)


@ask.start
def start(turn: Turn) -> None:
    if not _memberships(turn):
        return
    turn.ask(
        _("What would you like to ask? Write it in your own words, in one message or several."),
        then=question,
    )


@ask.step
def question(turn: Turn) -> None:
    if is_small(turn.text, turn.files) or (turn.text and not has_words(turn.text)):
        return turn.again(_("Please say a little more, so that others can help."))
    _draft(turn)


def _need_words(turn: Turn) -> None:
    turn.ask(
        _(
            "I have kept it, but I cannot pass on recordings and pictures yet. "
            "Please write your question in a few words."
        ),
        then=question,
    )


def _memberships(turn: Turn) -> list[Membership]:
    found = communities.list_of(turn.db, turn.member.id)
    if not found:
        turn.say(_("With an invite code you can join a group, and then ask there."))
    return found


@ask.action
def draft(turn: Turn) -> None:
    """Somebody simply wrote, and it can only be a question; or she said that it is one."""
    if not _memberships(turn):
        return
    if "post" not in turn.data:
        return _draft(turn)
    _choose_community(turn, after=timedelta(0))


def _draft(turn: Turn) -> None:
    turn.data = {
        "post": posts.keep(
            turn.db, turn.data.get("post"), turn.member.id, turn.content, turn.now, kind="question"
        )
    }
    if not turn.text:
        return _need_words(turn)
    _choose_community(turn, after=BURST)


def _choose_community(turn: Turn, after: timedelta) -> None:
    found = _memberships(turn)
    if not found:
        return
    if len(found) == 1:
        return _preview(turn, found[0].community, after)
    choices = [
        Choice(f"community:{each.community.id}", _group_label(number, each.community))
        for number, each in enumerate(found, 1)
    ]
    choices.append(Choice("cancel", _("Cancel")))
    turn.ask(
        _("Which group shall see it?"), choices=choices, then=community, free=True, after=after
    )


def _group_label(number: int, community: Community) -> Text:
    if community.discreet:
        return _("Group {number}", number=number)
    return _("{community}", community=community.ref)


@ask.step
def community(turn: Turn) -> None:
    if turn.choice is None:
        return _add_to_draft(turn)
    if turn.choice == "cancel":
        return _drop(turn)
    _preview(turn, communities.get(turn.db, int(turn.chosen)), timedelta(0))


def _preview(turn: Turn, where: Community, after: timedelta) -> None:
    turn.data["community"] = where.id
    post_id = turn.data["post"]
    peers = turn.reach(_peers(where.id, turn.member.id)).all
    me = Ref("members", turn.member.id)
    about = _n(
        "It goes to {n} peer in {community}, with your name: {name}.",
        "It goes to {n} peers in {community}, with your name: {name}.",
        n=peers,
        community=where.ref,
        name=me,
    )
    if peers == 0:
        about = _(
            "Nobody else is in {community} just now. It waits there, with your name: {name}.",
            community=where.ref,
            name=me,
        )
    turn.ask(
        _("Your question:"),
        _("{post}", post=Ref("posts", post_id)),
        about,
        choices=(
            Choice("send", _("Send")),
            Choice("change", _("Change")),
            Choice("cancel", _("Cancel")),
        ),
        then=confirm,
        free=True,
        after=after,
    )


@ask.step
def confirm(turn: Turn) -> None:
    if turn.choice is None:
        return _add_to_draft(turn)
    if turn.choice == "cancel":
        return _drop(turn)
    if turn.choice == "change":
        posts.remove(turn.db, turn.data["post"])
        turn.data = {}
        return turn.ask(_("Please write it again, as you would like it."), then=question)
    _send(turn)


def _add_to_draft(turn: Turn) -> None:
    """A further bubble before the question about the draft is answered."""
    if is_agreement(turn.text):
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if not is_small(turn.text, turn.files):
        posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
        waiting = turn.talk.message_id if turn.talk else None
        unseen = waiting is not None and messages.postpone(turn.db, waiting, turn.now + BURST)
        if not unseen:
            _note_addition(turn)
    turn.wait()


def _note_addition(turn: Turn) -> None:
    """The preview has been shown without it: say so, once for a burst."""
    noted = turn.data.get("noted")
    if noted is None or datetime.fromisoformat(noted) < turn.now - NOTE_AGAIN:
        turn.data["noted"] = turn.now.isoformat()
        turn.say(_("Added to your question. All of it goes out when you choose Send."), after=BURST)


def _drop(turn: Turn) -> None:
    posts.remove(turn.db, turn.data["post"])
    turn.say(_("Cancelled. Nothing was sent."))


# Sending ---------------------------------------------------------------------------------------


def _send(turn: Turn) -> None:
    community_id, post_id = turn.data["community"], turn.data["post"]
    membership = communities.find_membership(turn.db, turn.member.id, community_id)
    if membership is None or membership.state not in ("active", "waiting"):
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if membership.state == "waiting":
        posts.mark(turn.db, post_id, state="waiting", community_id=community_id)
        return turn.say(_("Your question is kept. It goes out as soon as you are welcomed."))
    thread, reach = _open(turn, post_id, turn.member.id, community_id)
    turn.say(*_sent(thread, reach))


def _open(turn: Turn, post_id: int, author_id: int, community_id: int) -> tuple[Thread, Reach]:
    """The draft becomes a thread, and its question goes to the peers."""
    thread = threads.add(turn.db, community_id, author_id, turn.now)
    peers = _peers(community_id, author_id)
    message_id = turn.tell(
        peers,
        _("{post}", post=Ref("posts", post_id)),
        _(
            "{name} asks in {community} ({thread})",
            name=Ref("members", author_id),
            community=Ref("communities", community_id),
            thread=thread.ref,
        ),
        hint=_(
            "To answer, reply to this message, or write {number} and your answer.",
            number=thread.number,
        ),
        choices=(
            Choice(f"answers.begin:{thread.id}", _("Answer")),
            Choice(f"threads.follow:{thread.id}", _("Follow")),
        ),
        subject=thread.ref,
        community_id=community_id,
    )
    posts.mark(
        turn.db,
        post_id,
        state="live",
        thread_id=thread.id,
        community_id=community_id,
        message_id=message_id,
    )
    return thread, turn.reach(peers)


def _sent(thread: Thread, reach: Reach) -> list[Text]:
    """The truth: how many get it now, how many later, how many not at all."""
    said = [_("Thank you. Your question has the number {thread}.", thread=thread.ref)]
    if reach.all == 0:
        said.append(_("Nobody can get it just now. Who comes later can still read and answer it."))
    if reach.now:
        said.append(_n("{n} peer gets it now.", "{n} peers get it now.", n=reach.now))
    if reach.later:
        said.append(
            _n(
                "{n} peer gets it after writing here again.",
                "{n} peers get it after writing here again.",
                n=reach.later,
            )
        )
    if reach.never:
        said.append(
            _n(
                "{n} peer cannot be reached at the moment.",
                "{n} peers cannot be reached at the moment.",
                n=reach.never,
            )
        )
    return said


def _peers(community_id: int, author_id: int) -> Audience:
    return Audience("community", community_id, but=(author_id,))


@ask.action
def send_waiting(turn: Turn) -> None:
    """What a newcomer wrote before she was welcomed goes out now."""
    if "author" not in turn.data:
        return
    author_id, community_id = turn.data["author"], turn.data["community"]
    for post_id in posts.list_waiting(turn.db, author_id, community_id):
        thread, reach = _open(turn, post_id, author_id, community_id)
        turn.tell(Audience("member", author_id), *_sent(thread, reach))


@job(every=timedelta(hours=6))
def forget_drafts(db: Connection, now: datetime) -> dict[str, int]:
    """Drafts that were never sent are not kept."""
    return {"drafts": posts.remove_drafts(db, now - DRAFTS_LAST)}
