"""Standing: what she has in the market is changed and taken back; and the jobs of the market."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import Choice, Ref, _
from bot.offers import CANCEL
from bot.scheduler import job
from bot.sessions import matching
from bot.store import topics
from bot.store.topics import DRAFT, Topic
from bot.turn import Turn

DRAFTS_LAST = timedelta(days=7)

standing = Conversation("standing")


@standing.action
def change(turn: Turn) -> None:
    topic = _hers(turn)
    if topic is not None:
        turn.start("offering.card", topic=topic.id)


@standing.action
def take_back(turn: Turn) -> None:
    topic = _hers(turn)
    if topic is None:
        return
    turn.data = {"topic": topic.id}
    turn.ask(
        _("{topic}", topic=Ref("topics", topic.id, matching.LINE)),
        _("Take it back? Nobody finds it in the market any more."),
        choices=(Choice("take_back", _("Take it back")), CANCEL),
        then=taken_back,
    )


@standing.step
def taken_back(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    topic = topics.find_own(turn.db, turn.data["topic"], turn.member.id)
    if topic is None:
        return turn.start("market.gone")
    matching.close(turn.db, topic)
    turn.say(_("Taken back. Nobody finds it any more."), choices=_go_on())


def _go_on() -> tuple[Choice, ...]:
    return (Choice("market.look", _("Look around")), Choice("market.mine", _("Mine")))


def _hers(turn: Turn) -> Topic | None:
    """Hers, as far as this app of hers knows it; else she hears that it is gone."""
    found = topics.find_own(turn.db, turn.argument, turn.member.id)
    if found is not None and found.state != DRAFT and turn.sender.knows(found.created_at):
        return found
    turn.start("market.gone")
    return None


# Jobs --------------------------------------------------------------------------------------------


@job(every=timedelta(hours=6))
def introductions(db: Connection, now: datetime) -> dict[str, int]:
    """What members told their groups that they could show may become an offer."""
    return {"introductions": matching.offer_introductions(db, now)}


@job(every=timedelta(hours=1))
def settle(db: Connection, now: datetime) -> dict[str, int]:
    """What was shown, or was cancelled, stands in the market again."""
    return {"topics": matching.settle(db, now)}


@job(every=timedelta(hours=6))
def forget_drafts(db: Connection, now: datetime) -> dict[str, int]:
    """What was never put up is not kept."""
    return {"drafts": topics.remove_drafts(db, now - DRAFTS_LAST)}
