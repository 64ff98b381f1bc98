"""What a lane may send now: claim what is due, judge it, render and freeze it; one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot import logs
from bot.channels import Channel
from bot.discretion import ASKED_LASTS, is_bubble, is_unasked, needs_closing
from bot.fitting import Fitted, fit
from bot.messages import refs_of
from bot.store import addresses, copies, deliveries, fates, inbox, notices
from bot.store.deliveries import Due, Frozen, Part
from bot.store.fates import Fate
from bot.store.references import References
from bot.timing import MONDAY, MORNING, hours_of, next_at, quiet_until, zone

CLAIMS = 4  # in one transaction, while others wait behind what may not leave yet
LOOKED_AT = timedelta(days=1)  # what is put off is looked at again, whatever it waits for
ATTEMPTS = 5  # a delivery that was taken so often and never even rendered is poison

Planned = tuple[Due, tuple[Part, ...]]

log = logs.get("planning")


class Planner:
    """Decides for one channel; holds nothing else."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lane = channel.lane

    def plan(
        self, db: Connection, fence: int, busy: Collection[int], room: int, now: datetime
    ) -> list[Planned]:
        """What goes out now, in order per address. Raises LaneLost."""
        due = self._claim(db, fence, busy, room, now)
        planned = self._freeze(db, due, now)
        return sorted(planned, key=lambda each: each[0].address_id)

    def _claim(
        self, db: Connection, fence: int, busy: Collection[int], room: int, now: datetime
    ) -> list[Due]:
        """What may be said; a notice that takes the place of something leaves in the same round."""
        fine: list[Due] = []
        for _number in range(CLAIMS):
            taken = {*busy, *(each.address_id for each in fine)}
            wanted = room - len(fine)
            due, unreadable = deliveries.claim(db, self._lane, fence, taken, wanted, now)
            found, waiting = self._judge(db, due, unreadable, now)
            fine += found
            told = waiting and notices.announce(db, sorted(waiting), now)
            more_behind = len(due) + len(unreadable) == wanted
            if len(fine) >= room or not (told or more_behind):
                break
        return fine

    def _judge(
        self, db: Connection, due: Sequence[Due], unreadable: Sequence[int], now: datetime
    ) -> tuple[list[Due], set[int]]:
        """What may be said, and the addresses that may only hear that something waits."""
        due = self._stay(db, due, now)
        over = self._overtaken(db, due)
        verdicts = [over.get(each.id) or self._verdict(each, now) for each in due]
        refused = [fate for fate in verdicts if fate is not None]
        waits = [fate for fate in refused if fate.state in ("queued", "held")]
        ended = [fate for fate in refused if fate.state not in ("queued", "held")]
        ended += [Fate(id_, "failed", "unreadable") for id_ in unreadable]
        if waits:
            fates.put_back(db, waits)
        if ended:
            fates.settle(db, self._lane, ended)
        judged = list(zip(due, verdicts, strict=True))
        fine = [each for each, fate in judged if fate is None]
        return fine, {each.address_id for each, fate in judged if _is_discreet(fate)}

    def _stay(self, db: Connection, due: Sequence[Due], now: datetime) -> list[Due]:
        """Without what goes to another app of hers, or to none: this one is of no use."""
        lost = [each.id for each in due if each.unreachable or not each.hers]
        gone = addresses.follow(db, lost, now) if lost else set()
        return [each for each in due if each.id not in gone]

    def _overtaken(self, db: Connection, due: Sequence[Due]) -> dict[int, Fate]:
        """What must not be said any more: words that were hidden, notices of what was opened."""
        tried = [each.id for each in due if each.parts]
        hidden = copies.list_hidden(db, tried) if tried else set()
        told = {each.id: each.address_id for each in due if each.kind == "notice"}
        waiting = notices.list_waiting(db, [*told.values()]) if told else set()
        opened = [id_ for id_, address_id in told.items() if address_id not in waiting]
        return {id_: Fate(id_, "dropped", "taken_back") for id_ in hidden} | {
            id_: Fate(id_, "dropped", "opened") for id_ in opened
        }

    def _verdict(self, due: Due, now: datetime) -> Fate | None:
        """May it still be said? Her state is checked again, whatever it was before."""
        personal = due.kind in ("direct", "safety")
        window = self._channel.limits.window
        if due.message.commands and not self._channel.limits.commands:
            return Fate(due.id, "dropped", "no_commands")
        if due.message.retract is not None:  # takes away, whatever became of her since
            return None if self._channel.limits.retract else Fate(due.id, "dropped", "no_retract")
        if due.expires_at is not None and due.expires_at < now:
            return Fate(due.id, "dropped", "expired")
        if due.member_state == "erasing" and due.kind != "direct":
            return Fate(due.id, "dropped", "erased")
        if due.member_state == "stopped" and not personal:
            return Fate(due.id, "dropped", "stopped")
        if due.in_community and due.membership_state != "active":
            return Fate(due.id, "dropped", "left")
        if due.unreachable and not personal:
            return Fate(due.id, "failed", "unreachable")
        if due.doubted and due.kind != "direct":
            return Fate(due.id, "held", "doubt")
        if not _is_wanted(due):
            return Fate(due.id, "dropped", "pace")
        until, why = _waits(due, now)
        if until is not None:
            return Fate(due.id, "queued", why, min(until, now + LOOKED_AT))
        if due.discreet and is_unasked(due.kind, due.message, due.asked_at, now):
            return Fate(due.id, "held", notices.DISCREET)
        if window and (due.last_inbound_at is None or due.last_inbound_at < now - window):
            return Fate(due.id, "held", "window")
        if due.attempts >= ATTEMPTS and not due.parts:
            return Fate(due.id, "failed", "poison")
        return None

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
        again = [part.id for each in due for part in each.parts if part.state == "failed"]
        if again:
            deliveries.mark_sending(db, again)
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
        return fit(
            due.message,
            due.language,
            self._channel.limits,
            lookup,
            timezone=due.timezone or "UTC",
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


def _is_wanted(due: Due) -> bool:
    """Whether she wants it at all from this community; what she is asked herself she gets."""
    if due.kind in ("direct", "safety"):
        return True
    return due.pace != "muted" and not (due.wide and due.pace == "concerns")


def _waits(due: Due, now: datetime) -> tuple[datetime | None, str]:
    """Until when it waits because she set it so, and why; None = it need not."""
    answers = due.kind in ("direct", "safety") or _is_asked(due, now)
    begun = any(part.state != "failed" for part in due.parts)
    if answers or begun:  # what has left in part is finished
        return None, ""
    where = zone(due.timezone)
    if due.paused_until is not None and due.paused_until > now:
        return due.paused_until, "paused"
    if due.wide and due.pace in ("daily", "weekly"):
        weekday = MONDAY if due.pace == "weekly" else None
        gathered = next_at(due.created_at, where, MORNING, weekday)
        if gathered > now:
            return gathered, "pace"
    hours = hours_of(due.quiet_from, due.quiet_until, due.timezone)
    return quiet_until(now, where, hours), "quiet"


def _is_asked(due: Due, now: datetime) -> bool:
    """Whether she asked to see it, just now."""
    return due.asked_at is not None and due.asked_at >= now - ASKED_LASTS


def _is_discreet(fate: Fate | None) -> bool:
    return fate is not None and fate.reason == notices.DISCREET
