"""Report a concern: it goes to the safeguarding focal points alone, outside groups and threads.

What was reported is read again only with the receipt code, from any phone. What joins a nameless
report to a member is kept only if she wishes to hear of an answer, and then sealed; others are told
after a short random time, so that the moment names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import allowances, reporting
from bot.conversation import Conversation
from bot.envelopes import opens
from bot.hearing import learn_language
from bot.messages import N_, Choice, Message, Ref, Text, _, _n
from bot.nameless import tells_by_sight
from bot.offers import ANYWAY, AS_IT_IS, CANCEL, WRITE_INSTEAD
from bot.posting import NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on, is_small
from bot.store import programmes, reports
from bot.store.audiences import Audience
from bot.telling import tell
from bot.turn import BURST, Turn

HELP = Choice("help", _("Get help now"))
CLEAR = Choice("discreet.clear", _("Clear"))

report = Conversation("report", words=N_("report a concern, report, safe report"), anywhere=True)


# Reporting ---------------------------------------------------------------------------------------


@report.start
def start(turn: Turn) -> None:
    learn_language(turn.db, turn.member, turn.inbound)
    found = reports.list_programmes(turn.db, turn.member.id)
    if len(found) < 2:
        return _begin(turn, found[0] if found else 0)
    choices = [
        Choice(f"programme:{id_}", _("{programme}", programme=Ref("programmes", id_)))
        for id_ in found
    ]
    turn.ask(
        _("You can tell of something that worries you. Which programme is it about?"),
        choices=[*choices, HELP, CANCEL],
        then=programme,
    )


@report.step
def programme(turn: Turn) -> None:
    if turn.choice == "help":
        turn.start("support.show")
        return start(turn)
    if turn.choice == "cancel":
        return _cancel(turn)
    _begin(turn, int(turn.chosen))


def _begin(turn: Turn, programme_id: int) -> None:
    count = _count_readers(turn, programme_id)
    if not count:
        return _nobody(turn, _("Nobody is named here who could take a concern just now."))
    turn.data = {"programme": programme_id}
    turn.ask(
        _n(
            "Here you can tell of something that worries you. "
            "{n} safeguarding focal point reads it, nobody else: no group and no facilitator.",
            "Here you can tell of something that worries you. "
            "{n} safeguarding focal points read it, nobody else: no group and no facilitator.",
            n=count,
        ),
        _(
            "Write or say it in your own words, in one message or several. "
            "Is it about one of those who would read it? Then please turn to {contact}.",
            contact=programmes.contact(turn.db),
        ),
        choices=(HELP, Choice("code", _("I have a code")), CANCEL),
        then=words,
        free=True,
    )


def _count_readers(turn: Turn, programme_id: int) -> int:
    """Those beside her who can be reached, now or when they write here again."""
    reach = turn.reach(Audience("safeguarding", programme_id, but=(turn.member.id,)))
    return reach.now + reach.noticed + reach.later


@report.action
def nobody(turn: Turn) -> None:
    """Where more was to be added, and nobody is there to read it any more."""
    _nobody(turn, _("Nobody who could take it can be reached any more."))


def _nobody(turn: Turn, why: Text) -> None:
    """Nothing is swallowed: it is said who can be asked, and where there is help."""
    turn.say(
        why,
        _("Nothing was sent or kept. Please turn to {contact}.",
          contact=programmes.contact(turn.db)),
        choices=(
            Choice("support.show", _("Get help now")),
            Choice("receipts.start", _("I have a code")),
        ),
    )  # fmt: skip


@report.step
def words(turn: Turn) -> None:
    if turn.choice == "help":
        turn.start("support.show", **turn.data)
        return _begin(turn, turn.data["programme"])
    if turn.choice == "code":
        return turn.start("receipts.start")
    if turn.choice == "cancel":
        return _cancel(turn)
    if _says_something(turn):
        _take(turn)
        _ask_name(turn)


def _says_something(turn: Turn) -> bool:
    if is_small(turn.text, turn.files):
        turn.again(_("Please write a few words on what happened."))
    elif not can_be_passed_on(turn.text, turn.files):
        reports.forget_words(turn.db, turn.inbox_id)
        turn.again(NOT_PASSED_ON)
    else:
        return True
    return False


def _take(turn: Turn) -> None:
    """It stands in the sealed talk, and later in the report; the inbox forgets it."""
    reporting.add_words(turn.data, turn.inbound, turn.text)
    turn.data["files"] = [*_files(turn), *reporting.handles(turn.content)]
    reports.forget_words(turn.db, turn.inbox_id)


def _files(turn: Turn) -> list[reporting.Handle]:
    found: list[reporting.Handle] = turn.data.get("files", [])
    return found


@report.action
def edit(turn: Turn) -> None:
    """A bubble that was changed before anything was sent."""
    reports.forget_words(turn.db, turn.inbox_id)
    if turn.talk is None or not reporting.change_words(turn.talk.data, turn.inbound, turn.text):
        return
    if not turn.postpone():
        turn.say(_("Your change is saved."))


def _ask_name(turn: Turn) -> None:
    if turn.member.name is None:  # nobody here knows it
        turn.data["named"] = False
        return _warn(turn)
    turn.ask(
        _("Shall they see your name?"),
        _(
            "Without it they do not learn from here who you are. "
            "What the words themselves tell, it cannot hide."
        ),
        choices=(
            Choice("named", _("With my name")),
            Choice("nameless", _("Without my name")),
            HELP,
            CANCEL,
        ),
        then=name,
        free=True,
        after=BURST,
    )


@report.step
def name(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _cancel(turn)
    if turn.choice == "help":
        turn.start("support.show", **turn.data)
        return _ask_name(turn)
    if turn.choice is None:
        return _add(turn)
    turn.data["named"] = turn.choice == "named"
    _warn(turn)


def _add(turn: Turn) -> None:
    """A further bubble of what she tells."""
    if not _says_something(turn):
        return
    _take(turn)
    if turn.postpone():
        return turn.wait()
    turn.again(_("Added."))


def _warn(turn: Turn) -> None:
    """A voice needs no name to be known."""
    told = [] if turn.data["named"] else tells_by_sight(reporting.kinds(_files(turn)))
    if not told:
        return _ask_whether_to_tell(turn)
    turn.ask(
        *told,
        AS_IT_IS,
        choices=(ANYWAY, WRITE_INSTEAD, CANCEL),
        then=sure,
    )


@report.step
def sure(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _cancel(turn)
    if turn.choice == "write":
        turn.data["files"] = []
    if reporting.words(turn.data) or _files(turn):
        return _ask_whether_to_tell(turn)
    turn.ask(
        _("Please write it here. Nothing was sent."),
        choices=(HELP, CANCEL),
        then=words,
        free=True,
    )


def _ask_whether_to_tell(turn: Turn) -> None:
    turn.ask(
        _(
            "Shall I tell you here when an answer comes? "
            "I would only write that something new is there for you."
        ),
        choices=(Choice("tell", _("Yes, tell me")), Choice("quiet", _("No, I use the code"))),
        then=receipt,
    )


@report.step
def receipt(turn: Turn) -> None:
    """It is kept, and those who read it are told."""
    programme_id, named = turn.data["programme"], turn.data["named"]
    if not _count_readers(turn, programme_id):
        return nobody(turn)
    if not allowances.take(turn.db, allowances.REPORTS, turn.address_id, turn.now):
        return _nobody(turn, allowances.REPORTS.over)
    report_id, receipt_code = reports.add(
        turn.db,
        programme_id,
        turn.member.id,
        reporting.words(turn.data),
        turn.now,
        named=named,
        tells=turn.choice == "tell",
    )
    at_once = named and not _files(turn)
    _tell_readers(turn, report_id, named=named, at_once=at_once)
    turn.say(
        *_who_gets_it(turn, programme_id, at_once=at_once),
        _("Your code: {code}", code=receipt_code),
        _(
            "Please write it down where nobody finds it: it is shown only now. "
            "With it you read what is answered, from any phone: send just the code."
        ),
    )
    _last_bubble(turn)


def _who_gets_it(turn: Turn, programme_id: int, *, at_once: bool) -> list[Text]:
    reach = turn.reach(Audience("safeguarding", programme_id, but=(turn.member.id,)))
    if not reach.now + reach.noticed:
        return [
            _("Thank you for telling it. They get it when they write here again."),
            _("If it cannot wait, please also turn to {contact}.",
              contact=programmes.contact(turn.db)),
        ]  # fmt: skip
    if at_once:
        return [_("Thank you for telling it. They get it now.")]
    return [_("Thank you for telling it. They get it in a few minutes.")]


def _tell_readers(turn: Turn, report_id: int, *, named: bool, at_once: bool) -> None:
    """When all of it is there; the moment at which a nameless one comes is nobody's."""
    if at_once:
        content = {"report": report_id, "what": "new"}
        return tell_readers.open(turn.db, turn.now, f"{turn.inbox_id}", content)
    due_at = turn.now if named else turn.now + reports.delay()
    files = _files(turn)
    reporting.pass_on(turn.db, report_id, turn.member.id, "new", files, turn.now, due_at)


def _cancel(turn: Turn) -> None:
    turn.say(_("Cancelled. Nothing was sent."))


def _last_bubble(turn: Turn) -> None:
    """What stands last tells nothing."""
    turn.say(_("You can empty this screen now."), choices=(CLEAR,))


@opens(reporting.READERS)
def tell_readers(db: Connection, now: datetime, id_: str, content: Mapping[str, Any]) -> None:
    """Only that there is something; its words are shown to who is a focal point when she asks."""
    found = reports.find(db, content["report"])
    if found is None or reporting.is_early(db, content, now):
        return
    if not reports.list_notes(db, found.id):  # who said it was forgotten before it came
        return
    about = _("A concern was reported to the safeguarding focal points.")
    if content["what"] == "more":
        about = _("Something was added to a concern that was reported.")
    message = Message((about,), choices=(Choice(f"concerns.read:{found.id}", _("Read it")),))
    audience = Audience("safeguarding", found.programme_id)
    tell(db, now, f"report/{found.id}/{id_}", audience, message, kind="safety")
