"""What is said about words that stand for a voice or a picture, and to whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, Text, _
from bot.posting import author
from bot.store import agreements, leaves, posts, threads
from bot.store.audiences import Audience
from bot.store.captions import Caption
from bot.store.posts import Post
from bot.telling import tell

CHANGE = (("correct", _("Correct it")), ("no_text", _("No text")))


def heard(caption: Caption, *, here: bool) -> Message:
    """For the author: what an engine made of her voice; `here`: first time, on this machine."""
    said = [
        _("This is what a computer heard in your voice note. Is it right?"),
        _("{caption}", caption=caption.ref),
    ]
    if here:
        said.append(
            _("It was heard by the computer of this service. Your voice went nowhere else.")
        )
    right = Choice(f"captions.right:{caption.id}", _("Right"))
    return Message(tuple(said), (right, *_change(caption)))


def written(caption: Caption) -> Message:
    """For the author: what a peer wrote down."""
    said = _("{name} wrote down what you said:", name=Ref("members", caption.writer_id or 0))
    return Message((said, _("{caption}", caption=caption.ref)), _change(caption))


def _change(caption: Caption) -> tuple[Choice, ...]:
    return tuple(Choice(f"captions.{name}:{caption.id}", label) for name, label in CHANGE)


def unheard(state: str) -> Message:
    """For the author, where she expects a text."""
    if state == "silent":
        said = _("I could not hear words in your voice note, so no text stands under it.")
    else:
        said = _("Your voice note could not be written down well, so no text stands under it.")
    return Message((said, _("It can be listened to as before.")))


def question(service: str) -> Message:
    """For the author, once: may her voice go to others?"""
    return Message(
        (
            _(
                "Your voice note would be turned into text by a computer of {service}, so that "
                "those who cannot listen can read it. For that your voice is sent there.",
                service=service,
            ),
            _(
                "What you say without your name, and reports, never go there. "
                "You can change your answer in SETTINGS. Do you agree?"
            ),
        ),
        (
            Choice(f"voice.agree:{agreements.number_of(service)}", _("Yes")),
            Choice("voice.refuse", _("No")),
            Choice("voice.later", _("Ask me later")),
        ),
    )


def ask_author(
    db: Connection, now: datetime, media_id: int, post_id: int, author_id: int, service: str
) -> int | None:
    """May this voice, and later ones, go to a service outside?"""
    return tell(
        db,
        now,
        f"voice/{media_id}/{author_id}",
        Audience("member", author_id),
        question(service),
        community_id=posts.get(db, post_id).community_id,
    )


def tell_author(db: Connection, now: datetime, caption: Caption, message: Message) -> int | None:
    """Once for each caption; nobody where the post has no name."""
    if caption.author_id is None:
        return None
    post = posts.get(db, caption.post_id)
    return tell(
        db,
        now,
        f"caption/{caption.id}/author",
        Audience("member", caption.author_id),
        message,
        community_id=post.community_id,
    )


def tell_needing(db: Connection, now: datetime, caption: Caption, wants: str) -> int | None:
    """Those who have the post on their phones and need words for it; the others hear nothing.

    `wants`: "reads" of voices, "described" of photos. Once for each media, whatever is corrected.
    """
    post = posts.get(db, caption.post_id)
    if (
        post.heavy or post.kind == leaves.KIND
    ):  # she chooses when she reads it; a leaf may have no name
        return None
    but = tuple(each for each in (caption.author_id, caption.writer_id) if each is not None)
    return tell(
        db,
        now,
        f"captioned/{caption.media_id}",
        Audience(wants, post.id, but=but),
        Message((_whose(db, post, wants), _("{caption}", caption=caption.ref))),
        community_id=post.community_id,
    )


def _whose(db: Connection, post: Post, wants: str) -> Text:
    if post.thread_id is None:
        name: Ref | Text = Ref("members", post.author_id or 0)
        if wants == "reads":
            return _("What {name} says in the voice note:", name=name)
        return _("What the photo of {name} shows:", name=name)
    thread = threads.get(db, post.thread_id)
    name = author(thread, post)
    if wants == "reads":
        return _("What {name} says in {thread}:", name=name, thread=thread.ref)
    return _("What the photo of {name} in {thread} shows:", name=name, thread=thread.ref)
