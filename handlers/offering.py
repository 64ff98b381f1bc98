"""Offering and asking: one line is put into the market, looked at, changed and taken back."""

from __future__ import annotations

from datetime import timedelta

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL, CHANGE
from bot.posting import DRAFT_GONE
from bot.sessions import matching
from bot.sessions.matching import NOBODY_AN_EXPERT, line, suggestion
from bot.smalltalk import has_words, is_agreement, is_small
from bot.store import communities, posts, responses, topics
from bot.store.communities import Community
from bot.store.responses import GROUP
from bot.store.topics import ASK, DRAFT, OFFER, Topic
from bot.themes import NO_THEME, THEMES
from bot.turn import BURST, Turn

LONGEST = 500  # signs of an offer or an ask: what belongs to it has its place in the session
CHOOSE = _("Please choose one of these. You can tap it or type its number.")
SHORTER = _("Please say it shorter, in one or two sentences. The rest has its place in a session.")

offering = Conversation("offering")


# Ways in -----------------------------------------------------------------------------------------


@offering.action
def offer(turn: Turn) -> None:
    _begin(turn, OFFER)


@offering.action
def ask_for(turn: Turn) -> None:
    _begin(turn, ASK)


def _begin(turn: Turn, kind: str) -> None:
    places = communities.list_where(turn.db, turn.member.id, "ask", turn.now)
    if not places:
        return turn.start("market.refuse")
    turn.data = {"kind": kind}
    if len(places) == 1:
        turn.data["community"] = places[0].id
        return _ask_for_words(turn)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    choices = [Choice(f"community:{each.id}", labels[each.id]) for each in places]
    turn.ask(
        _("Which group shall see it?"),
        choices=[*choices, CANCEL],
        then=place,
    )


@offering.step
def place(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("Cancelled. Nothing was saved."))
    turn.data["community"] = int(turn.chosen)
    _ask_for_words(turn)


@offering.action
def introduced(turn: Turn) -> None:
    """What she told her group of what she could show becomes a draft."""
    found = responses.find_own(turn.db, turn.member.id, turn.argument)
    if found is None or found.seen_by != GROUP or not turn.sender.knows(found.created_at):
        return turn.start("market.start")
    place = communities.find_where(turn.db, turn.member.id, found.community_id, "ask", turn.now)
    hers = topics.list_own(turn.db, turn.member.id, matching.NEAR)
    if place is None or any(each.is_offer and each.community_id == place.id for each in hers):
        return turn.start("market.mine")
    said = "\n".join(each.text for each in posts.list_bubbles(turn.db, found.id) if each.text)
    turn.data = {"kind": OFFER, "community": place.id}
    if not said or len(said) > LONGEST:
        return _ask_for_words(turn)
    _draft(turn, said, timedelta(0))


# Her words ---------------------------------------------------------------------------------------


def _ask_for_words(turn: Turn) -> None:
    if turn.data["kind"] == OFFER:
        return turn.ask(
            _("What could you show others? One line, like: I can show how we code stock in Excel."),
            NOBODY_AN_EXPERT,
            then=words,
        )
    turn.ask(
        _("What would you like to learn? One line, like: I need to learn safe interviewing."),
        _("“I have this problem” is as good as “I know this”."),
        then=words,
    )


@offering.step
def words(turn: Turn) -> None:
    if not turn.text and not is_small("", turn.files):
        return _need_words(turn)
    if is_small(turn.text) or not has_words(turn.text):
        return turn.again(_("Please say it in a few words."))
    if len(turn.text) > LONGEST:
        return turn.again(SHORTER)
    if turn.files:
        _keep_aside(turn)
    if "topic" not in turn.data:
        return _draft(turn, turn.text, BURST)
    topic = _own(turn)
    if topic is not None:
        topics.change(turn.db, topic.id, text=turn.text)
        _card(turn, topic, BURST)


def _need_words(turn: Turn) -> None:
    """What she said aloud is kept beside the line that others read."""
    _keep_aside(turn)
    turn.ask(
        _(
            "I have kept it for you. In the list others read one line: please write it here, "
            "the recording or picture itself is not shown."
        ),
        then=words,
    )


def _keep_aside(turn: Turn) -> None:
    begun = turn.data.get("post")
    if begun is not None:
        return posts.add_bubbles(turn.db, begun, turn.content, turn.now)
    turn.data["post"] = posts.add(
        turn.db, turn.member.id, turn.content, turn.now, kind="topic", state="kept"
    )


def _draft(turn: Turn, text: str, after: timedelta) -> None:
    turn.data["topic"] = topics.add(
        turn.db,
        turn.now,
        community_id=turn.data["community"],
        member_id=turn.member.id,
        kind=turn.data["kind"],
        text=text,
    )
    theme = matching.guess_theme(turn.db, text, turn.language)
    aside = turn.data.pop("post", None)
    topics.change(turn.db, turn.data["topic"], theme=theme, post_id=aside)
    topic = _own(turn)
    if topic is not None:
        _card(turn, topic, after)


def _own(turn: Turn) -> Topic | None:
    """The one this talk is about, as it is now; else she hears that it is gone."""
    found = topics.find_own(turn.db, turn.data["topic"], turn.member.id)
    if found is None:
        turn.say(DRAFT_GONE)
    return found


# The card ----------------------------------------------------------------------------------------


def _card(turn: Turn, topic: Topic, after: timedelta) -> None:
    """As others will read it, or read it now; who they are, and what can be changed."""
    where = communities.get(turn.db, topic.community_id)
    turn.ask(
        _("Your offer:") if topic.is_offer else _("You would like to learn:"),
        _("{topic}", topic=topic.ref),
        _("Theme: {theme}", theme=matching.theme_of(topic)),
        _who_sees_it(turn, topic, where),
        choices=_choices(turn, topic, where),
        then=confirm,
        free=topic.state == DRAFT,
        after=after,
    )


def _who_sees_it(turn: Turn, topic: Topic, where: Community) -> Text:
    if where.discreet:
        return _("Your group sees it, without your name.")
    name = Ref("members", turn.member.id)
    if topic.wide:
        return _("All groups of the programme see it, with your name: {name}.", name=name)
    return _("{community} sees it, with your name: {name}.", community=where.ref, name=name)


def _choices(turn: Turn, topic: Topic, where: Community) -> list[Choice]:
    begun = topic.state == DRAFT
    found = [CHANGE, Choice("theme", _("Another theme"))]
    if topic.wide:
        found.append(Choice("narrow", _("Only my group")))
    elif topics.has_neighbours(turn.db, where.id):
        found.append(Choice("widen", _("All groups")))
    if begun:
        return [Choice("put_up", _("Put it up")), *found, CANCEL]
    return [*found, Choice("done", _("Done"))]


@offering.step
def confirm(turn: Turn) -> None:
    topic = _own(turn)
    if topic is None:
        return
    if turn.choice is None:
        return _add(turn, topic)
    if turn.choice == "put_up":
        return _put_up(turn, topic)
    if turn.choice == "change":
        turn.data["kind"] = topic.kind
        return turn.ask(_("Please write it again, as you would like it."), then=words)
    if turn.choice == "theme":
        return _ask_theme(turn)
    if turn.choice == "cancel":
        topics.remove(turn.db, topic.id)
        return turn.say(_("Cancelled. Nothing was saved."))
    if turn.choice == "done":
        return turn.say(_("Your change is saved."))
    wide = turn.choice == "widen" and topics.has_neighbours(turn.db, topic.community_id)
    topics.change(turn.db, topic.id, wide=wide)
    _show_again(turn)


@offering.action
def card(turn: Turn) -> None:
    """Of data["topic"], one of hers."""
    _show_again(turn)


def _show_again(turn: Turn) -> None:
    topic = _own(turn)
    if topic is not None:
        _card(turn, topic, timedelta(0))


def _add(turn: Turn, topic: Topic) -> None:
    """A further bubble before it is put up belongs to it."""
    if is_agreement(turn.text):
        return turn.again(CHOOSE)
    if turn.files:
        return turn.again(_("I have kept what you sent. Please choose first:"))
    if is_small(turn.text):
        return turn.wait()
    text = f"{topic.text}\n{turn.text}"
    if len(text) > LONGEST:
        return turn.again(SHORTER)
    topics.change(turn.db, topic.id, text=text)
    if turn.postpone():
        return turn.wait()
    _card(turn, topic, BURST)


def _ask_theme(turn: Turn) -> None:
    choices = [Choice(f"theme:{name}", label) for name, label in THEMES.items()]
    turn.ask(
        _("What is it about?"), choices=[*choices, Choice("theme:", NO_THEME)], then=chosen_theme
    )


@offering.step
def chosen_theme(turn: Turn) -> None:
    topic = _own(turn)
    if topic is not None:
        topics.change(turn.db, topic.id, theme=turn.chosen or None)
        _show_again(turn)


def _put_up(turn: Turn, topic: Topic) -> None:
    if topic.state != DRAFT:
        return _card(turn, topic, timedelta(0))
    where = topic.community_id
    if communities.find_where(turn.db, turn.member.id, where, "ask", turn.now) is None:
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if not allowances.take(turn.db, allowances.TOPICS, turn.member.id, turn.now):
        return turn.say(allowances.TOPICS.over, _("Nothing was sent."))
    met = matching.put_up(turn.db, turn.now, topic, turn.language)
    thanks = _("Thank you. It stands in the market now.")
    lines = [line(each, turn.member.id) for each in met]
    if topic.is_offer and met:
        return turn.say(thanks, *lines, matching.WOULD_YOU, choices=suggestion(topic))
    if topic.is_offer:
        wait = _("When somebody asks for it, or three people are interested, you hear of it.")
        return turn.say(thanks, wait, choices=_go_on())
    if not met:
        wait = _("Whoever could show it can say so there. When a session is planned, you hear it.")
        return turn.say(thanks, wait, choices=_go_on())
    numbered = [
        _("{number}. {line}", number=number, line=each) for number, each in enumerate(lines, 1)
    ]
    choices = [
        Choice(f"market.show:{each.id}", _("Number {number}", number=number))
        for number, each in enumerate(met, 1)
    ]
    offered = _("This is offered already. When a session of it is planned, you are invited:")
    turn.say(thanks, offered, *numbered, choices=choices)


def _go_on() -> tuple[Choice, ...]:
    return (
        Choice("market.look", _("Look around")),
        Choice("market.mine", _("Mine")),
    )
