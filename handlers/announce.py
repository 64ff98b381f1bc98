"""Announce: a facilitator says something to all in a community, and can take it back."""

from __future__ import annotations

from datetime import timedelta

from bot import allowances
from bot.conversation import Conversation
from bot.i18n import languages, own_name, units, written_in
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.offers import CANCEL, CHANGE, SEND
from bot.posting import NOT_PASSED_ON
from bot.smalltalk import can_be_passed_on, has_words
from bot.store import audit, communities, posts, reach, spending, unreached
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.truth import reached, remaining
from bot.turn import Turn

UNDO = timedelta(seconds=60)  # it leaves after this, so that a mistake reaches nobody
LONGEST = 1000  # UTF-16 units, so that it is one bubble in every language

announce = Conversation("announce", command="announce", words=N_("announce, announcement"))


@announce.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="announce.begin", power="announce")


def _mine(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "announce", turn.now)


@announce.action
def begin(turn: Turn) -> None:
    community = _mine(turn, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    if not turn.reach(_audience(turn, community)).all:
        return turn.say(
            _("Nobody else is in {community} yet, so nobody would get it.", community=community.ref)
        )
    turn.data = {"community": community.id}
    turn.ask(_("What would you like to announce? Write it in one message, or say it."), then=write)


@announce.step
def write(turn: Turn) -> None:
    if not _fits(turn):
        return
    language = written_in(turn.text, turn.language)
    post_id = posts.add(
        turn.db, turn.member.id, turn.content, turn.now, kind="announcement", language=language
    )
    turn.data |= {"post": post_id, "written": [language]}
    _preview(turn)


def _fits(turn: Turn) -> bool:
    if turn.text and not has_words(turn.text):
        turn.again(_("Please write it in words, or say it in a voice note."))
    elif not can_be_passed_on(turn.text, turn.files):
        turn.again(NOT_PASSED_ON)
    elif units(turn.text) > LONGEST:
        turn.again(_("That is too long for one message. Please make it shorter."))
    else:
        return True
    return False


def _preview(turn: Turn) -> None:
    """As it will look in each language, how many get it, and what it costs."""
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    missing = [code for code in languages() if code not in turn.data["written"]]
    add = [Choice(f"add:{code}", _("Add {language}", language=own_name(code))) for code in missing]
    looks = [
        _("In {language}:", language=own_name(code)) if line is None else line
        for code in languages()
        for line in (None, *_said(turn, community, code))
    ]
    turn.ask(
        *looks,
        *_counted(turn, community),
        *_marked(turn, community),
        choices=[SEND, *add, CHANGE, CANCEL],
        then=confirm,
    )


def _said(turn: Turn, community: Community, language: str | None = None) -> tuple[Text, Text]:
    about = _(
        "{name} announces to {community}",
        name=Ref("members", turn.member.id),
        community=community.ref,
    )
    text = _("{post}", post=Ref("posts", turn.data["post"]))
    return (
        Text(text.msgid, text.params, language=language),
        Text(about.msgid, about.params, language=language),
    )


def _marked(turn: Turn, community: Community) -> list[Text]:
    """Whom it does not reach in the language she reads."""
    written = turn.data["written"]
    readers = reach.count_by_language(turn.db, _audience(turn, community))
    return [
        _n(
            "It is not written in {language}: {n} peer gets it marked \u201c(in {source})\u201d.",
            "It is not written in {language}: {n} peers get it marked \u201c(in {source})\u201d.",
            n=readers[code],
            language=own_name(code),
            source=own_name(written[0]),
        )
        for code in languages()
        if code not in written and readers.get(code)
    ]


def _counted(turn: Turn, community: Community) -> list[Text]:
    audience = _audience(turn, community)
    said = reached(turn.reach(audience, "broadcast"))
    dollars = _cost(turn, audience)
    if dollars:
        said.append(_("On WhatsApp it costs about {dollars} US dollars.", dollars=f"{dollars:.2f}"))
        said += _budgeted(turn, dollars)
    return said


def _cost(turn: Turn, audience: Audience) -> float:
    """Of what leaves now and later, about; LONGEST is one bubble in every language.

    Who gets none of it costs nothing. A discreet phone is told first that something waits; so is,
    by a template if one is approved, who has not written for a while.
    """
    dollars, parts = 0.0, _count_bubbles(turn)
    for (lane, fate), count in reach.count_by_lane(
        turn.db, audience, turn.windows, turn.now
    ).items():
        limits = turn.limits.get(lane)
        if limits is not None and fate not in ("never", "spared"):
            nudge = limits.nudge_price if unreached.can_nudge(turn.db, {lane}) else 0.0
            first = {"noticed": limits.price, "later": nudge}.get(fate, 0.0)
            dollars += count * (limits.price * parts + first)
    return dollars


def _count_bubbles(turn: Turn) -> int:
    """The words, and each recording or picture that goes along with them."""
    found = posts.list_bubbles(turn.db, turn.data["post"])
    return 1 + sum(each.media_id is not None for each in found)


def _budgeted(turn: Turn, dollars: float) -> list[Text]:
    """What it leaves of the month's budget, where there is one."""
    budget = spending.get_budget(turn.db)
    if budget is None:
        return []
    prices = {lane: each.price for lane, each in turn.limits.items()}
    spent = spending.count_spent(turn.db, prices, turn.now)
    shown = {"spent": f"{spent + dollars:.2f}", "budget": budget}
    if spent + dollars > budget:
        return [
            _(
                "With it, about {spent} US dollars are used this month; the budget is {budget}. "
                "It can be sent all the same.",
                **shown,
            )
        ]
    return [_("With it, about {spent} of {budget} US dollars are used this month.", **shown)]


def _audience(turn: Turn, community: Community) -> Audience:
    return Audience("community", community.id, but=(turn.member.id,))


@announce.step
def confirm(turn: Turn) -> None:
    if turn.choice == "send":
        return _send(turn)
    if (turn.choice or "").startswith("add:"):
        turn.data["adding"] = turn.chosen
        return turn.ask(
            _("Please write or say it in {language}.", language=own_name(turn.chosen)),
            then=translate,
        )
    posts.remove(turn.db, turn.data["post"])
    if turn.choice == "change":
        return turn.ask(_("Please write or say it again, as you would like it."), then=write)
    turn.say(_("Cancelled. Nothing was sent."))


@announce.step
def translate(turn: Turn) -> None:
    if not _fits(turn):
        return
    language = turn.data.pop("adding")
    posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now, language)
    turn.data["written"] = [*turn.data["written"], language]
    _preview(turn)


def _send(turn: Turn) -> None:
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    if not allowances.take(turn.db, allowances.ANNOUNCEMENTS, turn.member.id, turn.now):
        return turn.say(allowances.ANNOUNCEMENTS.over, _("Nothing was sent."))
    post_id = turn.data["post"]
    audience = _audience(turn, community)
    message_id = turn.tell(
        audience,
        *_said(turn, community),
        kind="broadcast",
        community_id=community.id,
        after=UNDO,
        once=f"announcement/{post_id}",
    )
    posts.mark(turn.db, post_id, state="live", community_id=community.id, message_id=message_id)
    audit.add(
        turn.db,
        turn.member.id,
        "announce",
        turn.now,
        community_id=community.id,
        subject_id=post_id,
    )
    turn.say(
        _("It leaves in one minute. Until then Undo stops it for everybody."),
        choices=(
            Choice(f"announce.undo:{post_id}", _("Undo")),
            Choice(f"reached.announcement:{post_id}", _("Who has it")),
        ),
    )


@announce.action
def undo(turn: Turn) -> None:
    """What has not left is dropped, what can be deleted is deleted, what stays is said."""
    post = posts.find(turn.db, turn.argument)
    if post is None or post.author_id != turn.member.id or post.message_id is None:
        return turn.conversations.events["stale"](turn)
    if not posts.hide(turn.db, post.id):
        return turn.say(_("It was taken back already."))
    audit.add(
        turn.db,
        turn.member.id,
        "announce.undo",
        turn.now,
        community_id=post.community_id,
        subject_id=post.id,
    )
    copies = turn.take_back(post.id, post.message_id, turn.member.id)
    turn.say(_("Taken back."), *remaining(copies))
