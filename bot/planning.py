"""What a lane may send now: claim what is due, judge it, render and freeze it; one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import gathering, logs
from bot.channels import Channel
from bot.discretion import is_bubble, needs_closing
from bot.fitting import Fitted, fit
from bot.judging import Judge
from bot.listing import said_in_full
from bot.messages import Message, refs_of
from bot.store import deliveries, fates, inbox, notices
from bot.store.deliveries import Due, Frozen, Part
from bot.store.fates import Fate
from bot.store.references import References

NOTHING = Message()
CLAIMS = 4  # in one transaction, while others wait behind what may not leave yet

Planned = tuple[Due, tuple[Part, ...]]

log = logs.get("planning")


class Planner:
    """Decides for one channel; holds nothing else."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lane = channel.lane
        self._judge = Judge(channel)

    def plan(
        self,
        db: Connection,
        fence: int,
        busy: Collection[int],
        room: int,
        now: datetime,
        *,
        urgent: bool = False,
    ) -> list[Planned]:
        """What goes out now, in order per address; `urgent`: only answers and threads."""
        due = self._claim(db, fence, busy, room, now, urgent=urgent)
        planned = self._freeze(db, due, now)
        return sorted(planned, key=lambda each: each[0].address_id)

    def _claim(
        self,
        db: Connection,
        fence: int,
        busy: Collection[int],
        room: int,
        now: datetime,
        *,
        urgent: bool,
    ) -> list[Due]:
        """What may be said; a notice that takes the place of something leaves in the same round."""
        fine: list[Due] = []
        for _number in range(CLAIMS):
            taken = {*busy, *(each.address_id for each in fine)}
            wanted = room - len(fine)
            due, unreadable = deliveries.claim(
                db, self._lane, fence, taken, wanted, now, urgent=urgent
            )
            found, waiting = self._judge.judge(db, due, unreadable, now)
            fine += found
            told = waiting and notices.announce(db, sorted(waiting), now)
            more_behind = len(due) + len(unreadable) == wanted
            if len(fine) >= room or not (told or more_behind):
                break
        return fine

    def _freeze(self, db: Connection, due: Sequence[Due], now: datetime) -> list[Planned]:
        """Render what is said for the first time; what was frozen before keeps its words."""
        fresh = [each for each in due if not each.parts]
        lookup = References(db, (ref for each in fresh for ref in refs_of(each.message)))
        # What will stand in the list of chats.
        last = {each.address_id: each.id for each in due if is_bubble(each.message)}
        frozen = []
        for each in fresh:
            closes = each.discreet and last.get(each.address_id) == each.id
            closing = closes and needs_closing(each.kind, each.message)
            rendered = self._render(db, each, lookup, now, closing=closing)
            if rendered is not None:
                frozen.append(rendered)
        parts = deliveries.freeze(db, frozen, now) if frozen else {}
        gathering.count(db, [each.due for each in frozen], now)
        again = [part.id for each in due for part in each.parts if part.state == "failed"]
        if again:
            fates.mark_sending(db, again)
        planned = [(each, each.parts or parts.get(each.id, ())) for each in due]
        return [(each, its_parts) for each, its_parts in planned if its_parts]

    def _render(
        self, db: Connection, due: Due, lookup: References, now: datetime, *, closing: bool
    ) -> Frozen | None:
        """One message that cannot be rendered must not hold up the others."""
        try:
            fitted = self._fit(db, due, lookup, now, closing=closing)
        except Exception as error:
            log.error(
                "render_failed",
                lane=self._lane,
                error=type(error).__name__,
                where=logs.where(error),
            )
            fates.settle(db, self._lane, [Fate(due.id, "failed", "render")])
            return None
        if not fitted.contents:
            fates.settle(db, self._lane, [Fate(due.id, "dropped", "nothing")])
            return None
        tokens = [secrets.token_urlsafe(9) for _content in fitted.contents]
        return Frozen(due, fitted.contents, tokens, fitted.prompt_token, closing)

    def _fit(
        self, db: Connection, due: Due, lookup: References, now: datetime, *, closing: bool
    ) -> Fitted:
        if due.message.retract is not None:
            return Fitted(self._retraction(db, due, now), None)
        limits, timezone = self._channel.limits, due.timezone or "UTC"
        message = said_in_full(due.message, limits.text, lookup, due.language, timezone)
        if message == NOTHING:
            return Fitted((), None)
        return fit(
            message,
            due.language,
            limits,
            lookup,
            timezone=timezone,
            experienced=due.experienced,
            closing=closing,
        )

    def _retraction(self, db: Connection, due: Due, now: datetime) -> tuple[dict[str, Any], ...]:
        """The bubbles that can still be deleted, a hundred to a call."""
        retract, young = due.message.retract, self._channel.limits.retract
        assert retract is not None and young is not None
        if retract.table == "inbox":  # one bubble of hers
            ids = inbox.list_bubbles(db, retract.id)
        else:
            post_id = retract.id if retract.table == "posts" else None
            ids = notices.list_bubbles(db, due.address_id, post_id, now - young)
        return tuple({"retract": ids[start : start + 100]} for start in range(0, len(ids), 100))
