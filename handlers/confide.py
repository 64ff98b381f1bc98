"""Confide: who else may see a reflection; shown to others, and taken back again."""

from __future__ import annotations

from dataclasses import replace

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _, _n
from bot.offers import CANCEL, SEND
from bot.posting import reflection
from bot.reflecting import MINE
from bot.reflecting import readers as choices_of
from bot.responses import SEEN_BY
from bot.store import communities, copies, messages, posts, reflections, responses, threads
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.reflections import KIND, Reflection
from bot.truth import reached, remaining
from bot.turn import Turn

confide = Conversation("confide")


# Ways in -----------------------------------------------------------------------------------------


@confide.action
def readers(turn: Turn) -> None:
    """[Who sees it]"""
    found = _find(turn, turn.argument)
    if found is not None:
        turn.say(
            _("Who may see it? Now {who}.", who=SEEN_BY[found.seen_by]),
            choices=choices_of(found.id, but=found.seen_by),
        )


@confide.action
def facilitators(turn: Turn) -> None:
    _begin(turn, "facilitators")


@confide.action
def community(turn: Turn) -> None:
    _begin(turn, "community")


@confide.action
def me(turn: Turn) -> None:
    """Hers alone again, as far as that can be."""
    found = _find(turn, turn.argument)
    if found is None:
        return
    said = _take_back(turn, found)
    turn.say(*said, _("It is kept for you alone."), choices=(MINE,))


def _find(turn: Turn, id_: int) -> Reflection | None:
    """Hers, as this app may know it; what somebody may look into stays as it is."""
    found = reflections.find_own(turn.db, turn.member.id, id_)
    if found is None or found.state == "hidden" or not turn.sender.knows(found.created_at):
        turn.start("reflections.gone")
        return None
    return found


# Where -------------------------------------------------------------------------------------------


def _begin(turn: Turn, scope: str) -> None:
    found = _find(turn, turn.argument)
    if found is None:
        return
    turn.data = {"reflection": found.id, "scope": scope}
    places = _places(turn)
    if not places:
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if len(places) == 1:
        return _preview(turn, places[0])
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    choices = [Choice(f"community:{each.id}", labels[each.id]) for each in places]
    turn.ask(_("Which group shall see it?"), choices=[*choices, CANCEL], then=place)


def _places(turn: Turn) -> list[Community]:
    return communities.list_where(turn.db, turn.member.id, "ask", turn.now)


def _place(turn: Turn) -> Community | None:
    wanted = turn.data["community"]
    return communities.find_where(turn.db, turn.member.id, wanted, "ask", turn.now)


@confide.step
def place(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    turn.data["community"] = int(turn.chosen)
    where = _place(turn)
    if where is None:
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    _preview(turn, where)


def _preview(turn: Turn, where: Community) -> None:
    turn.data["community"] = where.id
    heavy = turn.data.get("heavy")
    lines = [_who_gets_it(turn, where)]
    if heavy:
        lines.append(_("Others first read that it is a heavy story, and choose when to read it."))
    choices = (
        SEND,
        Choice("heavy", _("Not a heavy story") if heavy else _("It is a heavy story")),
        CANCEL,
    )
    turn.ask(*lines, choices=choices, then=confirm)


def _audience(turn: Turn, where: Community) -> Audience:
    return Audience(turn.data["scope"], where.id, but=(turn.member.id,))


def _who_gets_it(turn: Turn, where: Community) -> Text:
    others = turn.reach(_audience(turn, where)).all
    who: dict[str, object] = {"community": where.ref, "name": Ref("members", turn.member.id)}
    if turn.data["scope"] == "facilitators":
        if others == 0:
            return _("Nobody facilitates {community} just now. It waits there.", **who)
        return _n(
            "It goes only to {n} facilitator of {community}, with your name: {name}.",
            "It goes only to the {n} facilitators of {community}, with your name: {name}.",
            n=others,
            **who,
        )
    if others == 0:
        return _(
            "Nobody else is in {community} just now. It waits there, with your name: {name}.",
            **who,
        )
    return _n(
        "It goes to {n} peer in {community}, with your name: {name}.",
        "It goes to {n} peers in {community}, with your name: {name}.",
        n=others,
        **who,
    )


@confide.step
def confirm(turn: Turn) -> None:
    found = _find(turn, turn.data["reflection"])
    if found is None:
        return
    where = _place(turn)
    if where is None:
        return turn.say(_("You are not in that group any more, so nothing was sent."))
    if turn.choice == "heavy":
        turn.data["heavy"] = not turn.data.get("heavy")
        return _preview(turn, where)
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if not allowances.take(turn.db, allowances.QUESTIONS, turn.member.id, turn.now):
        return turn.say(allowances.QUESTIONS.over, _("Nothing was sent."))
    _send(turn, found, where)


# Shown, and taken back ---------------------------------------------------------------------------


def _send(turn: Turn, found: Reflection, where: Community) -> None:
    """A thread of its own, so that it can be answered, followed and hidden like a question."""
    said = _take_back(turn, found)
    found = reflections.find_own(turn.db, turn.member.id, found.id) or found
    scope, heavy = turn.data["scope"], bool(turn.data.get("heavy"))
    thread = threads.add(turn.db, where.id, turn.member.id, turn.now, scope)
    post = replace(posts.get(turn.db, found.post_id), heavy=heavy)
    audience = _audience(turn, where)
    message_id = turn.pass_on(thread, audience, reflection(thread, post))
    reflections.publish(
        turn.db,
        post.id,
        scope,
        thread_id=thread.id,
        community_id=where.id,
        message_id=message_id,
        heavy=heavy,
    )
    reflections.mark(turn.db, found.id, adds_until=None)
    turn.say(
        *said,
        _("Thank you. It has the number {thread}.", thread=thread.ref),
        *reached(turn.reach(audience)),
        choices=(Choice(f"confide.me:{found.id}", _("Take it back")), MINE),
    )
    turn.start("lookback.offer")


def _take_back(turn: Turn, found: Reflection) -> list[Text]:
    """Whoever has had it finds it nowhere any more; its words go on in a post of her own."""
    if found.state != "live":
        return []
    taken = turn.take_back(found.post_id, found.message_id, turn.member.id)
    new = responses.add_empty(turn.db, turn.member.id, found.created_at, KIND)
    responses.move_words(turn.db, found.post_id, new)
    responses.empty(turn.db, found.post_id)
    reflections.give_post(turn.db, found, new)
    _bring_back_anew(turn, found)
    return [_("Taken back."), *remaining(taken)]


def _bring_back_anew(turn: Turn, found: Reflection) -> None:
    """What was to come back to her in these days would read as taken back."""
    for message_id in messages.list_ids(turn.db, [f"look_back/{found.id}/{found.post_id}"]):
        if copies.keep_back(turn.db, message_id, "taken_back"):
            reflections.mark(turn.db, found.id, look_back_at=turn.now)


@confide.action
def withdraw(turn: Turn) -> None:
    """data["reflection"] is deleted, wherever it stands."""
    found = _find(turn, turn.data["reflection"])
    if found is None:
        return
    said = _take_back(turn, found)
    found = reflections.find_own(turn.db, turn.member.id, found.id) or found
    keys = [f"look_back/{found.id}/{found.post_id}"]
    for message_id in messages.list_ids(turn.db, keys):
        copies.keep_back(turn.db, message_id, "taken_back")
    posts.remove(turn.db, found.post_id)
    turn.say(*said[1:], _("Deleted here. What you wrote still stands in your own chat."))
