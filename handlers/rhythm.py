"""Rhythm: the next weeks of a community as they will be; leave one out, pick one, send one now."""

from __future__ import annotations

from bot import ahead, almanac
from bot.ahead import Upcoming
from bot.conversation import Conversation
from bot.desk import find_place, note
from bot.i18n import languages, own_name
from bot.messages import N_, Choice, Ref, Text, _
from bot.offers import CANCEL, SEND
from bot.store import communities, contents, editions, schedules
from bot.store.communities import Community
from bot.store.contents import HOLD, Wording
from bot.store.editions import Edition
from bot.store.schedules import KINDS
from bot.timing import date_of, today, zone
from bot.turn import Turn
from bot.weekly import compose

DATES = 9  # that can be chosen: three weeks

rhythm = Conversation("rhythm", command="rhythm", words=N_("rhythm, weekly rhythm"))


@rhythm.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="rhythm.show", power="rhythm")


@rhythm.action
def show(turn: Turn) -> None:
    """The next four weeks, and what can be done about them."""
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    known = schedules.list_of(turn.db, community.id)
    if not known:
        return turn.say(
            _("Nothing is said every week in {community} yet.", community=community.ref),
            choices=(Choice(f"rhythm.begin:{community.id}", _("Begin as usual")),),
        )
    found = ahead.upcoming(turn.db, community, turn.now)
    if not found:
        said = [_("Nothing is planned in {community} for four weeks.", community=community.ref)]
    else:
        said = [_("The next four weeks in {community}:", community=community.ref)]
        said += almanac.lines(found, turn.language)
        if any(each.schedule.timezone is None for each in found):
            said.append(_("Each reads it when it is this hour where he or she is."))
    rests = any(each.rests_until and each.rests_until > _today(turn, community) for each in known)
    turn.say(*said, choices=_ways(community.id, rests=rests, empty=not found))


def _today(turn: Turn, community: Community) -> int:
    return today(turn.now, zone(community.timezone))


def _ways(community_id: int, *, rests: bool, empty: bool) -> list[Choice]:
    found = [] if empty else [Choice(f"rhythm.dates:{community_id}", _("One of these"))]
    found += [
        Choice(f"own.begin:{community_id}", _("Write a new one")),
        Choice(f"schedule.show:{community_id}", _("Days and hours")),
        Choice(f"library.show:{community_id}", _("What was useful")),
    ]
    if rests:
        found.append(Choice(f"rest.end:{community_id}", _("Go on now")))
    else:
        found.append(Choice(f"rest.begin:{community_id}", _("Rest for a while")))
    return found


@rhythm.action
def begin(turn: Turn) -> None:
    """A community from before there was a rhythm."""
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    for kind in KINDS:
        if schedules.find(turn.db, community.id, kind) is None:
            ahead.save(turn.db, ahead.usual(community, kind, turn.now), turn.now)
    note(turn, "rhythm.begun", community.id)
    show(turn)


# One of them -------------------------------------------------------------------------------------


@rhythm.action
def dates(turn: Turn) -> None:
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    found = _open(turn, community)
    if not found:
        return turn.say(_("Nothing is planned that could be changed."))
    turn.data = {"community": community.id}
    turn.ask(
        _("Which one?"),
        choices=[
            *(
                Choice(f"on:{each.schedule.kind}/{each.day}", almanac.label(each))
                for each in found[:DATES]
            ),
            CANCEL,
        ],
        then=date,
    )


def _open(turn: Turn, community: Community) -> list[Upcoming]:
    found = ahead.upcoming(turn.db, community, turn.now)
    return [each for each in found if not almanac.is_over(each)]


@rhythm.step
def date(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    kind, _slash, day = turn.chosen.partition("/")
    turn.data |= {"kind": kind, "day": int(day)}
    _look(turn)


def _look(turn: Turn, *more: Text) -> None:
    """One of them in full, and what can be done about it."""
    found = _chosen(turn)
    if found is None:
        return
    said = [*more, *almanac.lines([found], turn.language)]
    if found.content is not None:
        said.append(_("{content}", content=found.content.ref))
    skipped = found.edition is not None and found.edition.state == "skipped"
    choices = [Choice("resume", _("Say it after all"))] if skipped else _deeds(found)
    turn.ask(*said, choices=[*choices, Choice("back", _("Back"))], then=deed)


def _deeds(found: Upcoming) -> list[Choice]:
    choices = [Choice("skip", _("Leave it out")), Choice("now", _("Send it now"))]
    if found.schedule.kind != "digest":
        choices.insert(1, Choice("pick", _("Another one")))
    if found.content is not None:
        choices.append(Choice("preview", _("In all languages")))
    if found.edition is not None and found.edition.picked:
        choices.append(Choice("unpick", _("As it would come")))
    return choices


def _chosen(turn: Turn) -> Upcoming | None:
    """What was chosen, as it stands now; None, and it is said, if it is over."""
    community = find_place(turn, turn.data["community"], "rhythm")
    if community is None:
        return None
    kind, day = turn.data["kind"], turn.data["day"]
    for each in _open(turn, community):
        if (each.schedule.kind, each.day) == (kind, day):
            return each
    turn.say(_("That has been said already, or is not planned any more."), choices=_back(turn))
    return None


def _back(turn: Turn) -> list[Choice]:
    return [Choice(f"rhythm.show:{turn.data['community']}", _("The next weeks"))]


@rhythm.step
def deed(turn: Turn) -> None:
    found = _chosen(turn)
    if found is None:
        return
    if turn.choice == "back":
        turn.argument = found.schedule.community_id
        return show(turn)
    if turn.choice == "pick":
        return turn.start("pick.begin", **turn.data)
    if turn.choice == "preview":
        return _look(turn, *_looks(turn, found))
    if turn.choice == "now":
        return _ask_now(turn, found)
    _change(turn, found)


def _change(turn: Turn, found: Upcoming) -> None:
    schedule, day = found.schedule, found.day
    done = {
        "skip": lambda: ahead.skip(turn.db, schedule, day, turn.now),
        "resume": lambda: ahead.resume(turn.db, schedule, day, turn.now),
        "unpick": lambda: ahead.pick(turn.db, schedule, day, None, turn.now),
    }[turn.choice or ""]()
    if not done:
        return turn.say(
            _("That has been said already, or is not planned any more."), choices=_back(turn)
        )
    note(turn, f"rhythm.{turn.choice}", schedule.community_id)
    if turn.choice != "skip":
        return _look(turn)
    edition = editions.find_on(turn.db, schedule.id, day)
    undo = [] if edition is None else [Choice(f"rhythm.unskip:{edition.id}", _("Undo"))]
    turn.say(
        _(
            "{kind}: nothing comes on {day}.",
            kind=almanac.KINDS[schedule.kind],
            day=date_of(day),
        ),
        choices=[*undo, *_back(turn)],
    )


@rhythm.action
def unskip(turn: Turn) -> None:
    """What was left out a moment ago comes after all."""
    edition = editions.find(turn.db, turn.argument)
    if edition is None:
        return turn.conversations.events["stale"](turn)
    community = find_place(turn, edition.community_id, "rhythm")
    if community is None:
        return
    schedule = schedules.get(turn.db, edition.schedule_id)
    if not ahead.resume(turn.db, schedule, edition.day, turn.now):
        return turn.conversations.events["stale"](turn)
    note(turn, "rhythm.resume", community.id)
    turn.argument = community.id
    show(turn)


# As it will look ---------------------------------------------------------------------------------


def _looks(turn: Turn, found: Upcoming) -> list[Text]:
    """The whole message in each language, with all that comes in it."""
    community = communities.get(turn.db, found.schedule.community_id)
    together = [
        each
        for each in _open(turn, community)
        if each.at == found.at and each.content is not None and not almanac.is_left_out(each)
    ]
    ids = [each.content.id for each in together if each.content is not None]
    texts = contents.list_wordings(turn.db, ids)
    said = []
    for code in languages():
        message = compose([_as_edition(each) for each in together if _is_read(each, texts, code)])
        said.append(_("In {language}:", language=own_name(code)))
        if message is None:
            said.append(_("Nothing: it is not written in this language yet."))
        else:
            said += [Text(each.msgid, each.params, language=code) for each in message.paragraphs]
    return said


def _is_read(each: Upcoming, texts: dict[int, dict[str, Wording]], language: str) -> bool:
    """Whether it is said to who reads this language; if need be in another one, marked."""
    content = each.content
    return content is not None and (content.fallback != HOLD or language in texts[content.id])


def _as_edition(each: Upcoming) -> Edition:
    schedule = each.schedule
    picked = each.edition is not None and each.edition.picked
    content_id = None if each.content is None else each.content.id
    return Edition(
        0, schedule.id, schedule.community_id, schedule.kind, each.day, "ahead", None,
        content_id, picked, schedule.minutes,
    )  # fmt: skip


# At once -----------------------------------------------------------------------------------------


def _ask_now(turn: Turn, found: Upcoming) -> None:
    shown = [] if found.content is None else [_("{content}", content=found.content.ref)]
    turn.data["content"] = None if found.content is None else found.content.id
    turn.ask(
        *shown,
        _(
            "It goes at once to all in {community} who would like such messages; "
            "where it is night, in the morning.",
            community=Ref("communities", found.schedule.community_id),
        ),
        choices=(SEND, CANCEL),
        then=send,
    )


@rhythm.step
def send(turn: Turn) -> None:
    community = find_place(turn, turn.data["community"], "rhythm")
    if community is None:
        return
    if turn.choice != "send":
        return turn.say(_("Cancelled. Nothing was sent."), choices=_back(turn))
    schedule = schedules.find(turn.db, community.id, turn.data["kind"])
    if schedule is None or not ahead.send_now(
        turn.db, schedule, turn.data["content"], turn.now, turn.data.get("day")
    ):
        return turn.say(_("Something of this kind went out today already."), choices=_back(turn))
    note(turn, "rhythm.now", community.id, turn.data["content"])
    turn.say(_("It leaves within a minute."), choices=_back(turn))
