"""The Happy Tree: its picture whenever somebody asks for it, and its words for those who listen."""

from __future__ import annotations

from bot import trees
from bot.conversation import Conversation
from bot.desk import note
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.store import communities, leaves, posts
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.leaves import Leaf
from bot.truth import remaining
from bot.turn import Turn

LISTED = 6  # leaves in one list

SHARE = Choice("happy.start", _("Share a happy moment"))

tree = Conversation(
    "tree",
    command="tree",
    about=_("The tree of happy moments"),
    words=N_("tree, happy tree"),
)


@tree.start
def start(turn: Turn) -> None:
    found = communities.list_where(turn.db, turn.member.id, "read", turn.now)
    if not found:
        return turn.say(_("The Happy Tree is for those who take part in a group."))
    if len(found) == 1:
        return _open(turn, found[0])
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    choices = [Choice(f"tree.of:{each.id}", labels[each.id]) for each in found]
    turn.say(_("The tree of which group?"), choices=choices)


@tree.action
def of(turn: Turn) -> None:
    place = _place(turn, turn.argument)
    if place is not None:
        _open(turn, place)


def _open(turn: Turn, place: Community) -> None:
    """On a phone that others may see it is shown by one more tap."""
    if not turn.member.discreet:
        return _show(turn, place)
    turn.say(
        _("It is a picture with words that others wrote. Are you alone with your phone?"),
        choices=(Choice(f"tree.show:{place.id}", _("Show it")),),
    )


@tree.action
def show(turn: Turn) -> None:
    place = _place(turn, turn.argument)
    if place is not None:
        _show(turn, place)


def _place(turn: Turn, community_id: int) -> Community | None:
    place = communities.find_where(turn.db, turn.member.id, community_id, "read", turn.now)
    if place is None:
        turn.start("threads.gone")
    return place


def _show(turn: Turn, place: Community) -> None:
    if not leaves.count_for(turn.db, turn.member.id, [place.id]):
        return turn.say(
            _("No leaf hangs on the tree yet. A small happy moment is enough for the first one."),
            choices=(SHARE,),
        )
    turn.say(
        _("The words of the tree can be read one by one, too."),
        choices=(
            Choice(f"tree.words:{place.id}", _("Words of the tree")),
            SHARE,
            Choice("leaves.start", _("My leaves")),
        ),
        tree=trees.on_demand(turn.db, turn.member.id, place.id),
    )


# In words ----------------------------------------------------------------------------------------


@tree.action
def words(turn: Turn) -> None:
    """The newest leaves in full."""
    place = _place(turn, turn.argument)
    if place is not None:
        _list(turn, place, 0)


@tree.action
def older(turn: Turn) -> None:
    """Before the one of the button."""
    last = leaves.find_for(turn.db, turn.member.id, turn.argument)
    place = None if last is None else _place(turn, last.community_id)
    if last is None:
        return gone(turn)
    if place is not None:
        _list(turn, place, last.id)


def _list(turn: Turn, place: Community, before: int) -> None:
    found = leaves.list_for(turn.db, turn.member.id, [place.id], LISTED + 1, before)
    if not found:
        return turn.say(_("There is nothing more here."), choices=(SHARE,))
    shown = found[:LISTED]
    hides = communities.find_where(turn.db, turn.member.id, place.id, "hide", turn.now) is not None
    choices = [
        Choice(f"tree.hide:{each.id}", _("Hide {number}", number=number))
        for number, each in enumerate(shown, 1)
        if hides and each.author_id != turn.member.id
    ]
    if len(found) > LISTED:
        choices.append(Choice(f"tree.older:{shown[-1].id}", _("Earlier ones")))
    turn.say(*_lines(shown, place), choices=choices or [SHARE])


def _lines(found: list[Leaf], place: Community) -> list[Text]:
    return [
        _(
            "{number}. {line}",
            number=number,
            line=trees.line(each, discreet=place.discreet, most=None),
        )
        for number, each in enumerate(found, 1)
    ]


@tree.action
def gone(turn: Turn) -> None:
    turn.say(_("That leaf does not hang on the tree any more."))


# Hiding ------------------------------------------------------------------------------------------


@tree.action
def hide(turn: Turn) -> None:
    found = _hers_to_hide(turn, turn.argument)
    if found is None:
        return
    turn.data = {"leaf": found[0].id}
    turn.ask(
        trees.line(found[0], discreet=found[1].discreet, most=None),
        _("Hide this leaf? It is gone from the next picture; the one who wrote it hears of it."),
        choices=(Choice("hide", _("Hide it")), CANCEL),
        then=confirm_hiding,
    )


@tree.step
def confirm_hiding(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _hers_to_hide(turn, turn.data["leaf"])
    if found is None:
        return
    leaf, place = found
    posts.hide(turn.db, leaf.id)
    copies = turn.take_back(leaf.id, None, leaf.author_id or 0)
    note(turn, "hide", place.id, leaf.id)
    turn.tell(
        Audience("member", leaf.author_id or 0),
        _("A facilitator has hidden a leaf of yours from the Happy Tree."),
        _("It may be a small thing; you can ask the facilitator about it."),
        community_id=place.id,
        once=f"leaf_hidden/{leaf.id}",
    )
    turn.say(_("Hidden."), *remaining(copies))


def _hers_to_hide(turn: Turn, post_id: int) -> tuple[Leaf, Community] | None:
    """The leaf and its community, if she facilitates there; else she hears that it does not."""
    found = leaves.find_for(turn.db, turn.member.id, post_id)
    if found is None:
        gone(turn)
        return None
    there = found.community_id
    place = communities.find_where(turn.db, turn.member.id, there, "hide", turn.now)
    if place is None:
        turn.start("facilitate.refuse")
        return None
    return found, place
