"""Opening: a draft becomes a thread, and its question goes to the peers."""

from __future__ import annotations

from bot import allowances, followups
from bot.conversation import Conversation
from bot.messages import Text, _
from bot.posting import question
from bot.store import communities, copies, posts, threads
from bot.store.audiences import Audience
from bot.store.communities import Membership
from bot.truth import reached
from bot.turn import Turn

opening = Conversation("opening")


@opening.action
def send(turn: Turn) -> None:
    """She chose Send; data has post and community."""
    community_id, post_id = turn.data["community"], turn.data["post"]
    membership = communities.find_membership(turn.db, turn.member.id, community_id)
    inside = membership is not None and membership.state in ("active", "waiting")
    if membership is None or not inside or not _may_ask(turn, membership):
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if membership.state == "waiting":
        posts.mark(turn.db, post_id, state="waiting", community_id=community_id)
        return turn.say(_("Your question is kept. It goes out as soon as you are welcomed."))
    if not allowances.take(turn.db, allowances.QUESTIONS, turn.member.id, turn.now):
        return turn.say(allowances.QUESTIONS.over, _("Nothing was sent."))
    scope = turn.data.get("scope", "community")
    turn.say(*_open(turn, post_id, turn.member.id, community_id, scope))


def _may_ask(turn: Turn, membership: Membership) -> bool:
    """Who waits to be welcomed asks then."""
    return not membership.is_active or membership.may("ask", turn.now)


@opening.action
def send_waiting(turn: Turn) -> None:
    """What a newcomer wrote before she was welcomed goes out now."""
    if "author" not in turn.data:
        return
    author_id, community_id = turn.data["author"], turn.data["community"]
    for post_id in posts.list_waiting(turn.db, author_id, community_id):
        said = _open(turn, post_id, author_id, community_id)
        turn.tell(Audience("member", author_id), *said, community_id=community_id)


@opening.action
def tell_again(turn: Turn) -> None:
    """A thread has come to another community: those there hear its question."""
    if "thread" not in turn.data:
        return
    thread = threads.get(turn.db, turn.data["thread"])
    post = posts.find(turn.db, threads.find_question(turn.db, thread.id) or 0)
    if post is None or post.state != "live":
        return
    if post.message_id is not None:  # who has not got it where it was need not get it any more
        copies.keep_back(turn.db, post.message_id, "moved")
    followups.keep_back(turn.db, thread.id)
    heard = posts.list_holders(turn.db, post)
    left_out = (turn.member.id, thread.asker_id or 0, *heard)
    audience = Audience("community", thread.community_id, but=left_out)
    message_id = turn.pass_on(thread, audience, question(thread, post))
    posts.mark(turn.db, post.id, message_id=message_id)


def _open(
    turn: Turn, post_id: int, author_id: int, community_id: int, scope: str = "community"
) -> list[Text]:
    """The truth about who gets it."""
    thread = threads.add(turn.db, community_id, author_id, turn.now, scope)
    post = posts.get(turn.db, post_id)
    peers = Audience(scope, community_id, but=(author_id,))
    message_id = turn.pass_on(thread, peers, question(thread, post))
    posts.mark(
        turn.db,
        post_id,
        state="live",
        thread_id=thread.id,
        community_id=community_id,
        message_id=message_id,
    )
    said = [_("Thank you. Your question has the number {thread}.", thread=thread.ref)]
    reach = turn.reach(peers)
    if reach.all == 0:
        said.append(_("Nobody can get it just now. Who comes later can still read and answer it."))
    return said + reached(reach)
