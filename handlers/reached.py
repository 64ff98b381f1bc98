"""Reached: who asked or announced something sees where it stands: how many have it, never who."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.store import communities, posts, standing, threads
from bot.store.posts import Post
from bot.truth import stands
from bot.turn import Turn

LISTED = 8  # questions to choose from
LATELY = timedelta(days=30)  # an older announcement is not asked about any more

reached = Conversation("reached", words=N_("who has it, who got it, reached"))


@reached.start
def start(turn: Turn) -> None:
    """Behind her secret word, like the list of her questions."""
    turn.start("secret.ask", then="reached.list_mine")


@reached.action
def list_mine(turn: Turn) -> None:
    """Which of hers? If there is one, that."""
    found = threads.list_asked_by(turn.db, turn.member.id, LISTED, turn.sender.linked_at)
    choices = [
        Choice(f"reached.show:{thread.id}", _("{thread}", thread=thread.ref))
        for thread, _post_id in found
    ]
    since = max(turn.now - LATELY, turn.sender.linked_at or turn.now - LATELY)
    announced = standing.find_announcement(turn.db, turn.member.id, since)
    if announced is not None:
        choices.append(Choice(f"reached.announcement:{announced}", _("My announcement")))
    if not choices:
        return turn.say(_("You have no questions here yet. Simply write one."))
    if len(choices) > 1:
        return turn.say(_("About which one?"), choices=choices)
    name, _colon, argument = choices[0].key.partition(":")
    turn.argument = int(argument)
    turn.start(name)


@reached.action
def show(turn: Turn) -> None:
    """Where her question stands; of somebody else's nobody learns it, facilitators neither."""
    thread = turn.find_thread(turn.argument)
    if thread is None or not turn.may_show_as_hers(thread):
        return turn.start("threads.gone")
    post = posts.find(turn.db, threads.find_question(turn.db, thread.id) or 0)
    head = _("{thread}, at this moment:", thread=thread.ref)
    _say(turn, post, head)


@reached.action
def announcement(turn: Turn) -> None:
    post = posts.find(turn.db, turn.argument)
    if post is None or post.author_id != turn.member.id:
        return turn.conversations.events["stale"](turn)
    _say(turn, post, _("Your announcement, at this moment:"))


def _say(turn: Turn, post: Post | None, head: Text) -> None:
    if post is None or post.message_id is None or post.state == "hidden":
        return turn.say(head, _("It was taken back already."))
    telling = {lane for lane, each in turn.limits.items() if each.receipts}
    found = standing.count(turn.db, post.message_id, turn.member.id, telling, turn.now)
    place = communities.get(turn.db, post.community_id) if post.community_id else None
    open_ = place is not None and not place.discreet and not found.names_readers
    turn.say(head, *stands(found, readers=open_))
