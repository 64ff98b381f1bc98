"""My data, the part about sessions and the market: headings, and lines under each of them."""

from __future__ import annotations

from bot.messages import Text, _, _n
from bot.store.partaking import Answered, Partaking

Fact = tuple[Text, str | None]  # a sentence, or what something is called and her words for it

ANSWERS = {
    "yes": _("you said that you come"),
    "maybe": _("you said maybe"),
    "no": _("you said that you do not come"),
    "waiting": _("you wait for a seat"),
    "offered": _("a seat was offered to you"),
    "invited": _("you were invited"),
}
NOTES = {"note": _("note"), "decision": _("decision"), "taken": _("what you take with you")}
TASKS = {"open": _("open"), "done": _("done"), "dropped": _("given up")}
TOPICS = {"offer": _("what you offer"), "ask": _("what you would like to learn")}


def parts(found: Partaking) -> list[tuple[Text, list[Fact]]]:
    """Only what there is something in."""
    every = [
        (_("Sessions that you hold"), _held(found)),
        (_("Sessions that you answered to"), [_answered(each) for each in found.answered]),
        (_("Your notes of sessions that were not sent yet"), _noted(found)),
        (_("Tasks that are yours, or that you wrote down"), _tasks(found)),
        (_("What you offer and ask for"), _market(found)),
    ]
    return [(heading, facts) for heading, facts in every if facts]


def _held(found: Partaking) -> list[Fact]:
    facts: list[Fact] = [
        (_("{at}", at=each.at), " / ".join(each.words) or "-") for each in found.held
    ]
    return facts + [(_("{at}: you write the notes", at=at), None) for at in found.writes]


def _answered(each: Answered) -> Fact:
    answer = ANSWERS.get(each.answer, ANSWERS["invited"])
    said = _("{at}: {answer}", at=each.at, answer=answer)
    if each.came:
        said = _("{at}: {answer}; it is noted that you were there", at=each.at, answer=answer)
    return said, each.needs


def _noted(found: Partaking) -> list[Fact]:
    return [
        (
            _("{at}, {kind}", at=each.at, kind=NOTES.get(each.kind, NOTES["note"])),
            each.text or f"({each.file})",
        )
        for each in found.noted
    ]


def _tasks(found: Partaking) -> list[Fact]:
    return [
        (
            _("Yours, {state}", state=TASKS[each.state])
            if each.hers
            else _("Of somebody else, {state}", state=TASKS[each.state]),
            each.text if each.until is None else f"{each.text} ({each.until.isoformat()})",
        )
        for each in found.taken_on
    ]


def _market(found: Partaking) -> list[Fact]:
    facts: list[Fact] = [
        (_("{at}, {kind}", at=at, kind=TOPICS.get(kind, TOPICS["ask"])), text)
        for at, kind, text in found.topics
    ]
    if found.interests:
        some = _n(
            "You are interested in {n} offer or ask of others.",
            "You are interested in {n} offers and asks of others.",
            n=found.interests,
        )
        facts.append((some, None))
    return facts
