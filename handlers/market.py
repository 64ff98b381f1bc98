"""The market: what members offer to show and what they would like to learn, and who is interested.

What is put there, and how, stands in handlers/offering.py; how it meets, in
bot/sessions/matching.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation import Conversation
from bot.desk import note
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.sessions import matching
from bot.sessions.matching import PLAN, line
from bot.store import communities, topics
from bot.store.audiences import Audience
from bot.store.topics import ASK, PLANNED, Topic
from bot.themes import NO_THEME, THEMES
from bot.turn import Turn

LISTED = 6  # in one list
MINE = 8  # of hers in one list

OFFER = Choice("offering.offer", _("Offer"))
ASK_FOR = Choice("offering.ask_for", _("Ask for"))
LOOK = Choice("market.look", _("Look around"))

market = Conversation(
    "market",
    command="market",
    about=_("What members offer and ask for"),
    words=N_("market, offers, open space"),
)


@market.start
def start(turn: Turn) -> None:
    if not communities.list_where(turn.db, turn.member.id, "ask", turn.now):
        return refuse(turn)
    turn.say(
        _("Here members say what they could show, and what they would like to learn."),
        _("“I have this problem” is as good as “I know this”: nobody has to be an expert."),
        choices=(OFFER, ASK_FOR, LOOK, Choice("market.mine", _("Mine"))),
    )


@market.action
def refuse(turn: Turn) -> None:
    turn.say(_("The market is for those who take part in a group."))


# Looking around ----------------------------------------------------------------------------------


@market.action
def look(turn: Turn) -> None:
    """All of it if that is little, else by theme."""
    counts = topics.count_themes(turn.db, turn.member.id)
    if not counts:
        return turn.say(
            _("Nothing stands here yet. Somebody has to begin: a small thing is enough."),
            choices=(OFFER, ASK_FOR),
        )
    if sum(counts.values()) <= LISTED:
        return latest(turn)
    names = list(THEMES)
    choices = [
        Choice(f"market.theme:{number}", THEMES[name])
        for number, name in enumerate(names, 1)
        if name in counts
    ]
    if set(counts) - set(names):
        choices.append(Choice("market.theme:0", NO_THEME))
    turn.say(
        _("What shall it be about?"),
        choices=[*choices, Choice("market.latest", _("The latest"))],
    )


@market.action
def latest(turn: Turn) -> None:
    _list(turn, topics.list_for(turn.db, turn.member.id, LISTED + 1), "market.earlier")


@market.action
def earlier(turn: Turn) -> None:
    """Before the one of the button."""
    before = turn.argument
    found = topics.list_for(turn.db, turn.member.id, LISTED + 1, before=before)
    _list(turn, found, "market.earlier")


@market.action
def theme(turn: Turn) -> None:
    name = dict(enumerate(THEMES, 1)).get(turn.argument, "")
    found = topics.list_for(turn.db, turn.member.id, LISTED + 1, theme=name)
    _list(turn, found, "market.older")


@market.action
def older(turn: Turn) -> None:
    """Of the same theme, before the one of the button."""
    last = topics.find_for(turn.db, turn.argument, turn.member.id)
    if last is None:
        return look(turn)
    found = topics.list_for(
        turn.db, turn.member.id, LISTED + 1, theme=last.theme or "", before=last.id
    )
    _list(turn, found, "market.older")


def _list(turn: Turn, found: Sequence[Topic], more: str) -> None:
    if not found:
        return turn.say(_("There is nothing more here."), choices=(OFFER, ASK_FOR, LOOK))
    shown = found[:LISTED]
    choices = numbers(shown)
    if len(found) > LISTED:
        choices.append(Choice(f"{more}:{shown[-1].id}", _("Earlier ones")))
    turn.say(*lines(turn, shown), choices=choices)


def lines(turn: Turn, found: Sequence[Topic]) -> list[Text]:
    return [
        _("{number}. {line}", number=number, line=line(each, turn.member.id))
        for number, each in enumerate(found, 1)
    ]


def numbers(found: Sequence[Topic]) -> list[Choice]:
    return [
        Choice(f"market.show:{each.id}", _("Number {number}", number=number))
        for number, each in enumerate(found, 1)
    ]


@market.action
def mine(turn: Turn) -> None:
    """What she offers and asks for; an app that was linked since knows nothing of it."""
    found = [
        each
        for each in topics.list_own(turn.db, turn.member.id, MINE)
        if turn.sender.knows(each.created_at)
    ]
    if not found:
        return turn.say(_("You have nothing in the market yet."), choices=(OFFER, ASK_FOR))
    turn.say(*lines(turn, found), choices=[*numbers(found), OFFER, ASK_FOR])


# One of them -------------------------------------------------------------------------------------


@market.action
def show(turn: Turn) -> None:
    topic = _topic(turn)
    if topic is not None:
        turn.say(*_about(turn, topic), choices=_choices(turn, topic))


def _topic(turn: Turn) -> Topic | None:
    """The one of the button, if she may still see it; else she hears that it is gone."""
    found = topics.find_for(turn.db, turn.argument, turn.member.id)
    if found is None:
        gone(turn)
    return found


@market.action
def gone(turn: Turn) -> None:
    turn.say(_("That one is not in the market any more."), choices=(LOOK,))


def _about(turn: Turn, topic: Topic) -> list[Text]:
    said = [line(topic, turn.member.id, None)]
    if topic.theme is not None:
        said.append(_("Theme: {theme}", theme=matching.theme_of(topic)))
    if topic.wide:
        said.append(_("All groups of the programme see it."))
    count = len(topics.list_interested(turn.db, topic.id))
    if count:
        said.append(matching.interested(count))
    if topic.state == PLANNED:
        said.append(_("A session of it is planned."))
    return said


def _choices(turn: Turn, topic: Topic) -> list[Choice]:
    found = []
    if topic.is_of(turn.member.id):
        if topic.is_offer and topic.state != PLANNED:
            found.append(Choice(f"interest.plan:{topic.id}", PLAN))
        found.append(Choice(f"standing.change:{topic.id}", _("Change")))
        found.append(Choice(f"standing.take_back:{topic.id}", _("Take it back")))
    elif topic.state == PLANNED:
        found += matching.details(turn.db, topic, turn.member.id)
    elif topics.is_interested(turn.db, topic.id, turn.member.id):
        found.append(Choice(f"interest.end:{topic.id}", _("Not any more")))
    else:
        found.append(Choice(f"interest.begin:{topic.id}", _("Interested")))
    if topic.kind == ASK and topic.state != PLANNED and not topic.is_of(turn.member.id):
        found.append(Choice(f"interest.can_show:{topic.id}", _("I can show this")))
    place = topic.community_id
    if communities.find_where(turn.db, turn.member.id, place, "hide", turn.now):
        found.append(Choice(f"market.hide:{topic.id}", _("Hide it")))
    return found


# Hiding ------------------------------------------------------------------------------------------


@market.action
def hide(turn: Turn) -> None:
    topic = _hers_to_hide(turn, turn.argument)
    if topic is None:
        return
    turn.data = {"topic": topic.id}
    turn.ask(
        line(topic, turn.member.id),
        _("Hide it from the market? Nobody finds it any more; the one who wrote it hears of it."),
        choices=(Choice("hide", _("Hide it")), CANCEL),
        then=confirm_hiding,
    )


@market.step
def confirm_hiding(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    topic = _hers_to_hide(turn, turn.data["topic"])
    if topic is None:
        return
    matching.close(turn.db, topic)
    note(turn, "topic.hide", topic.community_id, topic.id)
    if topic.member_id not in (None, turn.member.id):
        turn.tell(
            Audience("member", topic.member_id or 0),
            _("A facilitator has hidden what you put into the market: nobody finds it there."),
            _("It may be a small thing; you can ask the facilitator about it."),
            community_id=topic.community_id,
            once=f"topic_hidden/{topic.id}",
        )
    turn.say(_("Hidden."))


def _hers_to_hide(turn: Turn, topic_id: int) -> Topic | None:
    """The topic, if it stands where she facilitates; else she hears that it does not."""
    found = topics.find_for(turn.db, topic_id, turn.member.id)
    if found is None:
        gone(turn)
    elif communities.find_where(turn.db, turn.member.id, found.community_id, "hide", turn.now):
        return found
    else:
        turn.start("facilitate.refuse")
    return None
