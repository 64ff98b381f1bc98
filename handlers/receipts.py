"""Receipts: with the code of a report its answers are read, on any phone, and more is added."""

from __future__ import annotations

from bot import allowances, reporting
from bot.conversation import Conversation
from bot.hearing import learn_language
from bot.messages import N_, Choice, Ref, Text, _
from bot.nameless import tells_by_sight
from bot.offers import ANYWAY, AS_IT_IS, CANCEL, WRITE_INSTEAD
from bot.posting import NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on, is_small
from bot.store import reports
from bot.store.audiences import Audience
from bot.store.reports import Report
from bot.turn import Turn

HELP = Choice("help", _("Get help now"))
CLEAR = Choice("discreet.clear", _("Clear"))

receipts = Conversation("receipts", words=N_("i have a code, my receipt"), anywhere=True)


@receipts.start
def start(turn: Turn) -> None:
    learn_language(turn.db, turn.member, turn.inbound)
    turn.data = {}
    turn.ask(_("Please write the code."), choices=(HELP, CANCEL), then=look, free=True)


@receipts.on("receipt")
def came(turn: Turn) -> None:
    """Somebody sends just the code, wherever she is."""
    learn_language(turn.db, turn.member, turn.inbound)
    if turn.talk is not None and turn.talk.step.startswith("receipts."):
        turn.answer(turn.talk)
    look(turn)


@receipts.step
def look(turn: Turn) -> None:
    """A wrong code, an old one and one that never was look alike."""
    if turn.choice == "help":
        turn.start("support.show")
        return start(turn)
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    reports.forget_words(turn.db, turn.inbox_id)
    if not allowances.take(turn.db, allowances.RECEIPTS, turn.address_id, turn.now):
        return turn.say(allowances.RECEIPTS.over)
    wanted = reports.find_code(turn.text)
    found = None if wanted is None else reports.find_by_code(turn.db, wanted)
    if found is None:
        return turn.say(
            _("I find nothing for this code. Please look at it once more, then send it again.")
        )
    turn.data = {"report": found.id}
    turn.ask(
        *_answers(turn, found),
        choices=(Choice("more", _("Write more")), HELP, Choice("done", _("Done"))),
        then=after_reading,
    )


def _answers(turn: Turn, found: Report) -> list[Text]:
    """What was answered, and what of hers did not arrive; nothing else of hers is shown again."""
    said = reports.list_notes(turn.db, found.id)
    lines = [
        _("The answer: {note}", note=Ref("notes", each.id))
        for each in said
        if each.author == "focal_point"
    ]
    if not lines:
        lines = [_("What you told is kept. There is no answer yet.")]
    lines += [
        _("{note}", note=Ref("notes", each.id))
        for each in said
        if (each.author, each.file) == (reports.REPORTER, "failed")
    ]
    if found.state == "closed":
        lines.append(_("It is closed. If you write more, it is opened again."))
    return lines


@receipts.step
def after_reading(turn: Turn) -> None:
    if turn.choice == "help":
        return turn.start("support.show")
    if turn.choice == "done":
        return _last_bubble(turn)
    turn.ask(
        _("Please write or say it. They get it under the same code."),
        choices=(CANCEL,),
        then=more,
        free=True,
    )


@receipts.step
def more(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    reports.forget_words(turn.db, turn.inbox_id)
    if is_small(turn.text, turn.files):
        return turn.again(_("Please write a few words on what happened."))
    if not can_be_passed_on(turn.text, turn.files):
        return turn.again(NOT_PASSED_ON)
    files = reporting.handles(turn.content)
    reporting.add_words(turn.data, turn.inbound, turn.text)
    turn.data["files"] = files
    told = [] if _is_named(turn) else tells_by_sight(reporting.kinds(files))
    if not told:
        return _add(turn)
    turn.ask(
        *told,
        AS_IT_IS,
        choices=(ANYWAY, WRITE_INSTEAD, CANCEL),
        then=sure,
    )


def _is_named(turn: Turn) -> bool:
    found = reports.find(turn.db, turn.data["report"])
    return found is not None and found.named


@receipts.step
def sure(turn: Turn) -> None:
    """A voice needs no name to be known."""
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    if turn.choice == "write":
        turn.data["files"] = []
    if reporting.words(turn.data) or turn.data["files"]:
        return _add(turn)
    turn.ask(_("Please write it here. Nothing was sent."), choices=(CANCEL,), then=more, free=True)


def _add(turn: Turn) -> None:
    found = reports.find(turn.db, turn.data["report"])
    if found is None or not _has_readers(turn, found):
        return turn.start("report.nobody")
    if not allowances.take(turn.db, allowances.REPORTS, turn.address_id, turn.now):
        return turn.say(allowances.REPORTS.over, _("Nothing was sent."))
    words, files = reporting.words(turn.data), turn.data["files"]
    if words:
        reports.add_note(turn.db, found.id, reports.REPORTER, words, turn.now)
    due_at = turn.now + reports.delay()
    reporting.pass_on(turn.db, found.id, turn.member.id, "more", files, turn.now, due_at)
    turn.say(_("Thank you. It is added."))
    _last_bubble(turn)


def _has_readers(turn: Turn, found: Report) -> bool:
    reach = turn.reach(Audience("safeguarding", found.programme_id, but=(turn.member.id,)))
    return bool(reach.now + reach.noticed + reach.later)


def _last_bubble(turn: Turn) -> None:
    """What stands last tells nothing."""
    turn.say(_("You can empty this screen now."), choices=(CLEAR,))
