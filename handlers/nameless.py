"""Asking without a name: words and acts are held for a short random time, then passed on.

What the asker does in her own thread and what others do there take the same way, so that neither
the moment nor what is kept tells who she is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import allowances, posting
from bot.conversation import Conversation
from bot.envelopes import opens
from bot.messages import Choice, Message, Ref, _
from bot.nameless import LONGEST, TELLING, hold, tells_by_sight, tells_who
from bot.offers import ANYWAY, AS_IT_IS, CANCEL, SEND, WRITE_INSTEAD
from bot.store import communities, envelopes, media, members, outcomes, posts, threads
from bot.store.audiences import Audience
from bot.store.posts import Bubble
from bot.store.threads import Thread
from bot.telling import tell
from bot.timing import coarse
from bot.turn import BURST, Turn

MINUTES = int(LONGEST.total_seconds()) // 60

nameless = Conversation("nameless")


# First, what a voice tells -----------------------------------------------------------------------


@nameless.action
def check(turn: Turn) -> None:
    """A voice needs no name to be known; data has the post, and the action that comes `then`."""
    kinds = {each.kind for each in posts.list_bubbles(turn.db, turn.data["post"])}
    told = tells_by_sight(kinds)
    if not told:
        return turn.start(turn.data.pop("then"), **turn.data)
    turn.ask(
        *told,
        AS_IT_IS,
        choices=(ANYWAY, WRITE_INSTEAD),
        then=sure,
    )


@nameless.step
def sure(turn: Turn) -> None:
    post_id, then = turn.data["post"], turn.data.pop("then")
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(posting.DRAFT_GONE)
    if turn.choice == "anyway":
        return turn.start(then, **turn.data)
    asks = then == "nameless.ask"
    if posts.drop_files(turn.db, post_id):  # her words are there already
        return turn.start("ask.draft" if asks else "nameless.reply", **turn.data)
    posts.remove(turn.db, post_id)
    if asks:
        return turn.start("ask.again", way="nameless")
    turn.argument = turn.data["thread"]
    turn.start("answers.begin")


# A question -------------------------------------------------------------------------------------


@nameless.action
def ask(turn: Turn) -> None:
    """She chose Send; data has post and community."""
    membership = communities.find_membership(turn.db, turn.member.id, turn.data["community"])
    if membership is None or not membership.may("ask", turn.now):
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if not allowances.take(turn.db, allowances.QUESTIONS, turn.member.id, turn.now):
        return turn.say(allowances.QUESTIONS.over, _("Nothing was sent."))
    mark = secrets.randbelow(10**9)  # so that [Do not send it] means this one
    _hold(turn, "question", community=membership.community.id, mark=mark)
    hears = membership.pace not in ("concerns", "muted")  # no exception, since it would tell
    turn.say(
        _(
            "Thank you. Your question goes out without your name at some moment in the next "
            "{n} minutes.",
            n=MINUTES,
        ),
        _("It comes to you like to everybody else, and so do the answers.")
        if hears
        else _("You wanted less of this group: you find the answers under My questions."),
        choices=(Choice(f"nameless.undo:{mark}", _("Do not send it")),),
    )


def _hold(turn: Turn, kind: str, **content: Any) -> None:
    """Put her draft into an envelope; nothing else remembers that it was hers."""
    post_id = turn.data["post"]
    words = [_to_json(turn.db, each) for each in posts.list_bubbles(turn.db, post_id)]
    posts.remove(turn.db, post_id)
    heavy = bool(turn.data.get("heavy"))
    sealed = {"kind": kind, "member": turn.member.id, "heavy": heavy, "bubbles": words, **content}
    hold(turn.db, sealed, turn.now)


def _to_json(db: Connection, bubble: Bubble) -> dict[str, Any]:
    key = None if bubble.key is None else bubble.key.hex()
    words = {"kind": bubble.kind, "text": bubble.text, "forwarded": bubble.forwarded, "key": key}
    return words | {"media": media.take_out(db, bubble.media_id)}


def _from_json(db: Connection, stored: Mapping[str, Any], now: datetime) -> Bubble:
    key = None if stored["key"] is None else bytes.fromhex(stored["key"])
    file = media.put_back(db, stored.get("media"), now)  # older envelopes know of none
    return Bubble(stored["kind"], stored["text"], file, stored["forwarded"], key)


@nameless.action
def undo(turn: Turn) -> None:
    """If it is still held, it does not go out."""
    for id_, _due_at, content in envelopes.list_of(turn.db, turn.member.id):
        if content.get("mark") == turn.argument and envelopes.remove(turn.db, id_):
            media.drop_held(turn.db, content, coarse(turn.now))
            return turn.say(_("All right, nothing was sent."))
    turn.say(_("Nothing waits to go out any more."))


@nameless.action
def edit(turn: Turn) -> None:
    """A bubble that was changed may still be held."""
    keys = [each.hex() for each in posts.keys_of(turn.inbound.lane, turn.inbound.id or "")]
    for id_, _due_at, content in envelopes.list_of(turn.db, turn.member.id):
        for bubble in content.get("bubbles", ()):
            if bubble["key"] in keys and bubble["text"] != turn.text:
                bubble["text"] = turn.text
                envelopes.change(turn.db, id_, content)
                turn.say(_("Your change is saved."))


@opens("question")
def open_question(db: Connection, now: datetime, key: str, content: Mapping[str, Any]) -> None:
    """If she is still in that group."""
    place = communities.find_membership(db, content["member"], content["community"])
    if place is None or not place.is_active:
        return media.drop_held(db, content, coarse(now))
    thread = threads.add_nameless(db, place.community.id, content["member"], coarse(now))
    _publish(db, now, key, thread, content, kind="question")


def _publish(
    db: Connection,
    now: datetime,
    key: str,
    thread: Thread,
    content: Mapping[str, Any],
    *,
    kind: str,
) -> None:
    post_id = posts.add_nameless(
        db,
        [_from_json(db, each, coarse(now)) for each in content["bubbles"]],
        coarse(now),
        kind=kind,
        thread_id=thread.id,
        community_id=thread.community_id,
        heavy=content["heavy"],
    )
    post = posts.get(db, post_id)
    if kind == "outcome":
        message = posting.outcome(thread, content["came"], post)
    else:
        message = (posting.question if kind == "question" else posting.reply)(thread, post)
    posts.mark(db, post_id, message_id=_tell_all(db, now, key, thread, message))


def _tell_all(
    db: Connection, now: datetime, key: str, thread: Thread, message: Message
) -> int | None:
    return tell(
        db,
        now,
        f"opened/{key}",
        posting.hearers(thread),
        message,
        community_id=thread.community_id,
    )


# What comes after it ----------------------------------------------------------------------------


@nameless.action
def reply(turn: Turn) -> None:
    """The asker adds something; data has post and thread."""
    thread = threads.get(turn.db, turn.data["thread"])
    lines = [
        _("What you add to {thread}:", thread=thread.ref),
        _("{post}", post=Ref("posts", turn.data["post"])),
        _("It goes out without your name, as from the one who asked."),
    ]
    if _tells(turn):
        lines.append(TELLING)
    turn.ask(
        *lines,
        choices=(SEND, CANCEL),
        then=confirm,
        free=True,
        after=BURST,
    )


@nameless.step
def confirm(turn: Turn) -> None:
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(posting.DRAFT_GONE)
    thread = turn.find_thread(turn.data["thread"])
    if turn.choice is None and thread is not None:  # a further bubble belongs to it
        posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
        return reply(turn)
    if turn.choice == "cancel" or thread is None:
        posts.remove(turn.db, turn.data["post"])
        return turn.say(_("Cancelled. Nothing was sent."))
    turn.start("nameless.check", **turn.data, then="nameless.add")


@nameless.action
def add(turn: Turn) -> None:
    """She chose Send; data has post and thread."""
    thread = turn.find_thread(turn.data["thread"])
    if thread is None:
        return turn.start("threads.gone")
    came = {"came": turn.data["came"]} if "came" in turn.data else {}
    _hold(turn, "outcome" if came else "reply", thread=thread.id, **came)
    turn.say(_("Thank you. It goes out at some moment in the next {n} minutes.", n=MINUTES))


def _tells(turn: Turn) -> bool:
    words = "\n".join(each.text for each in posts.list_bubbles(turn.db, turn.data["post"]))
    organisation = members.find_organisation(turn.db, turn.member.id)
    return tells_who(words, turn.member.name, organisation)


@opens("reply")
def open_reply(db: Connection, now: datetime, key: str, content: Mapping[str, Any]) -> None:
    thread = threads.find_for(db, content["member"], thread_id=content["thread"])
    if thread is None:
        return media.drop_held(db, content, coarse(now))
    _publish(db, now, key, thread, content, kind="reply")


@nameless.action
def outcome(turn: Turn) -> None:
    """The asker tells what came of it; data has thread, what came, and a post if she said more."""
    if "post" in turn.data:
        return reply(turn)
    held = {"kind": "outcome", "member": turn.member.id, "bubbles": [], "heavy": False, **turn.data}
    hold(turn.db, held, turn.now)
    turn.say(_("Thank you. It goes out at some moment in the next {n} minutes.", n=MINUTES))


@opens("outcome")
def open_outcome(db: Connection, now: datetime, key: str, content: Mapping[str, Any]) -> None:
    thread = threads.find_for(db, content["member"], thread_id=content["thread"])
    if thread is None or not outcomes.mark(db, thread.id, content["came"]):
        return media.drop_held(db, content, coarse(now))
    if content["bubbles"]:
        return _publish(db, now, key, thread, content, kind="outcome")
    _tell_all(db, now, key, thread, posting.outcome(thread, content["came"], None))


@nameless.action
def helps(turn: Turn) -> None:
    """[This helps] in a nameless thread, from the asker or from anybody."""
    held = {"kind": "helps", "member": turn.member.id, **turn.data}
    hold(turn.db, held, turn.now)
    turn.say(_("Good to hear! I pass your thanks on in a few minutes."))


@opens("helps")
def open_helps(db: Connection, now: datetime, _key: str, content: Mapping[str, Any]) -> None:
    thread = threads.find_for(db, content["member"], thread_id=content["thread"])
    post = posts.find(db, content["post"])
    if thread is None or post is None or post.state != "live":
        return
    thanks = _(
        "{name} says that your answer to {thread} helps.",
        name=Ref("members", content["member"]),
        thread=thread.ref,
    )
    if thread.asker_id == content["member"]:
        threads.mark_helped(db, thread.id)
        posts.mark_helpful(db, post.id, coarse(now))
        thanks = _("The one who asked {thread} says that your answer helps.", thread=thread.ref)
    if post.author_id not in (None, content["member"]):
        tell(
            db,
            now,
            f"helps/{post.id}/{content['member']}",
            Audience("member", post.author_id or 0),
            Message((thanks,), subject=thread.ref),
            community_id=thread.community_id,
        )


@nameless.action
def close(turn: Turn) -> None:
    """The asker or a facilitator closes it; data has thread."""
    hold(turn.db, {"kind": "close", "member": turn.member.id, **turn.data}, turn.now)
    thread = threads.get(turn.db, turn.data["thread"])
    turn.say(
        _("{thread} will be closed in a few minutes. It can still be read.", thread=thread.ref)
    )


@opens("close")
def open_close(db: Connection, now: datetime, _key: str, content: Mapping[str, Any]) -> None:
    threads.mark_closed(db, content["thread"], coarse(now))
