"""Captions: a voice is written down for those who cannot hear, a photo told to who cannot see."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import captioning
from bot.conversation import Conversation
from bot.messages import Choice, Message, Ref, _
from bot.offers import CANCEL
from bot.posting import DRAFT_GONE
from bot.scheduler import Counts, job
from bot.store import captions, posts
from bot.store.audiences import Audience
from bot.store.captions import Caption
from bot.store.posts import Post
from bot.telling import tell
from bot.turn import Turn

MANY = 20  # photos whose authors are asked in one go
LONGEST = 6000  # characters

captions_ = Conversation("captions")

_CHANGED = _("That has changed meanwhile.")
_TOO_LONG = _("That is very long. Please write it in fewer words.")


# What an author does with the words under her voice -----------------------------------------------


@captions_.action
def right(turn: Turn) -> None:
    caption = _hers(turn)
    if caption is None:
        return turn.say(_CHANGED)
    captions.stand_for(turn.db, caption)
    turn.say(_("Thank you. It stands there as your own words."))


@captions_.action
def no_text(turn: Turn) -> None:
    caption = _hers(turn)
    if caption is None:
        return turn.say(_CHANGED)
    captions.refuse(turn.db, caption.media_id, turn.now)
    turn.say(
        _(
            "All right. From now on no text stands under your voice. "
            "Phones that have it already keep it."
        )
    )


@captions_.action
def correct(turn: Turn) -> None:
    """In her own words, and under her own name: she does not change what a peer wrote."""
    caption = _hers(turn)
    if caption is None:
        return turn.say(_CHANGED)
    turn.data = {"caption": caption.id}
    turn.ask(
        _("Please write what you said, as it shall stand there."),
        choices=(CANCEL,),
        then=corrected,
        free=True,
    )


@captions_.step
def corrected(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if not _is_written(turn):
        return
    turn.argument = turn.data["caption"]
    caption = _hers(turn)
    if caption is None:
        return turn.say(_CHANGED)
    _show(turn, caption.media_id, "written", turn.text)


def _hers(turn: Turn) -> Caption | None:
    """The caption of the choice, if it is still shown under a voice of hers."""
    found = captions.find(turn.db, turn.argument)
    is_hers = found is not None and found.author_id == turn.member.id
    return found if is_hers and found is not None and found.state == "shown" else None


def _is_written(turn: Turn) -> bool:
    """Whether there are words, and not endless ones; else she is asked again."""
    if not turn.text:
        turn.again(_("Please write it in words."))
    elif len(turn.text) > LONGEST:
        turn.again(_TOO_LONG)
    return 0 < len(turn.text) <= LONGEST


def _show(turn: Turn, media_id: int, kind: str, text: str) -> Caption | None:
    """It stands there, and she reads it as the others do."""
    language = turn.language
    id_ = captions.show(turn.db, media_id, kind, text, turn.member.id, language, turn.now)
    turn.say(
        _("Thank you. From now on this goes along with it:"),
        _("{caption}", caption=Ref("captions", id_)),
    )
    return captions.find(turn.db, id_)


# What a peer writes down --------------------------------------------------------------------------


@captions_.action
def begin(turn: Turn) -> None:
    """[Write it down], under a voice that came to her."""
    post = _received(turn, turn.argument)
    media_id = None if post is None else _bare(turn, post)
    if post is None or media_id is None:
        return
    if not captions.claim(turn.db, media_id, turn.member.id, turn.now):
        return turn.say(_("Somebody is writing it down at this moment. Thank you for offering it!"))
    turn.data = {"post": post.id, "media": media_id}
    turn.ask(
        _("Please listen to it, and write what is said, as it is said."),
        _("Your name stands beside it: {name}.", name=Ref("members", turn.member.id)),
        choices=(CANCEL,),
        then=wrote,
        free=True,
    )


@captions_.step
def wrote(turn: Turn) -> None:
    media_id = turn.data["media"]
    if turn.choice == "cancel":
        captions.let_go(turn.db, media_id, turn.member.id)
        return turn.say(_("All right, nothing was changed."))
    if not _is_written(turn):
        return
    post = _received(turn, turn.data["post"])
    if post is None or _bare(turn, post) != media_id:
        return
    if not captions.claim(turn.db, media_id, turn.member.id, turn.now):
        return turn.say(_CHANGED)
    caption = _show(turn, media_id, "written", turn.text)
    if caption is None:
        return
    if caption.author_id != turn.member.id:
        captioning.tell_author(turn.db, turn.now, caption, captioning.written(caption))
    captioning.tell_needing(turn.db, turn.now, caption, "reads")


def _received(turn: Turn, post_id: int) -> Post | None:
    """A live post that came to her, or is her own; else she hears so."""
    post = posts.find(turn.db, post_id)
    if post is not None and post.state == "live" and _may_read(turn, post):
        return post
    turn.say(_("I do not find that voice note any more."))
    return None


def _may_read(turn: Turn, post: Post) -> bool:
    if post.author_id == turn.member.id:
        return True
    if post.thread_id is not None and turn.find_thread(post.thread_id) is None:
        return False
    return captions.has_received(turn.db, post.id, turn.member.id)


def _bare(turn: Turn, post: Post) -> int | None:
    """The voice that waits for words; where there is none she hears why."""
    media_id, why = captions.find_bare(turn.db, post.id)
    if why == "written":
        turn.say(_("Somebody has written it down already. Thank you!"))
    elif why == "refused":
        turn.say(_("Whoever said it would rather have no text under it."))
    elif media_id is None:
        turn.say(_("I do not find that voice note any more."))
    return media_id


# Photos -------------------------------------------------------------------------------------------


@job(every=timedelta(minutes=1))
def ask_what_photos_show(db: Connection, now: datetime) -> Counts:
    """Each author once, and not every day."""
    asked = 0
    for media_id, author_id, post_id in captions.list_unasked(db, now, MANY):
        caption_id = captions.ask(db, media_id, author_id, now)
        if caption_id is not None:
            asked += 1
            tell(
                db,
                now,
                f"photo/{media_id}",
                Audience("member", author_id),
                _what_it_shows(caption_id),
                kind="aside",
                community_id=posts.get(db, post_id).community_id,
            )
    return {"asked": asked}


def _what_it_shows(caption_id: int) -> Message:
    said = _(
        "For those who cannot see your photo: would you say in one sentence what it shows, "
        "written or spoken?"
    )
    choices = (
        Choice(f"captions.describe:{caption_id}", _("Describe it")),
        Choice(f"captions.skip:{caption_id}", _("Skip")),
    )
    return Message((said,), choices)


@captions_.action
def skip(turn: Turn) -> None:
    caption = captions.find(turn.db, turn.argument)
    if caption is not None and caption.writer_id == turn.member.id:
        captions.skip(turn.db, caption.id)
    turn.say(_("All right."))


@captions_.action
def describe(turn: Turn) -> None:
    caption = _asked(turn, turn.argument)
    if caption is None:
        return turn.say(_CHANGED)
    turn.data = {"caption": caption.id}
    turn.ask(
        _("Please write one sentence on what the photo shows, or say it."),
        choices=(CANCEL,),
        then=described,
        free=True,
    )


@captions_.step
def described(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    caption = _asked(turn, turn.data["caption"])
    if caption is None:
        return turn.say(DRAFT_GONE)
    if any(each.kind == "voice" for each in turn.files):
        return _add_voice(turn, caption)
    if not _is_written(turn):
        return
    shown = _show(turn, caption.media_id, "described", turn.text)
    if shown is not None:
        captioning.tell_needing(turn.db, turn.now, shown, "described")


def _add_voice(turn: Turn, caption: Caption) -> None:
    """Her voice is one more piece of the post."""
    posts.add_bubbles(turn.db, caption.post_id, turn.content, turn.now)
    captions.speak(turn.db, caption, turn.now)
    turn.say(_("Thank you. From now on your voice goes along with the photo."))


def _asked(turn: Turn, caption_id: int) -> Caption | None:
    """The photo she was asked about, unless it has its words by now."""
    caption = captions.find(turn.db, caption_id)
    if caption is None or caption.author_id != turn.member.id:
        return None
    return (
        caption if caption.kind == "described" and caption.state in ("asked", "refused") else None
    )
