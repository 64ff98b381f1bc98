"""Concerns: a safeguarding focal point reads what was reported to her, and answers.

Each look asks anew whether she is a focal point: an old button opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import reporting
from bot.conversation import Conversation
from bot.envelopes import opens
from bot.messages import N_, Choice, Message, Ref, Text, _
from bot.offers import CANCEL
from bot.posting import NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on
from bot.store import audit, communities, envelopes, reports
from bot.store.audiences import Audience
from bot.store.reports import Report
from bot.telling import tell
from bot.turn import Turn

LISTED = 8  # in one list
NOTES = 12  # of one report, in one look

AUTHORS = {
    "reporter": _("The one who reported"),
    "focal_point": _("A focal point"),
}

concerns = Conversation("concerns", words=N_("concerns, open concerns"))


@concerns.start
def start(turn: Turn) -> None:
    """What is open, the longest waiting first."""
    if not communities.list_where(turn.db, turn.member.id, "report.read", turn.now):
        return refuse(turn)
    found = reports.list_open(turn.db, turn.member.id, LISTED)
    if not found:
        return turn.say(_("No concern is open."))
    lines = [
        _("{number}. since {at}", number=number, at=each.created_at.date())
        for number, each in enumerate(found, 1)
    ]
    choices = [
        Choice(f"concerns.read:{each.id}", _("Read {number}", number=number))
        for number, each in enumerate(found, 1)
    ]
    turn.say(_("Open concerns:"), *lines, choices=choices)


@concerns.action
def read(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None:
        return refuse(turn)
    _note(turn, "report.read")
    choices = [Choice(f"concerns.answer:{found.id}", _("Answer"))]
    if found.state == "open":
        choices.append(Choice(f"concerns.close:{found.id}", _("Close this concern")))
    turn.say(*_shown(turn, found), choices=choices)


def _shown(turn: Turn, found: Report) -> list[Text]:
    name: Ref | Text = _("somebody without a name")
    if found.named and found.reporter_id is not None:
        name = Ref("members", found.reporter_id)
    said = reports.list_notes(turn.db, found.id)[-NOTES:]
    return [
        _("A concern, {at}, from {name}:", at=found.created_at, name=name),
        *(
            _("{author}: {note}", author=AUTHORS[each.author], note=Ref("notes", each.id))
            for each in said
        ),
    ]


def _hers(turn: Turn, report_id: int) -> Report | None:
    return reports.find_for(turn.db, turn.member.id, report_id)


@concerns.action
def answer(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None:
        return refuse(turn)
    turn.data = {"report": found.id}
    turn.ask(
        _(
            "Please write or say your answer. "
            "It is opened with the code, maybe on a phone others see or hear."
        ),
        choices=(CANCEL,),
        then=answering,
        free=True,
    )


@concerns.step
def answering(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    found = _hers(turn, turn.data["report"])
    if found is None:
        return refuse(turn)
    if not can_be_passed_on(turn.text, turn.files):
        return turn.again(NOT_PASSED_ON)
    _keep(turn, found)
    _note(turn, "report.answered")
    if found.tells and found.reporter_id is not None:
        content = {"kind": reporting.SENDER, "member": found.reporter_id, "report": found.id}
        content |= reporting.patience(reporting.handles(turn.content), turn.now)
        envelopes.add(turn.db, content, turn.now + reports.delay())
    turn.say(
        _("Your answer is kept. It is read with the code."),
        choices=(Choice(f"concerns.close:{found.id}", _("Close this concern")),),
    )
    _tell_the_others(turn, found)


def _keep(turn: Turn, found: Report) -> None:
    """Her own voice is hers, and goes with her; a report's is nobody's."""
    if turn.text:
        reports.add_note(turn.db, found.id, reports.FOCAL_POINT, turn.text, turn.now)
    lane, files = turn.inbound.lane, turn.files
    reports.add_files(turn.db, found.id, reports.FOCAL_POINT, turn.member.id, lane, files, turn.now)


def _tell_the_others(turn: Turn, found: Report) -> None:
    """So that not two of them answer."""
    turn.tell(
        Audience("safeguarding", found.programme_id, but=(turn.member.id,)),
        _(
            "{name} has answered a concern that was reported.",
            name=Ref("members", turn.member.id),
        ),
        kind="safety",
        choices=(Choice(f"concerns.read:{found.id}", _("Read it")),),
        once=f"report_answered/in{turn.inbox_id}",
    )


@opens(reporting.SENDER)
def tell_reporter(db: Connection, now: datetime, id_: str, content: Mapping[str, Any]) -> None:
    """A neutral word: it says neither what nor from whom, and opens nothing."""
    if reporting.is_early(db, content, now):
        return
    message = Message((_("Something new is there for you."),))
    tell(db, now, f"something_new/{id_}", Audience("member", content["member"]), message)


@concerns.action
def close(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None:
        return refuse(turn)
    if not reports.mark_closed(turn.db, found.id):
        return turn.say(_("It was closed already."))
    _note(turn, "report.closed")
    turn.say(_("Closed. If more is written with its code, it opens again."))


@concerns.action
def refuse(turn: Turn) -> None:
    turn.say(_("Only safeguarding focal points read this."))


def _note(turn: Turn, action: str) -> None:
    """That she did it, not about which report: nothing in the clear leads to one."""
    audit.add(turn.db, turn.member.id, action, turn.now)
