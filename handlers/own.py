"""Own: a facilitator writes a tip or a question for her community, in one language or in all."""

from __future__ import annotations

from bot import ahead
from bot.conversation import Conversation
from bot.desk import find_place, note
from bot.i18n import graphemes, guess_language, languages, own_name
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL, CHANGE
from bot.posting import DRAFT_GONE
from bot.smalltalk import has_words
from bot.store import contents, posts
from bot.store.communities import Community
from bot.store.contents import HOLD, MARK, REVIEWED
from bot.timing import date_of
from bot.turn import Turn

LONGEST = 400  # graphemes: it is read on a small phone, beside another text

own = Conversation("own")


@own.action
def begin(turn: Turn) -> None:
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    turn.data = {"community": community.id}
    turn.ask(
        _("What would you like to write for {community}?", community=community.ref),
        choices=(Choice("tip", _("A tip")), Choice("prompt", _("A weekly question")), CANCEL),
        then=kind,
    )


@own.step
def kind(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was saved."))
    turn.data["kind"] = turn.choice
    if turn.choice == "tip":
        asked = _("Please write it in one message: one thought, and one thing to try this week.")
    else:
        asked = _("Please write it in one message: one question that everybody can answer.")
    turn.ask(asked, then=write)


@own.step
def write(turn: Turn) -> None:
    if not _fits(turn):
        return
    language = guess_language(turn.text) or _latin(turn)
    post_id = posts.add(
        turn.db, turn.member.id, turn.content, turn.now, kind="content", language=language
    )
    turn.data |= {"post": post_id, "written": [language]}
    _preview(turn)


def _latin(turn: Turn) -> str:
    """A language whose letters these can be."""
    return next(code for code in languages() if code not in ("lo", "km"))


def _fits(turn: Turn) -> bool:
    if not turn.text or not has_words(turn.text):
        turn.again(_("Please write it in words."))
    elif graphemes(turn.text) > LONGEST:
        turn.again(
            _(
                "That has {count} letters; at most {most} are read well on a phone. "
                "Please make it shorter.",
                count=graphemes(turn.text),
                most=LONGEST,
            )
        )
    else:
        return True
    return False


def _preview(turn: Turn) -> None:
    """As each reader will read it."""
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    post, written = Ref("posts", turn.data["post"]), turn.data["written"]
    looks: list[Text] = []
    for code in written:
        looks.append(_("In {language}:", language=own_name(code)))
        looks.append(Text("{post}", {"post": post}, language=code))
    missing = [code for code in languages() if code not in written]
    turn.ask(
        *looks,
        choices=[
            Choice("save", _("Save")),
            *(
                Choice(f"add:{code}", _("Add {language}", language=own_name(code)))
                for code in missing
            ),
            CHANGE,
            CANCEL,
        ],
        then=confirm,
    )


@own.step
def confirm(turn: Turn) -> None:
    if (turn.choice or "").startswith("add:"):
        turn.data["adding"] = turn.chosen
        return turn.ask(
            _("Please write it in {language}.", language=own_name(turn.chosen)), then=translate
        )
    if turn.choice == "save":
        return _ask_fallback(turn)
    posts.remove(turn.db, turn.data["post"])
    if turn.choice == "change":
        return turn.ask(_("Please write it again, as you would like it."), then=write)
    turn.say(_("Cancelled. Nothing was saved."))


@own.step
def translate(turn: Turn) -> None:
    if not _fits(turn):
        return
    language, guessed = turn.data["adding"], guess_language(turn.text)
    if (guessed or _latin(turn)) != language:
        return turn.again(
            _("That is not {language}. Please write it again.", language=own_name(language))
        )
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now, language)
    turn.data["written"] = [*turn.data["written"], language]
    _preview(turn)


def _ask_fallback(turn: Turn) -> None:
    """What somebody gets whose language it is not in: never silently something else."""
    if find_place(turn, turn.data["community"], "rhythm") is None:
        return
    missing = [code for code in languages() if code not in turn.data["written"]]
    if not missing:
        return _save(turn, MARK)
    turn.ask(
        _("It is not in every language yet. What shall those get who read another one?"),
        choices=(
            Choice(MARK, _("The original, marked")),
            Choice(HOLD, _("Nothing yet")),
        ),
        then=fallback,
    )


@own.step
def fallback(turn: Turn) -> None:
    _save(turn, turn.choice or MARK)


def _save(turn: Turn, fallback: str) -> None:
    community = find_place(turn, turn.data["community"], "rhythm")
    if community is None:
        return
    post_id, kind = turn.data["post"], turn.data["kind"]
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(DRAFT_GONE)
    texts = posts.list_languages(turn.db, post_id)
    source, *others = turn.data["written"]
    content_id = contents.save(
        turn.db,
        f"community/{community.id}/{kind}/{post_id}",
        kind,
        source,
        texts[source],
        turn.now,
        community_id=community.id,
        fallback=fallback,
        author_id=turn.member.id,
    )
    for code in others:
        contents.translate(
            turn.db, content_id, code, texts[code], turn.now,
            status=REVIEWED, author_id=turn.member.id,
        )  # fmt: skip
    posts.remove(turn.db, post_id)
    note(turn, "content.written", community.id, content_id)
    turn.say(
        _("Saved."),
        *_comes(turn, community, content_id),
        choices=(
            Choice(f"own.remove:{content_id}", _("Undo")),
            Choice(f"rhythm.show:{community.id}", _("The next weeks")),
        ),
    )


def _comes(turn: Turn, community: Community, content_id: int) -> list[Text]:
    """On which day it is read, as it is planned now."""
    for each in ahead.upcoming(turn.db, community, turn.now):
        if each.content is not None and each.content.id == content_id:
            return [_("As it is planned now, it comes on {day}.", day=date_of(each.day))]
    return [_("It comes when it is picked for a day.")]


@own.action
def remove(turn: Turn) -> None:
    """It is not said any more, not to those either for whom it waits; who has it keeps it."""
    content = contents.find(turn.db, turn.argument)
    if content is None or content.community_id is None:
        return turn.conversations.events["stale"](turn)
    community = find_place(turn, content.community_id, "rhythm")
    if community is None:
        return
    for each in ahead.upcoming(turn.db, community, turn.now):
        if each.edition is not None and each.edition.content_id == content.id:
            ahead.pick(turn.db, each.schedule, each.day, None, turn.now)
    ahead.take_back(turn.db, content.id, turn.now)
    contents.retire(turn.db, content.id, turn.now)
    note(turn, "content.removed", community.id, content.id)
    turn.say(
        _("Taken out. It is not said any more."),
        choices=(
            Choice(f"own.put_back:{content.id}", _("Undo")),
            Choice(f"rhythm.show:{community.id}", _("The next weeks")),
        ),
    )


@own.action
def put_back(turn: Turn) -> None:
    content = contents.find(turn.db, turn.argument)
    if content is None or content.community_id is None:
        return turn.conversations.events["stale"](turn)
    community = find_place(turn, content.community_id, "rhythm")
    if community is None:
        return
    contents.retire(turn.db, content.id, None)
    note(turn, "content.put_back", community.id, content.id)
    turn.say(_("It is there again."), *_comes(turn, community, content.id))
