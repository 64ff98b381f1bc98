"""My reflections: what she kept or shared; read or listen, word anew, delete."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Month, Ref, Text, _
from bot.offers import CANCEL
from bot.reflecting import FEELINGS, PATHWAYS, QUESTIONS, when_opened
from bot.responses import SEEN_BY
from bot.smalltalk import is_small
from bot.store import posts, reflections, responses
from bot.store.reflections import Listed, Reflection
from bot.themes import THEMES
from bot.turn import Turn

PAGE = 5  # in one list
LINE = 80  # graphemes of each

reflections_ = Conversation("reflections", command="reflections", words=N_("my reflections"))


# The list ----------------------------------------------------------------------------------------


@reflections_.start
def start(turn: Turn) -> None:
    """Behind her secret word, if she has one."""
    turn.argument = 0
    turn.start("secret.ask", then="reflections.list_mine")


@reflections_.action
def older(turn: Turn) -> None:
    turn.start("secret.ask", then="reflections.list_mine")


@reflections_.action
def list_mine(turn: Turn) -> None:
    """The latest first, but so many as stand on the pages before.

    An app that was linked later shows nothing from before.
    """
    before, since = turn.argument, turn.sender.linked_at
    found = reflections.list_own(turn.db, turn.member.id, PAGE + 1, before, since)
    reflect = Choice("reflect.start", _("Reflect"))
    if not found:
        return turn.say(_("There is no reflection of yours here yet."), choices=(reflect,))
    shown = list(enumerate(found[:PAGE], before + 1))
    choices = [_opens(number, each) for number, each in shown]
    if len(found) > PAGE:
        choices.append(Choice(f"reflections.older:{before + PAGE}", _("Earlier ones")))
    lines = [_line(turn, number, each) for number, each in shown]
    turn.say(_("Your reflections:"), *lines, choices=choices)


def _line(turn: Turn, number: int, each: Listed) -> Text:
    words = {
        "number": number,
        "month": Month(each.created_at),
        "post": Ref("referred", each.post_id, LINE),
    }
    if each.feeling in FEELINGS:
        return _("{number}. {month}, {feeling}: {post}", feeling=FEELINGS[each.feeling], **words)
    return _("{number}. {month}: {post}", **words)


def _opens(number: int, each: Listed) -> Choice:
    """An answer to a weekly question opens as it always did."""
    action = f"reflections.show:{each.id}" if each.id else f"myanswers.show:{each.post_id}"
    return Choice(action, _("Number {number}", number=number))


# One of them -------------------------------------------------------------------------------------


@reflections_.action
def show(turn: Turn) -> None:
    turn.start("secret.ask", then="reflections.open_one")


@reflections_.action
def open_one(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None:
        return gone(turn)
    hidden = found.state == "hidden"
    seen = _("hidden by a facilitator") if hidden else SEEN_BY[found.seen_by]
    turn.say(
        *_asked(found),
        _("Your reflection ({who}):", who=seen),
        _("{post}", post=Ref("referred", found.post_id)),
        *_marks(found),
        choices=() if hidden else when_opened(found.id),
    )


def _asked(found: Reflection) -> list[Text]:
    if found.content_id is not None:
        return [_("{question}", question=Ref("contents", found.content_id))]
    return [QUESTIONS[found.question]] if found.question in QUESTIONS else []


def _marks(found: Reflection) -> list[Text]:
    marks = [
        labels[name]
        for labels, name in (
            (THEMES, found.theme), (PATHWAYS, found.pathway), (FEELINGS, found.feeling)
        )
        if name in labels
    ]  # fmt: skip
    return [_("{mark}", mark=each) for each in marks]


def _hers(turn: Turn, id_: int) -> Reflection | None:
    found = reflections.find_own(turn.db, turn.member.id, id_)
    return None if found is None or not turn.sender.knows(found.created_at) else found


@reflections_.action
def gone(turn: Turn) -> None:
    """Deleted, or never hers: both look alike."""
    turn.say(_("I do not find that reflection any more."))


@reflections_.action
def grow(turn: Turn) -> None:
    """A story of change begins with it, in whatever post its words stand now."""
    found = _hers(turn, turn.argument)
    if found is None or found.state == "hidden":
        return gone(turn)
    reflections.mark(turn.db, found.id, adds_until=None)  # what she says next is the story
    turn.argument = found.post_id
    turn.start("stories.start_from")


# Other words, or none ----------------------------------------------------------------------------


@reflections_.action
def edit(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None or found.state == "hidden":
        return gone(turn)
    turn.data = {"reflection": found.id}
    turn.ask(
        _("Please say it or write it anew. The old words stay until then."),
        choices=(CANCEL,),
        then=rewrite,
        free=True,
    )


@reflections_.step
def rewrite(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _hers(turn, turn.data["reflection"])
    if found is None or found.state == "hidden":
        return gone(turn)
    if is_small(turn.text, turn.files):
        return turn.again(_("A few words are enough, or a voice note."))
    responses.drop_words(turn.db, found.post_id)
    posts.add_bubbles(turn.db, found.post_id, turn.content, turn.now)
    if found.state == "live":
        return turn.say(
            _("Your change is saved. Phones that have the old words already keep them.")
        )
    turn.say(_("Your change is saved."))


@reflections_.action
def delete(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None or found.state == "hidden":
        return gone(turn)
    turn.data = {"reflection": found.id}
    turn.ask(
        _("Delete it? Nobody can bring it back."),
        choices=(Choice("delete", _("Delete")), CANCEL),
        then=confirm,
    )


@reflections_.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    turn.start("confide.withdraw", reflection=turn.data["reflection"])
