"""How a post is told to others, with its author's name or without one."""

from __future__ import annotations

from bot.messages import Message, Ref, Text, _
from bot.offers import under_answer, under_heavy, under_question
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.threads import Thread

DRAFT_GONE = _("What you had begun is not here any more. Please write it again.")


def hearers(thread: Thread, *but: int) -> Audience:
    """Who hears what comes in a thread; in a nameless one everybody, so that no asker stands out.

    There the asker is among them like all others, also when it was she who wrote.
    """
    return Audience("hearers" if thread.anonymous else "followers", thread.id, but)


def author(thread: Thread, post: Post) -> Ref | Text:
    """Who wrote a post, as everybody in the thread may know."""
    if thread.anonymous and post.author_id is None and post.kind != "answer":
        return _("The one who asked")
    return Ref("members", post.author_id or 0)


def question(thread: Thread, post: Post) -> Message:
    """The question that opens a thread."""
    who: dict[str, object] = {
        "name": author(thread, post),
        "community": Ref("communities", thread.community_id),
        "thread": thread.ref,
    }
    if post.heavy:
        story = _("{name} tells a heavy story in {community} ({thread}).", **who)
        if thread.anonymous:
            story = _(
                "Somebody tells a heavy story without a name in {community} ({thread}).", **who
            )
        return _heavy(thread, post, story)
    about = _("{name} asks in {community} ({thread})", **who)
    if thread.anonymous:
        about = _("Somebody asks without a name in {community} ({thread})", **who)
    hint = _(
        "To answer, reply to this message, or write {number} and your answer.",
        number=thread.number,
    )
    return Message(
        (_("{post}", post=post.ref), about),
        under_question(thread.id, followed=thread.anonymous),
        hint,
        subject=thread.ref,
    )


def answer(thread: Thread, post: Post, question_id: int) -> Message:
    """What somebody else than the asker says in a thread."""
    if post.heavy:
        return _heavy(thread, post, _story(thread, post))
    about = _(
        "{name} answers {thread}: {question}",
        name=author(thread, post),
        thread=thread.ref,
        question=Ref("posts", question_id, 60),
    )
    paragraphs = (_("{post}", post=post.ref), about)
    return Message(paragraphs, under_answer(post.id), subject=thread.ref)


def reply(thread: Thread, post: Post) -> Message:
    """What the asker adds."""
    if post.heavy:
        return _heavy(thread, post, _story(thread, post))
    about = _(
        "{name}, who asked {thread}, adds this.", name=author(thread, post), thread=thread.ref
    )
    if thread.anonymous:
        about = _("The one who asked {thread} adds this.", thread=thread.ref)
    return Message((_("{post}", post=post.ref), about), subject=thread.ref)


def _story(thread: Thread, post: Post) -> Text:
    name = author(thread, post)
    return _("{name} tells a heavy story in {thread}.", name=name, thread=thread.ref)


def _heavy(thread: Thread, post: Post, story: Text) -> Message:
    """Others first read that it is heavy."""
    paragraphs = (story, _("You choose whether you read it, and when."))
    return Message(paragraphs, under_heavy(post.id), subject=thread.ref)
