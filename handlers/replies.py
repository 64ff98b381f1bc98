"""Replies to what was said of a session: notes, what she takes with her, or a word to its host.

Who does not write its notes is not lost with what she replies: after a look it goes to the host,
who can answer; their words go to and fro and nobody else reads them.
"""

from __future__ import annotations

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.posting import DRAFT_GONE, NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on, is_agreement, is_small
from bot.store import communities, posts, sessions
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.sessions import Session
from bot.turn import Turn

replies = Conversation("replies")


@replies.on("session")
def replied(turn: Turn) -> None:
    """A reply to a message about a session, to the question afterwards, or to a word."""
    assert turn.subject is not None
    about, id_ = turn.subject.table, turn.subject.id
    if about == "words":
        turn.argument = id_
        return _answered(turn)
    turn.data = {"session": id_}
    if about == "harvests":
        return turn.start("harvest.said", session=id_)
    session = sessions.find_for(turn.db, id_, turn.member.id)
    if session is None:
        return turn.start("attendance.gone")
    if session.takes_notes(turn.member.id):
        return turn.start("notes.keep", session=id_)
    if is_small(turn.text, turn.files):
        return turn.say(_("Thank you!"))
    _keep(turn, session)


# To the host -------------------------------------------------------------------------------------


def _keep(turn: Turn, session: Session) -> None:
    post_id = posts.keep(
        turn.db, turn.data.get("post"), turn.member.id, turn.content, turn.now, kind="word"
    )
    turn.data |= {"session": session.id, "post": post_id}
    if not can_be_passed_on(turn.text, turn.files):
        return turn.ask(NOT_PASSED_ON, then=write)
    turn.ask(
        _("Shall I tell it to the host of {session}? Nobody else reads it.", session=session.ref),
        _("{post}", post=Ref("posts", post_id)),
        choices=(Choice("send", _("Tell the host")), CANCEL),
        then=confirm,
        free=True,
    )


@replies.step
def write(turn: Turn) -> None:
    session = _find(turn)
    if session is not None:
        _keep(turn, session)


def _find(turn: Turn) -> Session | None:
    session = sessions.find_for(turn.db, turn.data["session"], turn.member.id)
    if session is None:
        turn.start("attendance.gone")
    elif not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        turn.say(DRAFT_GONE)
    else:
        return session
    return None


@replies.step
def confirm(turn: Turn) -> None:
    session = _find(turn)
    if session is None:
        return
    if turn.choice == "cancel":
        posts.remove(turn.db, turn.data["post"])
        return turn.say(_("All right, nothing was sent."))
    if turn.choice is None:
        if is_agreement(turn.text):
            return turn.again(_("Please choose one of these. You can tap it or type its number."))
        return _keep(turn, session)
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    _tell_host(turn, session, turn.data["post"])
    turn.say(_("Thank you, it goes to the host."))


def _tell_host(turn: Turn, session: Session, post_id: int) -> None:
    """Where there is no host any more, to who facilitates."""
    audience = Audience("facilitators", session.community_id, but=(turn.member.id,))
    if session.host_id is not None:
        audience = Audience("member", session.host_id)
    about = _(
        "{name} writes about {session}: {post}",
        name=Ref("members", turn.member.id),
        session=session.ref,
        post=Ref("posts", post_id),
    )
    message_id = turn.tell(
        audience,
        about,
        kind="session",
        choices=(Choice(f"replies.begin:{post_id}", _("Answer")),),
        subject=Ref("words", post_id),
        community_id=_place(turn, session, audience),
        once=f"word/{post_id}",
    )
    posts.mark(turn.db, post_id, state="live", message_id=message_id)


def _place(turn: Turn, session: Session, audience: Audience) -> int | None:
    """Who holds it from another community hears it all the same."""
    if audience.kind != "member":
        return session.community_id
    theirs = communities.find_membership(turn.db, audience.id, session.community_id)
    return session.community_id if theirs is not None and theirs.is_active else None


# And back ----------------------------------------------------------------------------------------


@replies.action
def begin(turn: Turn) -> None:
    """[Answer]"""
    if _word(turn, turn.argument) is not None:
        turn.data = {"word": turn.argument}
        turn.ask(_("Please write or say your answer."), then=answer)


def _word(turn: Turn, post_id: int) -> Post | None:
    """What was told to her, as long as it is there and somebody waits for an answer."""
    post = posts.find(turn.db, post_id)
    theirs = post is not None and post.kind == "word" and post.state == "live"
    if post is None or not theirs or turn.member.id not in posts.list_holders(turn.db, post):
        turn.say(_("I do not find that message any more."))
        return None
    if post.author_id is None:
        turn.say(_("Who wrote it is not here any more, so nothing was sent."))
        return None
    return post


@replies.step
def answer(turn: Turn) -> None:
    turn.argument = turn.data["word"]
    _answered(turn)


def _answered(turn: Turn) -> None:
    """Her words go to who wrote to her, and to nobody else."""
    post = _word(turn, turn.argument)
    if post is None:
        return
    if is_small(turn.text, turn.files) and not is_agreement(turn.text):
        return turn.say(_("Thank you! Only answers are passed on, so that phones stay quiet."))
    if not can_be_passed_on(turn.text, turn.files):
        return turn.ask(NOT_PASSED_ON, then=answer)
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    _pass_back(turn, post.author_id or 0)
    turn.say(_sent())


def _sent() -> Text:
    return _("Thank you, it goes there.")


def _pass_back(turn: Turn, member_id: int) -> None:
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="word")
    message_id = turn.tell(
        Audience("member", member_id),
        _("{name}: {post}", name=Ref("members", turn.member.id), post=Ref("posts", post_id)),
        kind="session",
        choices=(Choice(f"replies.begin:{post_id}", _("Answer")),),
        subject=Ref("words", post_id),
        once=f"word/{post_id}",
    )
    posts.mark(turn.db, post_id, state="live", message_id=message_id)
