"""Secret word: what only she knows, asked before something of hers is shown or linked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.conversation import Conversation
from bot.i18n import fold, graphemes
from bot.messages import N_, Choice, Message, Text, _
from bot.offers import CANCEL
from bot.store import addresses, alerts, doubts, proofs
from bot.store.proofs import Proof
from bot.turn import Turn

SHORTEST = 4  # signs
LONGEST = 100
OPEN_FOR = timedelta(minutes=10)  # after the right word, on that app
TOLD_ON = (0, 1)  # days on which her apps hear that the word is to go

secret = Conversation(
    "secret", command="secret", words=N_("secret word, my secret word"), anywhere=True
)


@secret.start
def start(turn: Turn) -> None:
    """What it is for, and what can be done with it."""
    if proofs.find(turn.db, turn.member.id, turn.now) is not None:
        return turn.say(
            _("You have a secret word. What shall happen with it?"),
            choices=(
                Choice("secret.change", _("Change it")),
                Choice("secret.remove", _("Remove it")),
                Choice("secret.forgot", _("I forgot it")),
            ),
        )
    if turn.sender.is_fresh(turn.now):
        return turn.say(_("This app was linked lately. Please do it in your other app."))
    _ask_for_one(
        turn,
        _(
            "With a secret word, only you can open your questions and your data here, "
            "or link another app."
        ),
    )


# Asked by other talks ---------------------------------------------------------------------------


@secret.action
def ask(turn: Turn) -> None:
    """Go on with data["then"] when she has given her word, or needs none just now.

    The rest of the data and turn.argument are there again.
    """
    turn.data = {"argument": turn.argument} | turn.data
    until = turn.sender.unlocked_until
    unlocked = until is not None and until > turn.now
    found = None
    if turn.member.has_secret and not unlocked:
        found = proofs.find(turn.db, turn.member.id, turn.now)
    if found is None:
        return _go_on(turn, turn.data)
    if found.is_closed(turn.now):
        return _closed(turn)
    turn.ask(
        _("Please write your secret word."),
        choices=(Choice("forgot", _("I forgot it")), CANCEL),
        then=word,
        free=True,
    )


def _go_on(turn: Turn, data: dict[str, Any]) -> None:
    rest = dict(data)
    turn.argument = rest.pop("argument", 0)
    turn.start(rest.pop("then"), **rest)


def _closed(turn: Turn) -> None:
    turn.say(_("Several words were tried. Please wait half an hour, then try again."))


@secret.step
def word(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing changes."))
    if turn.choice == "forgot":
        return forgot(turn)
    asked_to_delete = _hide(turn)
    before = proofs.find(turn.db, turn.member.id, turn.now)
    if proofs.check(turn.db, turn.member.id, turn.text, turn.now):
        _tell_no_more(turn, before)
        doubts.unlock(turn.db, turn.address_id, turn.now + OPEN_FOR)
        _say_if(turn, asked_to_delete)
        return _go_on(turn, turn.data)
    found = proofs.find(turn.db, turn.member.id, turn.now)
    if found is not None and found.is_closed(turn.now):
        _say_if(turn, asked_to_delete)
        return _closed(turn)
    turn.again(*asked_to_delete, _("That is not the word. Please try once more."))


def _hide(turn: Turn) -> list[Text]:
    """Take her bubble away; where the app does not allow it she is asked to."""
    if not turn.text or turn.delete_hers():
        return []
    return [_("Please delete your message with the word from this chat.")]


def _say_if(turn: Turn, said: list[Text]) -> None:
    if said:
        turn.say(*said)


# Set, change, remove ----------------------------------------------------------------------------


@secret.action
def change(turn: Turn) -> None:
    turn.start("secret.ask", then="secret.write")


@secret.action
def write(turn: Turn) -> None:
    _ask_for_one(turn)


def _ask_for_one(turn: Turn, *before: Text) -> None:
    turn.data = {}
    turn.ask(
        *before,
        _("Write a word of at least four letters that nobody can guess."),
        choices=(CANCEL,),
        then=first,
        free=True,
    )


@secret.step
def first(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing changes."))
    asked_to_delete = _hide(turn)
    if not SHORTEST <= graphemes(fold(turn.text)) <= LONGEST:
        return turn.again(*asked_to_delete, _("Please write at least four letters."))
    turn.data = {"proof": proofs.make(turn.text)}
    turn.ask(
        *asked_to_delete,
        _("Please write it once more, so that no letter is wrong."),
        choices=(CANCEL,),
        then=second,
        free=True,
    )


@secret.step
def second(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing changes."))
    asked_to_delete = _hide(turn)
    if not proofs.matches(turn.data["proof"], turn.text):
        return _ask_for_one(turn, *asked_to_delete, _("The two words were not the same."))
    proofs.save(turn.db, turn.member.id, Proof(turn.data["proof"]))
    doubts.unlock(turn.db, turn.address_id, None)
    turn.say(
        *asked_to_delete,
        _("Your secret word is set. To change or remove it, write SECRET WORD."),
    )


@secret.action
def remove(turn: Turn) -> None:
    turn.start("secret.ask", then="secret.drop")


@secret.action
def drop(turn: Turn) -> None:
    proofs.remove(turn.db, turn.member.id)
    turn.say(_("No secret word is asked any more. To set one again, write SECRET WORD."))


# Forgotten --------------------------------------------------------------------------------------


@secret.action
def forgot(turn: Turn) -> None:
    """It goes after a week in which all her apps hear of it, and each of them can keep it."""
    found = proofs.find(turn.db, turn.member.id, turn.now)
    if found is None:
        return turn.say(_("No secret word is asked any more. To set one again, write SECRET WORD."))
    if turn.sender.is_fresh(turn.now):
        return turn.say(_("This app was linked lately. Please do it in your other app."))
    if found.forgotten_at is None:
        found = Proof(found.proof, found.tries, found.since, turn.now.isoformat())
        proofs.save(turn.db, turn.member.id, found)
        _tell_all(turn, found)
    turn.say(
        _("Your word is removed in seven days. Until then your apps are told."),
        choices=(Choice("secret.keep", _("Keep my word")),),
    )


def _tell_all(turn: Turn, proof: Proof) -> None:
    told = _(
        "Your secret word is removed on {day}, because somebody asked for it here. "
        "If that was not you, keep it.",
        day=(turn.now + proofs.FORGOTTEN).date(),
    )
    keep_it = Choice("secret.keep", _("Keep my word"))
    for address_id, day, key in _keys(turn, proof):
        if day or address_id != turn.address_id:  # she reads it in the answer
            due_at = turn.now + timedelta(days=day)
            alerts.add(turn.db, key, Message((told,), (keep_it,)), address_id, due_at, turn.now)


def _tell_no_more(turn: Turn, proof: Proof | None) -> None:
    if proof is not None and proof.forgotten_at is not None:
        alerts.drop(turn.db, [key for _address, _day, key in _keys(turn, proof)])


def _keys(turn: Turn, proof: Proof) -> list[tuple[int, int, str]]:
    """(address, day, key) of all that her apps are told about a word that was forgotten."""
    mine = addresses.list_of(turn.db, turn.member.id)
    return [
        (each.id, day, f"forgot/{each.id}/{proof.forgotten_at}/{day}")
        for each in mine
        for day in TOLD_ON
    ]


@secret.action
def keep(turn: Turn) -> None:
    found = proofs.find(turn.db, turn.member.id, turn.now)
    if found is None:
        return turn.say(_("That is over already."))
    _tell_no_more(turn, found)
    proofs.save(turn.db, turn.member.id, Proof(found.proof, found.tries, found.since))
    turn.say(_("Your secret word stays as it is."))
