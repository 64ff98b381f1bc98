"""Wording: a facilitator has her programme say a sentence in its own words, at once and for all."""

from __future__ import annotations

import regex

from bot import proofreading, sentences
from bot.conversation import Conversation
from bot.desk import note
from bot.i18n import languages, own_name, plural_forms, shorten, units
from bot.messages import N_, Choice, Text, _, _n
from bot.offers import CANCEL, CHANGE
from bot.sentences import Sentence
from bot.smalltalk import has_words, is_taken
from bot.store import communities, overrides
from bot.store.communities import Community
from bot.store.overrides import Override
from bot.turn import Turn

LISTED = 6  # sentences to choose from
LONGEST = 1000  # UTF-16 units, so that it is one bubble
LABEL = 20  # letters on a button

wording = Conversation("wording", words=N_("wording, own words"))


@wording.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="wording.begin", power="wording")


def _mine(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "wording", turn.now)


@wording.action
def begin(turn: Turn) -> None:
    community = _mine(turn, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    turn.data = {
        "programme": overrides.programme_of(turn.db, community.id),
        "community": community.id,
        "language": turn.language,
    }
    turn.ask(
        _("Which sentence of mine shall read otherwise? Send some words of it, as you see them."),
        then=find,
    )


@wording.step
def find(turn: Turn) -> None:
    """What she has seen on her phone, by some words of it."""
    if not turn.text or not has_words(turn.text):
        return turn.again(_("Please write it in words."))
    language = turn.data["language"]
    own = {(language, each.msgid): each.forms for each in _theirs(turn)}
    found = sentences.search(language, turn.text, own, _commands(turn), LISTED)
    mine = [each for each in found if not each.is_fixed]
    if not mine:
        if found:
            return turn.again(
                _(
                    "What I say about safety, reports and consent reads the same everywhere. "
                    "Send some words of another sentence:"
                )
            )
        return turn.again(_("I say nothing like that. Send some other words of it:"))
    turn.data["found"] = [each.msgid for each in mine]
    said = [_words(own.get((language, each.msgid), each.forms)[-1]) for each in mine]
    turn.ask(
        _("Which one do you mean?"),
        *said,
        choices=[
            *(Choice(f"found:{at}", _shown(each)) for at, each in enumerate(said)),
            Choice("none", _("None of these")),
        ],
        then=choose,
        free=True,
    )


def _theirs(turn: Turn) -> list[Override]:
    return overrides.list_of(turn.db, turn.data["programme"], turn.data["language"])


def _commands(turn: Turn) -> set[str]:
    """What is typed, and what a menu of commands says: neither is said in a message."""
    found = {each.words for each in turn.conversations.all}
    return found | {each.about.msgid for each in turn.conversations.all if each.about}


def _words(text: str) -> Text:
    return _("{words}", words=text)


def _shown(text: Text) -> Text:
    return _words(shorten(str(text.params["words"]), LABEL))


@wording.step
def choose(turn: Turn) -> None:
    if turn.choice is None:  # other words
        find(turn)
        return
    if turn.choice == "none":
        turn.ask(_("Send some other words of it:"), then=find)
        return
    sentence = _sentence(turn, turn.data["found"][int(turn.chosen)])
    if sentence is None:
        return turn.say(_("All right, nothing was changed."))
    turn.data |= {"msgid": sentence.msgid, "forms": []}
    _ask_form(turn, sentence)


def _sentence(turn: Turn, msgid: str) -> Sentence | None:
    """It may be gone meanwhile: people answer days later, and deploys come in between."""
    found = sentences.all_of(turn.data["language"]).get(msgid)
    return None if found is None or found.is_fixed else found


def _override(turn: Turn, sentence: Sentence) -> Override | None:
    programme_id, language = turn.data["programme"], turn.data["language"]
    return overrides.find_of(turn.db, programme_id, language, sentence.msgid, sentence.plural)


def _ask_form(turn: Turn, sentence: Sentence) -> None:
    """How it reads now, and how it shall; where a number decides, once for one and once for many"""
    at = len(turn.data["forms"])
    there = _override(turn, sentence)
    forms = sentence.forms if there is None else there.forms
    asked = _("How shall it read? Please send the whole of it.")
    if _count_forms(turn, sentence) > 1:
        asked = _("How shall it read for one?") if at == 0 else _("How shall it read for more?")
    fields = _fields(sentence.forms[at])
    kept = [_("Please keep {fields} as it stands.", fields=fields)] if fields else []
    back = [] if there is None else [Choice("usual", _("Back to usual"))]
    turn.ask(
        _("It reads now:"),
        _words(forms[min(at, len(forms) - 1)]),
        asked,
        *kept,
        choices=back,
        then=write,
        free=True,
    )


def _count_forms(turn: Turn, sentence: Sentence) -> int:
    return 1 if sentence.plural is None else plural_forms(turn.data["language"])[0]


def _fields(form: str) -> str:
    return ", ".join(dict.fromkeys(regex.findall(r"\{\w+\}", form)))


@wording.step
def write(turn: Turn) -> None:
    sentence = _sentence(turn, turn.data["msgid"])
    if sentence is None:
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "usual":
        return _back_to_usual(turn, sentence)
    fault = _fault(turn, sentence)
    if fault is not None:
        return turn.again(fault)
    turn.data["forms"].append(turn.text)
    if len(turn.data["forms"]) < _count_forms(turn, sentence):
        return _ask_form(turn, sentence)
    _preview(turn)


def _fault(turn: Turn, sentence: Sentence) -> Text | None:
    """What she can mend, in her words; then all that must not go out."""
    language, at = turn.data["language"], len(turn.data["forms"])
    if turn.files or not turn.text or not has_words(turn.text):
        return _("Please write it in words.")
    if units(turn.text) > LONGEST:
        return _("That is too long for one message. Please make it shorter.")
    wanted, found = (
        set(regex.findall(r"\{.*?\}", text)) for text in (sentence.forms[at], turn.text)
    )
    if wanted - found:
        lost = ", ".join(sorted(wanted - found))
        return _("Please keep {fields} as it stands.", fields=lost)
    if found - wanted:
        more = ", ".join(sorted(found - wanted))
        return _("Please leave out {fields}: I have nothing to put there.", fields=more)
    if _may_be_label(sentence) and len(turn.text) > LABEL:
        return _("This stands on a button: at most {n} letters, please.", n=LABEL)
    if _may_be_label(sentence) and is_taken(turn.text, sentence.forms[at]):
        return _("People type this word for something else. Please find another for the button.")
    # Each form is judged alone: for one form only, the sentence it stands for.
    source = (
        sentence.plural if sentence.plural and at == len(sentence.forms) - 1 else sentence.msgid
    )
    if proofreading.of_sentence(language, [turn.text], source):
        return _(
            "Please write it in {language}, without unusual signs.", language=own_name(language)
        )
    return None


def _may_be_label(sentence: Sentence) -> bool:
    """Labels are short in every language; what is short everywhere may be one."""
    said = (sentences.all_of(code).get(sentence.msgid) for code in languages())
    return all(len(form) <= LABEL for each in said if each for form in each.forms)


def _back_to_usual(turn: Turn, sentence: Sentence) -> None:
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    programme_id, language = turn.data["programme"], turn.data["language"]
    if overrides.remove(turn.db, programme_id, language, sentence.msgid, sentence.plural):
        note(turn, "wording.usual", community.id, programme_id)
    turn.say(_("It reads again as it does everywhere."))


def _preview(turn: Turn) -> None:
    groups = overrides.count_groups(turn.db, turn.data["programme"])
    turn.ask(
        _("It will read:"),
        *(_words(form) for form in turn.data["forms"]),
        _n(
            "For all in your group who read {language}.",
            "For all in the {n} groups of your programme who read {language}.",
            n=groups,
            language=own_name(turn.data["language"]),
        ),
        choices=(Choice("save", _("Save")), CHANGE, CANCEL),
        then=confirm,
    )


@wording.step
def confirm(turn: Turn) -> None:
    sentence = _sentence(turn, turn.data["msgid"])
    if turn.choice == "cancel" or sentence is None:
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "change":
        turn.data["forms"] = []
        return _ask_form(turn, sentence)
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    saved = overrides.save(
        turn.db,
        turn.data["programme"],
        turn.data["language"],
        sentence.msgid,
        turn.data["forms"],
        turn.now,
        plural=sentence.plural,
        author_id=turn.member.id,
    )
    note(turn, "wording.save", community.id, saved)
    turn.say(
        _("From now on it reads so."),
        choices=(Choice(f"wording.undo:{saved}", _("Undo")),),
    )


@wording.action
def undo(turn: Turn) -> None:
    """Whoever may word the programme's sentences now; what was there before comes back."""
    found = overrides.find(turn.db, turn.argument)
    if found is None:
        return turn.say(_("It reads as before already."))
    places = communities.list_where(turn.db, turn.member.id, "wording", turn.now)
    place = next(
        (p for p in places if overrides.programme_of(turn.db, p.id) == found.programme_id), None
    )
    if place is None:
        return turn.start("facilitate.refuse")
    overrides.undo(turn.db, found.id, turn.now)
    note(turn, "wording.undo", place.id, found.id)
    turn.say(_("It reads as before again."))
