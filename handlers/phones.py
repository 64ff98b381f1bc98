"""My apps: link a second app, choose which one messages come to, unlink it again."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import N_, Choice, Message, Text, _
from bot.store import addresses, alerts, codes, lanes, meeting
from bot.store.addresses import Address
from bot.turn import Turn

LASTS = timedelta(minutes=10)  # a code
TOLD_ON = (0, 1, 7)  # days on which her other app hears of a link

phones = Conversation("phones", command="apps", words=N_("my apps, my phones, link my other app"))


@phones.start
def start(turn: Turn) -> None:
    """Her apps and what can be done; what was linked lately sees nothing of the other one."""
    mine = addresses.list_of(turn.db, turn.member.id)
    here = next(each for each in mine if each.id == turn.address_id)
    other = next((each for each in mine if each.id != here.id), None)
    if other is None:
        return turn.say(
            _("You use {app} here, since {day}.", app=here.app, day=here.since.date()),
            _("With a second app you can be reached when one of them fails."),
            choices=(Choice("phones.link", _("Link my other app")),),
        )
    if turn.sender.is_fresh(turn.now):
        return turn.say(
            _("This app ({app}) was linked on {day}.", app=here.app, day=here.since.date()),
            _("For seven days your apps can only be changed from the other one."),
        )
    turn.say(
        _("This app: {app}, since {day}.", app=here.app, day=here.since.date()),
        _("Your other app: {app}, since {day}.", app=other.app, day=other.since.date()),
        _where(here, other),
        choices=_choices(here, other),
    )


def _where(here: Address, other: Address) -> Text:
    if here.preferred or not other.is_usable:
        return _("Messages come to this app.")
    return _("Messages come to your other app.")


def _choices(here: Address, other: Address) -> list[Choice]:
    first = Choice(f"phones.use:{other.id}", _("Use the other first"))
    if other.first_choice:
        first = Choice(f"phones.use:{here.id}", _("Use this one first"))
    return [first, Choice(f"phones.unlink:{other.id}", _("Unlink the other"))]


# Link -------------------------------------------------------------------------------------------


@phones.action
def link(turn: Turn) -> None:
    if len(addresses.list_of(turn.db, turn.member.id)) >= addresses.MOST:
        return start(turn)
    turn.start("secret.ask", then="phones.give_code")


@phones.action
def give_code(turn: Turn) -> None:
    """The code stands in a bubble of its own, so that it can be copied or read out."""
    code = codes.add(turn.db, "link", turn.member.id, LASTS, turn.now)
    links = lanes.list_links(turn.db, "", turn.limits)
    turn.say(
        _("Open your other app, find me there and send me this number within ten minutes:"),
        *(_("{link}", link=link.partition("?")[0]) for link in links),
    )
    turn.say(_("{code}", code=codes.spaced(code)))


@phones.action
def redeem(turn: Turn) -> None:
    """A number of nine digits came. Wrong, expired and used ones look like wrong invite codes."""
    found = codes.find(turn.db, turn.text, turn.now)
    if found is not None and found.member_id == turn.member.id:
        return turn.say(_("This number is for your other app: please send it from there."))
    if found is None or not _may_come(turn, found):
        return turn.start("welcome.wrong_code")
    if not codes.use(turn.db, found.id, turn.now):
        return turn.start("welcome.wrong_code")
    if found.purpose == "vouch":
        return turn.start("vouch.arrive", member=found.member_id)
    _link(turn, found.member_id)


def _may_come(turn: Turn, code: codes.Code) -> bool:
    """Never merged by guessing: an address that is somebody's already stays hers."""
    room = len(addresses.list_of(turn.db, code.member_id)) < addresses.MOST
    if codes.may_use(turn.db, turn.member.id) and (room or code.purpose == "vouch"):
        return True
    codes.count_try(turn.db, code.id)
    return False


def _link(turn: Turn, member_id: int) -> None:
    others = addresses.list_of(turn.db, member_id)
    addresses.attach(turn.db, turn.address_id, member_id, turn.now)
    turn.sender, _new = meeting.meet(turn.db, turn.inbound.lane, turn.inbound.sender, turn.now)
    turn.talk = None
    turn.refresh_commands()
    turn.say(
        _("Your two apps belong together now. What was before is not shown here."),
        _("Messages come to your other app, and to this one if that cannot be reached."),
    )
    for each in others:
        _tell_other(turn, each.id)


def _tell_other(turn: Turn, address_id: int) -> None:
    """On days 0, 1 and 7, to that app itself, in words that tell nobody anything."""
    told = _(
        "Another app was linked to this one on {day}. If that was not you, unlink it now.",
        day=turn.now.date(),
    )
    undo = Choice(f"phones.unlink:{turn.address_id}", _("Unlink the other"))
    for day, key in zip(TOLD_ON, _keys(turn.address_id, turn.now.isoformat()), strict=True):
        due_at = turn.now + timedelta(days=day)
        alerts.add(turn.db, key, Message((told,), (undo,)), address_id, due_at, turn.now)


def _keys(linked_id: int, linked_at: str) -> list[str]:
    return [f"linked/{linked_id}/{linked_at}/{day}" for day in TOLD_ON]


# Change -----------------------------------------------------------------------------------------


@phones.action
def unlink(turn: Turn) -> None:
    """At once: it may be a stranger's."""
    other = addresses.find(turn.db, turn.argument)
    if other is None or not _may_change(turn, other) or other.id == turn.address_id:
        return _not_now(turn)
    addresses.cut(turn.db, other.id, turn.now)
    alerts.drop(turn.db, _keys(other.id, other.since.isoformat()))
    turn.say(
        _("The other app is not linked any more, and nothing goes to it."),
        _("To link it again, write MY APPS."),
    )


@phones.action
def use(turn: Turn) -> None:
    chosen = addresses.find(turn.db, turn.argument)
    if chosen is None or not _may_change(turn, chosen):
        return _not_now(turn)
    addresses.choose_first(turn.db, chosen, turn.now)
    if chosen.id == turn.address_id:
        return turn.say(_("From now on messages come to this app. To change it, write MY APPS."))
    turn.say(_("From now on messages come to your other app. To change it, write MY APPS."))


def _may_change(turn: Turn, address: Address) -> bool:
    return address.member_id == turn.member.id and not turn.sender.is_fresh(turn.now)


def _not_now(turn: Turn) -> None:
    turn.say(_("That is not possible from here just now. To see your apps, write MY APPS."))
