"""Share a happy moment: it becomes a leaf on the tree of a group, without a name unless she wishes.

Words, a voice note or an emoji; of a voice the leaf shows only that somebody spoke.
"""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.posting import DRAFT_GONE
from bot.store import communities, leaves, posts
from bot.store.communities import Community
from bot.turn import Turn

FEW = 5  # in a smaller group everybody may guess whose a leaf is
VOICE = ("voice", "video")  # a video note is a voice, too

happy = Conversation(
    "happy",
    command="happy",
    about=_("Share a happy moment"),
    words=N_("happy, happy moment, share a happy moment"),
)


@happy.start
def start(turn: Turn) -> None:
    found = communities.list_where(turn.db, turn.member.id, "answer", turn.now)
    if not found:
        return turn.say(_("The Happy Tree is for those who take part in a group."))
    if len(found) == 1:
        return _ask(turn, found[0].id)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    turn.ask(
        _("On the tree of which group shall it hang?"),
        choices=[
            *(Choice(f"group:{each.id}", labels[each.id]) for each in found),
            CANCEL,
        ],
        then=group,
    )


@happy.step
def group(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    _ask(turn, int(turn.chosen))


def _ask(turn: Turn, community_id: int) -> None:
    turn.data = {"community": community_id}
    turn.ask(
        _("What made you happy? It may be small."),
        _("Write it, say it in a voice note, or just send an emoji."),
        then=moment,
    )


@happy.step
def moment(turn: Turn) -> None:
    spoken = any(each.kind in VOICE for each in turn.files)
    if not turn.text.strip() and not spoken:
        return turn.again(
            _("A leaf needs a few words, a voice note or an emoji. Please try again.")
        )
    begun = turn.data.get("post")
    turn.data["post"] = posts.keep(
        turn.db, begun, turn.member.id, turn.content, turn.now, kind=leaves.KIND
    )
    if turn.text.strip():
        return _confirm(turn)
    turn.ask(
        _("I have kept your voice note. Would you like to write a few words for the leaf?"),
        _("Without them it shows a small sign that somebody spoke; the voice is not passed on."),
        choices=(Choice("none", _("Without words")), CANCEL),
        then=words,
        free=True,
    )


@happy.step
def words(turn: Turn) -> None:
    """What is written beside a voice note."""
    if turn.choice == "cancel":
        return _cancel(turn)
    if turn.choice is None:
        if not turn.text.strip():
            return turn.again(_("Please choose one of these. You can tap it or type its number."))
        posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
    _confirm(turn)


def _cancel(turn: Turn) -> None:
    posts.remove(turn.db, turn.data["post"])
    turn.say(_("Cancelled. Nothing was sent."))


def _confirm(turn: Turn) -> None:
    """With her name or without it; in a discreet group no name is ever shown."""
    place = _place(turn)
    if place is None:
        return turn.start("threads.gone")
    said = [_("Your leaf:"), _("{post}", post=Ref("leaves", turn.data["post"]))]
    if place.discreet:
        said.append(_("No name stands on it."))
        said += _few(turn, place)
        return turn.ask(
            *said, choices=(Choice("no", _("Hang it up")), CANCEL), then=name, free=True
        )
    ask = _("All in {community} can see it. With your name on it?", community=place.ref)
    choices = (Choice("no", _("No name")), Choice("yes", _("With my name")), CANCEL)
    turn.ask(*said, ask, *_few(turn, place), choices=choices, then=name, free=True)


def _few(turn: Turn, place: Community) -> list[Text]:
    if communities.count_active(turn.db, place.id) >= FEW:
        return []
    return [_("Your group is small: peers may guess who wrote it, also without a name.")]


def _place(turn: Turn) -> Community | None:
    """The community, if she still takes part there."""
    there = turn.data["community"]
    return communities.find_where(turn.db, turn.member.id, there, "answer", turn.now)


@happy.step
def name(turn: Turn) -> None:
    place = _place(turn)
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice == "cancel":
        return _cancel(turn)
    if turn.choice is None:
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if place is None:
        return turn.start("threads.gone")
    named = turn.choice == "yes" and not place.discreet
    leaves.hang(turn.db, turn.data["post"], place.id, turn.now, named=named)
    turn.say(
        _("Thank you! Your leaf hangs on the tree of {community}.", community=place.ref),
        choices=(
            Choice(f"tree.of:{place.id}", _("See the tree")),
            Choice("leaves.start", _("My leaves")),
        ),
    )
