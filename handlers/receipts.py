"""Receipts: with the code of a report its answers are read, on any phone, and more is added."""

from __future__ import annotations

from bot import allowances
from bot.conversation import Conversation
from bot.hearing import learn_language
from bot.messages import N_, Choice, Ref, Text, _
from bot.posting import ONLY_WORDS
from bot.smalltalk import is_small
from bot.store import envelopes, reports
from bot.store.audiences import Audience
from bot.store.reports import Report
from bot.turn import Turn

HELP = Choice("help", _("Get help now"))
CANCEL = Choice("cancel", _("Cancel"))
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
    """What was answered; her own words are not shown again."""
    said = reports.list_notes(turn.db, found.id)
    lines = [
        _("The answer: {note}", note=Ref("notes", each.id))
        for each in said
        if each.author == "focal_point"
    ]
    if not lines:
        lines = [_("What you told is kept. There is no answer yet.")]
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
        _("Please write it. They read it under the same code."),
        choices=(CANCEL,),
        then=more,
        free=True,
    )


@receipts.step
def more(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was sent."))
    if not turn.text or is_small(turn.text):
        reports.forget_words(turn.db, turn.inbox_id)
        return turn.again(ONLY_WORDS)
    found = reports.find(turn.db, turn.data["report"])
    if found is None or not _has_readers(turn, found):
        return turn.start("report.nobody")
    if not allowances.take(turn.db, allowances.REPORTS, turn.address_id, turn.now):
        return turn.say(allowances.REPORTS.over, _("Nothing was sent."))
    reports.add_note(turn.db, found.id, "reporter", turn.text, turn.now)
    reports.forget_words(turn.db, turn.inbox_id)
    content = {"kind": "report", "report": found.id, "what": "more"}
    envelopes.add(turn.db, content, turn.now + reports.delay())
    turn.say(_("Thank you. It is added."))
    _last_bubble(turn)


def _has_readers(turn: Turn, found: Report) -> bool:
    reach = turn.reach(Audience("safeguarding", found.programme_id, but=(turn.member.id,)))
    return bool(reach.now + reach.noticed + reach.later)


def _last_bubble(turn: Turn) -> None:
    """What stands last tells nothing."""
    turn.say(_("You can empty this screen now."), choices=(CLEAR,))
