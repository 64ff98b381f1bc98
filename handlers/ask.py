"""Ask: a question goes to the peers of a community."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.nameless import SMALL, TELLING, tells_who
from bot.offers import CANCEL, CHANGE, SEND
from bot.posting import DRAFT_GONE, NOT_PASSED_ON
from bot.scheduler import job
from bot.smalltalk import can_be_passed_on, has_words, is_agreement, is_small
from bot.store import communities, members, posts, programmes
from bot.store.audiences import Audience
from bot.store.communities import Community, Membership
from bot.turn import BURST, Turn

NOTE_AGAIN = timedelta(seconds=20)  # what is added later is confirmed at most so often
DRAFTS_LAST = timedelta(days=7)
# With her name, without it, or to the facilitators alone.
AUDIENCES = {"named": "community", "nameless": "community", "facilitators": "facilitators"}

ask = Conversation(
    "ask",
    command="ask",
    about=_("Ask your peers a question"),
    words=N_("ask, question, ask a question"),
)


@ask.start
def start(turn: Turn) -> None:
    if not _memberships(turn):
        return
    turn.ask(
        _("What would you like to ask? Write it in your own words, or say it in a voice note."),
        then=question,
    )


@ask.step
def question(turn: Turn) -> None:
    if is_small(turn.text, turn.files) or (turn.text and not has_words(turn.text)):
        return turn.again(_("Please say a little more, so that others can help."))
    _draft(turn)


def _memberships(turn: Turn) -> list[Membership]:
    """Where she asks, or will when she is welcomed."""
    mine = communities.list_of(turn.db, turn.member.id)
    found = [each for each in mine if not each.is_active or each.may("ask", turn.now)]
    if not found:
        turn.say(
            _("In this group you have another role; questions are asked by its members.")
            if mine
            else _("With an invite code you can join a group, and then ask there.")
        )
    return found


@ask.action
def draft(turn: Turn) -> None:
    """Somebody simply wrote, and it can only be a question; or she said that it is one."""
    if not _memberships(turn):
        return
    if "post" not in turn.data:
        return _draft(turn)
    _choose_community(turn, after=timedelta(0))


@ask.action
def again(turn: Turn) -> None:
    """Written this time; data has who shall see who asks."""
    turn.ask(_("Please write it here. Nothing was sent."), then=question)


def _draft(turn: Turn) -> None:
    begun, way = turn.data.get("post"), turn.data.get("way")
    post_id = posts.keep(turn.db, begun, turn.member.id, turn.content, turn.now, kind="question")
    turn.data = {"post": post_id} | ({} if way is None else {"way": way})
    if not can_be_passed_on(turn.text, turn.files):
        return turn.ask(NOT_PASSED_ON, then=question)
    _choose_community(turn, after=BURST)


def _choose_community(turn: Turn, after: timedelta) -> None:
    found = _memberships(turn)
    if not found:
        return
    # When she is welcomed, everybody could tell whose question comes at the same moment.
    turn.data["waits"] = [each.community.id for each in found if not each.is_active]
    if len(found) == 1:
        return _preview(turn, found[0].community, after)
    choices = [
        Choice(f"community:{id_}", label) for id_, label in communities.labels(found).items()
    ]
    choices.append(CANCEL)
    turn.ask(
        _("Which group shall see it?"), choices=choices, then=community, free=True, after=after
    )


@ask.step
def community(turn: Turn) -> None:
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return _add_to_draft(turn)
    if turn.choice == "cancel":
        return _drop(turn)
    turn.data["community"] = int(turn.chosen)
    _preview(turn, _where(turn), timedelta(0))


def _preview(turn: Turn, where: Community, after: timedelta) -> None:
    turn.data["community"] = where.id
    lines = [
        _("Your question:"),
        _("{post}", post=Ref("posts", turn.data["post"])),
        *_who_reads_it(turn, where),
    ]
    if turn.data.get("heavy"):
        lines.append(_("Others first read that it is a heavy story, and choose when to read it."))
    turn.ask(*lines, choices=_choices(turn, where), then=confirm, free=True, after=after)


def _who_reads_it(turn: Turn, where: Community) -> list[Text]:
    way = turn.data.get("way", "named")
    others = turn.reach(Audience(AUDIENCES[way], where.id, but=(turn.member.id,))).all
    who: dict[str, Any] = {"community": where.ref, "name": Ref("members", turn.member.id)}
    if way == "nameless":
        return [*_without_name(others, where), *_warnings(turn, others + 1)]
    if others == 0:
        return [
            _(
                "Nobody else is in {community} just now. It waits there, with your name: {name}.",
                **who,
            )
            if way == "named"
            else _("Nobody facilitates {community} just now. It waits there.", **who)
        ]
    if way == "facilitators":
        return [
            _n(
                "It goes only to {n} facilitator of {community}, with your name: {name}.",
                "It goes only to the {n} facilitators of {community}, with your name: {name}.",
                n=others,
                **who,
            )
        ]
    return [
        _n(
            "It goes to {n} peer in {community}, with your name: {name}.",
            "It goes to {n} peers in {community}, with your name: {name}.",
            n=others,
            **who,
        )
    ]


def _without_name(others: int, where: Community) -> list[Text]:
    """What it hides, and what it cannot."""
    return [
        _n(
            "It goes to everybody in {community}, {n} person beside you, without your name. "
            "No one there sees who asks, facilitators neither.",
            "It goes to everybody in {community}, {n} people beside you, without your name. "
            "No one there sees who asks, facilitators neither.",
            n=others,
            community=where.ref,
        ),
        _("It cannot hide what the words themselves tell, or how you usually write."),
    ]


def _warnings(turn: Turn, everybody: int) -> list[Text]:
    found = []
    if everybody < SMALL:
        found.append(_("The group is small: others may guess who asks."))
    words = "\n".join(each.text for each in posts.list_bubbles(turn.db, turn.data["post"]))
    if tells_who(words, turn.member.name, members.find_organisation(turn.db, turn.member.id)):
        found.append(TELLING)
    turn.data["warned"] = bool(found)
    return found


def _choices(turn: Turn, where: Community) -> list[Choice]:
    way = turn.data.get("way", "named")
    found = [
        SEND,
        CHANGE,
        CANCEL,
        Choice(
            "heavy", _("Not a heavy story") if turn.data.get("heavy") else _("It is a heavy story")
        ),
    ]
    if way != "named":
        found.append(Choice("named", _("With my name")))
    elif where.id not in turn.data.get("waits", ()):
        found.append(Choice("nameless", _("Without my name")))
    if way == "nameless" and turn.data.get("warned"):
        found.append(Choice("facilitators", _("Only facilitators")))
    if (where.discreet or turn.data.get("heavy")) and programmes.list_help(turn.db, where.id):
        found.append(Choice("help", _("Get help now")))
    return found


@ask.step
def confirm(turn: Turn) -> None:
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return _add_to_draft(turn)
    if turn.choice == "cancel":
        return _drop(turn)
    if turn.choice == "change":
        posts.remove(turn.db, turn.data["post"])
        turn.data = {}
        return turn.ask(_("Please write or say it again, as you would like it."), then=question)
    if turn.choice == "send":
        return _send(turn)
    if turn.choice == "help":
        turn.start("support.show", **turn.data)  # then the same draft again
    elif turn.choice == "heavy":
        turn.data["heavy"] = not turn.data.get("heavy")
        posts.mark(turn.db, turn.data["post"], heavy=turn.data["heavy"])
    else:
        turn.data["way"] = turn.choice
    _preview(turn, _where(turn), timedelta(0))


def _send(turn: Turn) -> None:
    way = turn.data.get("way", "named")
    if way == "nameless":
        return turn.start("nameless.check", **turn.data, then="nameless.ask")
    turn.start("opening.send", **turn.data, scope=AUDIENCES[way])


def _where(turn: Turn) -> Community:
    return communities.get(turn.db, turn.data["community"])


def _add_to_draft(turn: Turn) -> None:
    """A further bubble before the question about the draft is answered."""
    if is_agreement(turn.text):
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if not is_small(turn.text, turn.files):
        posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
        if not turn.postpone():
            _note_addition(turn)
    turn.wait()


def _note_addition(turn: Turn) -> None:
    """The preview has been shown without it: say so, once for a burst."""
    noted = turn.data.get("noted")
    if noted is None or datetime.fromisoformat(noted) < turn.now - NOTE_AGAIN:
        turn.data["noted"] = turn.now.isoformat()
        turn.say(_("Added to your question. All of it goes out when you choose Send."), after=BURST)


def _drop(turn: Turn) -> None:
    posts.remove(turn.db, turn.data["post"])
    turn.say(_("Cancelled. Nothing was sent."))


@job(every=timedelta(hours=6))
def forget_drafts(db: Connection, now: datetime) -> dict[str, int]:
    """Drafts that were never sent are not kept."""
    return {"drafts": posts.remove_drafts(db, now - DRAFTS_LAST)}
