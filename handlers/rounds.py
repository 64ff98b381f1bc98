"""Story rounds: a facilitator opens the choice of a story that matters most."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import allowances, deadlines
from bot.conversation import Conversation
from bot.desk import find_place, note
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.offers import CANCEL
from bot.scheduler import Counts, Progress, job
from bot.store import communities, rounds
from bot.store.communities import Community
from bot.store.rounds import CHECKING, CLOSED, READING, TIE, WAITING, Round
from bot.store.stories import DOMAINS
from bot.stories import settling, tale
from bot.turn import Turn

rounds_ = Conversation("rounds")


@job(every=timedelta(minutes=1))
def go_on(db: Connection, now: datetime) -> Counts | Progress:
    """What has come due of all rounds."""
    return settling.look(db, now)


@rounds_.action
def show(turn: Turn) -> None:
    """How it stands in a community, and what can be done there."""
    place = find_place(turn, turn.argument, "rounds")
    if place is None:
        return
    found = rounds.find_last(turn.db, place.id)
    if found is None or found.state == CLOSED:
        return turn.say(
            _(
                "In a round of stories {community} reads what its members have told, and chooses "
                "the one that matters most, with reasons.",
                community=place.ref,
            ),
            choices=(Choice(f"rounds.begin:{place.id}", _("Open a round")), *_always(place)),
        )
    turn.say(*_state(found), choices=(*_choices(turn, found), *_always(place)))


def _always(place: Community) -> tuple[Choice, ...]:
    return (
        Choice(f"exports.begin:{place.id}", _("Export stories")),
        Choice(f"concealing.begin:{place.id}", _("Hide a story")),
    )


def _state(found: Round) -> list[Text]:
    about: dict[str, object] = {"place": found.place}
    if found.state == READING:
        return [_("A round of stories is open in {place} until {at}.", at=found.closes_at, **about)]
    if found.state == TIE:
        return [_("More than one story is ahead in {place}. Please decide.", **about)]
    return [_("The choices in {place} are counted.", **about)]


def _choices(turn: Turn, found: Round) -> list[Choice]:
    if found.state == READING:
        return [Choice(f"selection.show:{found.id}", _("Read the stories"))]
    if found.state == TIE:
        return [Choice(f"checking.decide:{found.id}", _("Decide"))]
    if found.state == CHECKING:
        return [Choice(f"checking.publish:{found.id}", _("Tell it now"))]
    return []


# Opening one ------------------------------------------------------------------------------------


@rounds_.action
def begin(turn: Turn) -> None:
    place = find_place(turn, turn.argument, "rounds")
    if place is None:
        return
    if _is_open(turn, place.id):
        return show(turn)
    turn.data = {"community": place.id}
    turn.ask(
        _("Which kind of change is the round about?"),
        choices=(
            Choice("any", _("Any kind")),
            *(Choice(each, tale.KINDS[each]) for each in DOMAINS),
            CANCEL,
        ),
        then=domain,
    )


def _is_open(turn: Turn, community_id: int) -> bool:
    found = rounds.find_last(turn.db, community_id)
    return found is not None and found.state != CLOSED


@rounds_.step
def domain(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    turn.data["domain"] = None if turn.choice == "any" else turn.choice
    turn.ask(
        _("Stories of which time?"),
        choices=(
            Choice("90", _("The last 3 months")),
            Choice("180", _("The last 6 months")),
            Choice("365", _("The last year")),
            CANCEL,
        ),
        then=period,
    )


@rounds_.step
def period(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    turn.data["since"] = (turn.now - timedelta(days=int(turn.choice or 0))).isoformat()
    turn.ask(
        _("Until which day can everybody read and choose? You can also write a day."),
        choices=(Choice("7", _("In one week")), Choice("14", _("In two weeks")), CANCEL),
        then=closing,
        free=True,
    )


@rounds_.step
def closing(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    at = deadlines.read(turn, turn.now)
    if at is None:
        return
    turn.data["closes"] = at.isoformat()
    others = _others(turn)
    if not others:
        turn.data["all"] = False
        return _preview(turn)
    turn.ask(
        _("You facilitate more groups of this programme. Shall the round be open there, too?"),
        choices=(Choice("all", _("In all of them")), Choice("one", _("Only here")), CANCEL),
        then=where,
    )


def _others(turn: Turn) -> list[Community]:
    """More communities of this programme in which she may open one."""
    _programme, of_it = rounds.list_programme(turn.db, turn.data["community"])
    found = communities.list_where(turn.db, turn.member.id, "rounds", turn.now)
    return [each for each in found if each.id in of_it and each.id != turn.data["community"]]


@rounds_.step
def where(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    turn.data["all"] = turn.choice == "all"
    _preview(turn)


def _places(turn: Turn) -> list[tuple[Community, list[int]]]:
    """Where it opens: where there are stories for it, and no other round."""
    here = find_place(turn, turn.data["community"], "rounds")
    if here is None:
        return []
    since = datetime.fromisoformat(turn.data["since"])
    found = [here, *(_others(turn) if turn.data["all"] else [])]
    fitting = [
        (each, rounds.list_fitting(turn.db, each.id, turn.data["domain"], since))
        for each in found
        if not _is_open(turn, each.id)
    ]
    return [(place, ids) for place, ids in fitting if ids]


def _preview(turn: Turn) -> None:
    found = _places(turn)
    if turn.spoke:  # she has the power no more
        return
    if not found:
        return turn.say(
            _("No story of that kind and time may be read there yet. Members tell one with STORY.")
        )
    turn.ask(
        _("A round of stories: {kind}.", kind=tale.kind(turn.data["domain"])),
        *(
            _n(
                "{n} story in {community}.",
                "{n} stories in {community}.",
                n=len(ids),
                community=place.ref,
            )
            for place, ids in found
        ),
        _("Open until {at}.", at=datetime.fromisoformat(turn.data["closes"])),
        *(
            [_("Afterwards the facilitators of the programme choose among what groups chose.")]
            if _goes_on(turn)
            else []
        ),
        choices=(Choice("open", _("Open it")), CANCEL),
        then=confirm,
    )


def _goes_on(turn: Turn) -> bool:
    """Whether there is a level above: a programme of several communities."""
    return len(rounds.list_programme(turn.db, turn.data["community"])[1]) > 1


@rounds_.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    found = _places(turn)
    if turn.spoke:
        return
    closes = datetime.fromisoformat(turn.data["closes"])
    if not found or closes <= turn.now:  # the card lay there for a while
        return turn.say(_("That has changed meanwhile. Let us start again."))
    if not allowances.take(turn.db, allowances.ANNOUNCEMENTS, turn.member.id, turn.now):
        return turn.say(allowances.ANNOUNCEMENTS.over, _("Nothing was sent."))
    above = _above(turn) if _goes_on(turn) else None
    for place, ids in found:
        _open(turn, place, ids, above, closes)
    turn.say(_("It is open. When the time is over I count the choices and let you know."))


def _drop(turn: Turn) -> None:
    turn.say(_("All right, nothing was changed."))


def _above(turn: Turn) -> int:
    """Where the results of this kind of change go on."""
    programme_id, _places_of_it = rounds.list_programme(turn.db, turn.data["community"])
    waiting = rounds.find_waiting(turn.db, programme_id, turn.data["domain"])
    if waiting is not None:
        return waiting
    return rounds.add(
        turn.db,
        programme_id=programme_id,
        opened_by=turn.member.id,
        domain=turn.data["domain"],
        since=datetime.fromisoformat(turn.data["since"]),
        state=WAITING,
    )


def _open(
    turn: Turn, place: Community, ids: list[int], above: int | None, closes: datetime
) -> None:
    id_ = rounds.add(
        turn.db,
        parent_id=above,
        programme_id=rounds.list_programme(turn.db, place.id)[0],
        community_id=place.id,
        opened_by=turn.member.id,
        domain=turn.data["domain"],
        since=datetime.fromisoformat(turn.data["since"]),
        state=READING,
        opened_at=turn.now,
        closes_at=closes,
        next_at=closes,
    )
    rounds.enter(turn.db, id_, ids)
    note(turn, "stories.round", place.id, id_)
    found = rounds.find(turn.db, id_)
    assert found is not None
    message = Message(_invitation(turn, found, len(ids)), (_read(found),))
    key = f"round/{id_}/opened"
    settling.call(turn.db, turn.now, found, message, key, closes, but=(turn.member.id,))


def _invitation(turn: Turn, found: Round, n: int) -> tuple[Text, ...]:
    return (
        _n(
            "{name} opens a round of stories in {place}: {n} story.",
            "{name} opens a round of stories in {place}: {n} stories.",
            n=n,
            name=Ref("members", turn.member.id),
            place=found.place,
        ),
        _(
            "Until {at}, please read or listen, choose the one that matters most, and say why.",
            at=found.closes_at,
        ),
    )


def _read(found: Round) -> Choice:
    return Choice(f"selection.show:{found.id}", _("Read the stories"))
