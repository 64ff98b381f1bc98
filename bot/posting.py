"""How a post is told to others, with its author's name or without one."""

from __future__ import annotations

from bot.messages import Message, Ref, Text, _
from bot.offers import under_answer, under_heavy, under_question
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.threads import Thread

DRAFT_GONE = _("What you had begun is not here any more. Please write it again.")
NOT_PASSED_ON = _(
    "Places and contact cards are not passed on. Please say it in words, or in a voice note."
)


def hearers(thread: Thread, *but: int) -> Audience:
    """Who hears what comes in a thread; in a nameless one everybody, so that no asker stands out.

    There the asker is among them like all others, also when it was she who wrote.
    """
    return Audience("hearers" if thread.anonymous else "followers", thread.id, but)


# What came of a question, for the middle of a sentence.
OUTCOMES: dict[str, Text] = {
    "worked": _("it worked"),
    "partly": _("it worked partly"),
    "not_tried": _("not tried yet"),
}


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


def reflection(thread: Thread, post: Post) -> Message:
    """What somebody has learnt or lived through, for her group or for its facilitators."""
    who: dict[str, object] = {
        "name": author(thread, post),
        "community": Ref("communities", thread.community_id),
        "thread": thread.ref,
    }
    if post.heavy:
        story = _("{name} tells a heavy story in {community} ({thread}).", **who)
        return _heavy(thread, post, story)
    about = _("{name} shares a reflection with {community} ({thread}).", **who)
    if thread.scope == "facilitators":
        about = _(
            "{name} shares a reflection with the facilitators of {community} ({thread}).", **who
        )
    hint = _(
        "To answer, reply to this message, or write {number} and your answer.",
        number=thread.number,
    )
    paragraphs = (_("{post}", post=post.ref), about)
    return Message(paragraphs, under_question(thread.id), hint, subject=thread.ref)


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


def addition(thread: Thread, post: Post) -> Message:
    """What somebody adds to the notes of a session."""
    about = _("{name} adds to {thread}.", name=author(thread, post), thread=thread.ref)
    return Message((_("{post}", post=post.ref), about), subject=thread.ref)


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


def outcome(thread: Thread, came: str, post: Post | None) -> Message:
    """What came of a question, for all who follow it."""
    said = _(
        "{name} tells what came of {thread}: {came}.",
        name=Ref("members", thread.asker_id or 0),
        thread=thread.ref,
        came=OUTCOMES[came],
    )
    if thread.anonymous:
        said = _(
            "The one who asked {thread} tells what came of it: {came}.",
            thread=thread.ref,
            came=OUTCOMES[came],
        )
    return Message((said, *_words(post)), subject=thread.ref)


def outcome_for_helper(thread: Thread, came: str, post: Post | None) -> Message:
    """The same for somebody whose answer helped."""
    said = _(
        "Your answer to {thread} helped. {name} tells what came of it: {came}.",
        thread=thread.ref,
        name=Ref("members", thread.asker_id or 0),
        came=OUTCOMES[came],
    )
    return Message((said, *_words(post)), subject=thread.ref)


def _words(post: Post | None) -> tuple[Text, ...]:
    return () if post is None else (_("{post}", post=post.ref),)


def _story(thread: Thread, post: Post) -> Text:
    name = author(thread, post)
    return _("{name} tells a heavy story in {thread}.", name=name, thread=thread.ref)


def _heavy(thread: Thread, post: Post, story: Text) -> Message:
    """Others first read that it is heavy."""
    paragraphs = (story, _("You choose whether you read it, and when."))
    return Message(paragraphs, under_heavy(post.id), subject=thread.ref)
