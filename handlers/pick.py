"""Pick: which tip or question comes on a day, chosen from a list or found by a word."""

from __future__ import annotations

from bot import ahead
from bot.conversation import Conversation
from bot.i18n import fold
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.store import audit, communities, contents, editions, schedules
from bot.store.contents import Content
from bot.timing import date_of
from bot.turn import Turn

LISTED = 6  # in one message
SHOWN = 90  # graphemes of each
SHORTEST_WORD = 2  # letters

pick = Conversation("pick")


@pick.action
def begin(turn: Turn) -> None:
    """From bot/rhythm's talk: data names the community, the kind and the day."""
    if "kind" not in turn.data:
        return turn.conversations.events["stale"](turn)
    turn.data["from"] = 0
    _list(turn)


def _list(turn: Turn, *more: Text) -> None:
    found = _known(turn)
    if found is None:
        return
    if not found:
        return turn.say(_("There is nothing to pick from yet."), choices=_back(turn))
    first = turn.data["from"] % max(len(found), 1)
    page = found[first : first + LISTED]
    numbers = range(first + 1, first + len(page) + 1)
    choices = [
        Choice(f"content:{each.id}", _("Number {number}", number=number))
        for number, each in zip(numbers, page, strict=True)
    ]
    if len(found) > LISTED:
        choices.append(Choice("more", _("More of them")))
    turn.ask(
        *more,
        _("Which one? You can also write a word that is in it."),
        *(
            _("{number}. {content}", number=number, content=Ref("contents", each.id, SHOWN))
            for number, each in zip(numbers, page, strict=True)
        ),
        choices=[*choices, CANCEL],
        then=chosen,
        free=True,
    )


def _known(turn: Turn) -> list[Content] | None:
    """What may come, rather what was not said yet; with the word that was typed in it."""
    community = communities.find_where(
        turn.db, turn.member.id, turn.data["community"], "rhythm", turn.now
    )
    if community is None:
        turn.start("facilitate.refuse", **turn.data)
        return None
    found = contents.list_for(turn.db, community.id, turn.data["kind"])
    said = editions.count_said(turn.db, community.id, turn.data["kind"])
    found.sort(key=lambda each: said.get(each.id, 0))
    word = turn.data.get("word")
    return found if word is None else _with(turn, found, word)


def _with(turn: Turn, found: list[Content], word: str) -> list[Content]:
    texts = contents.list_wordings(turn.db, [each.id for each in found])
    return [
        each
        for each in found
        if any(word in fold(wording.text) for wording in texts[each.id].values())
    ]


def _back(turn: Turn) -> list[Choice]:
    return [Choice(f"rhythm.show:{turn.data['community']}", _("The next weeks"))]


@pick.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."), choices=_back(turn))
    if turn.choice == "more":
        turn.data["from"] += LISTED
        return _list(turn)
    if turn.choice is None:
        return _search(turn)
    _take(turn, int(turn.chosen))


def _search(turn: Turn) -> None:
    word = fold(turn.text)
    if len(word) < SHORTEST_WORD:
        return turn.again(_("Please write a longer word, or choose."))
    before = turn.data.get("word")
    turn.data |= {"word": word, "from": 0}
    if _known(turn):
        return _list(turn)
    turn.data["word"] = before
    _list(turn, _("I find none with this word."))


def _take(turn: Turn, content_id: int) -> None:
    community_id, kind, day = (turn.data[each] for each in ("community", "kind", "day"))
    known = _known(turn)
    if known is None:
        return
    schedule = schedules.find(turn.db, community_id, kind)
    there = any(each.id == content_id for each in known)
    if not there or schedule is None:
        return turn.say(_("That one is not there any more."), choices=_back(turn))
    if not ahead.pick(turn.db, schedule, day, content_id, turn.now):
        return turn.say(
            _("That has been said already, or is not planned any more."), choices=_back(turn)
        )
    audit.add(
        turn.db,
        turn.member.id,
        "rhythm.pick",
        turn.now,
        community_id=community_id,
        subject_id=content_id,
    )
    turn.say(
        _("On {day} comes:", day=date_of(day)),
        _("{content}", content=Ref("contents", content_id)),
        choices=_back(turn),
    )
