"""Share: a card about a thread, ready for the group chats people already have."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Ref, _
from bot.store import communities, lanes, posts, threads
from bot.turn import Turn

QUOTED = 140  # graphemes of the question

share = Conversation("share")


@share.action
def card(turn: Turn) -> None:
    """No name and no group; of a discreet community there is no card."""
    thread = turn.find_thread(turn.argument)
    question = None if thread is None else threads.find_question(turn.db, thread.id)
    if thread is not None and question is None:
        return turn.start("harvest.card")
    if thread is None or question is None:
        return turn.start("threads.gone")
    place = communities.get(turn.db, thread.community_id)
    post = posts.get(turn.db, question)
    stays = post.heavy or post.kind == "reflection"
    if place.discreet or thread.scope != "community" or stays:
        return turn.say(_("What is said there stays there, so there is no card."))
    links = lanes.list_links(turn.db, f"Q{thread.number}", turn.limits)
    turn.say(_("Send the next message on, where your peers are:"))
    turn.say(
        _("“{question}”", question=Ref("posts", question, QUOTED)),
        _("Do you know something about this? Your answer here reaches the one who asks:"),
        *(_("{link}", link=link) for link in links or [f"Q{thread.number}"]),
    )
