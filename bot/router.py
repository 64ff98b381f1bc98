"""From an Inbound to a committed turn: taken before? who is it? where does it go? run, commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import allowances, clock, logs, metrics, returning, windows
from bot.conversation import Conversations
from bot.db import Database, StoreDown
from bot.i18n import tidy
from bot.messages import File, Inbound, Limits, Tap, _
from bot.routes import PRIVATE, Routes
from bot.store import addresses, doubts, forgetting, inbox, meeting, members
from bot.store import conversations as talks
from bot.talk import Talk
from bot.turn import Turn

TALK_LASTS = timedelta(days=7)  # an unfinished talk is kept so long
SILENT = timedelta(days=60)  # then a number may have passed to somebody else

log = logs.get("router")


class Router:
    """Takes one inbound at a time; what it returns from is committed."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        limits: Mapping[str, Limits],
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._routes = Routes(conversations)
        self._limits = limits

    async def take(self, inbound: Inbound) -> None:
        """One turn in one transaction. Raises StoreDown: then nothing was taken."""
        now = clock.now()
        if inbound.kind == "moved":
            return await self._move(inbound, now)
        try:
            outcome = await self._database.run(lambda db: self._turn(db, inbound, now))
        except StoreDown:
            raise
        except Exception as error:
            reason = type(error).__name__
            log.error(
                "turn_failed",
                lane=inbound.lane,
                kind=inbound.kind,
                error=reason,
                where=logs.where(error),
            )
            outcome = await self._database.run(lambda db: self._sorry(db, inbound, now, reason))
        metrics.TURNS.labels(inbound.lane, outcome).inc()

    async def _move(self, inbound: Inbound, now: datetime) -> None:
        """Nobody said anything: a chat is called otherwise now."""
        lane, [old], new = inbound.lane, inbound.sender, inbound.moved_to or ""
        moved = await self._database.run(lambda db: meeting.readdress(db, lane, old, new, now))
        metrics.TURNS.labels(lane, "moved" if moved else "repeated").inc()

    async def park(self, lane: str, key: str, payload: str, reason: str) -> None:
        """Keep an authenticated event that cannot be used. Raises StoreDown."""
        now = clock.now()
        await self._database.run(lambda db: inbox.park(db, lane, key, payload, now, reason))
        metrics.TURNS.labels(lane, "parked").inc()

    # One turn

    def _turn(self, db: Connection, inbound: Inbound, now: datetime) -> str:
        sender, new = self._meet(db, inbound, now)
        payload = _payload(_kept(inbound, sender))
        inbox_id = inbox.add(db, inbound.lane, inbound.key, payload, now, sender.address_id)
        if new and (inbox_id is None or _is_silent(db, inbound)):
            # Who was forgotten stays so: nothing is kept of somebody to whom nothing is said.
            forgetting.remove_stranger(db, sender.member.id, inbox_id)
            return "repeated" if inbox_id is None else "unknown"
        if inbox_id is None:
            return "repeated"
        turn = self._hear(db, inbound, inbox_id, sender, new, now)
        flood = allowances.flood(sender, now)
        if flood and not self._routes.is_urgent(turn):
            return self._set_aside(turn, first=flood == "begins")
        if inbound.kind == "blocked":
            members.mark_unreachable(db, turn.address_id, now)
            addresses.fall_back(db, turn.address_id, now)
            return "blocked"
        self._run(turn)
        if turn.kept:
            self._take_up(turn)
        self._finish(turn)
        return "taken"

    def _set_aside(self, turn: Turn, *, first: bool) -> str:
        """Too much in a minute: kept, answered once, not passed on; her talk stands as it stood."""
        inbox.set_aside(turn.db, turn.inbox_id, "flood")
        if first:
            turn.say(allowances.MESSAGES.over)
            turn.flush()
        return "flood"

    def _run(self, turn: Turn) -> None:
        step = self._routes.find(turn)
        if step is not None:
            step(turn)
        kept = turn.talk.kept if turn.talk is not None and turn.answering else ()
        if turn.asked is None and kept:
            turn.take_up((*turn.kept, *kept))
        elif turn.asked is not None:
            turn.asked.kept = tuple(dict.fromkeys((*kept, *turn.asked.kept)))

    def _take_up(self, turn: Turn) -> None:
        """What she wrote while something stood between, as if it came now, in one piece."""
        found = [_inbound(each) for each in inbox.list_payloads(turn.db, turn.kept)]
        if not found:
            return
        first = next((each for each in found if each.tap), found[0])
        text = "\n".join(each.text for each in found if each.text)
        files = tuple(file for each in found for file in each.files)
        turn.inbound = first if first.tap else replace(first, text=text, files=files)
        turn.text = tidy(turn.inbound.text)
        if turn.answering and turn.talk is not None:
            turn.talk, turn.answering = turn.talk.beneath, False
        turn.choice, turn.data = None, {}
        self._run(turn)

    def _meet(self, db: Connection, inbound: Inbound, now: datetime) -> tuple[meeting.Sender, bool]:
        """Who it is; her address is locked from here on."""
        group = inbound.kind == "group"
        return meeting.meet(db, inbound.lane, inbound.sender, now, group=group)

    def _hear(
        self,
        db: Connection,
        inbound: Inbound,
        inbox_id: int,
        sender: meeting.Sender,
        new: bool,
        now: datetime,
    ) -> Turn:
        opens = False
        if inbound.kind != "blocked":
            members.mark_heard(db, sender.address_id, now, *allowances.heard(sender, now))
            if self._is_doubtful(sender, now):
                doubts.mark(db, sender.address_id, now)
                sender = replace(sender, doubted_at=now)
            elif sender.doubted_at is None:
                opens = not new and self._is_back(sender, now)
                if not sender.preferred:
                    addresses.come_back(db, sender.address_id, now)
        expired = sender.conversation_expires_at is not None and (
            sender.conversation_expires_at < now
        )
        stored = None if expired else sender.conversation
        talk = None if stored is None else Talk.from_json(stored)
        return Turn(
            db=db,
            now=now,
            inbound=inbound,
            sender=sender,
            inbox_id=inbox_id,
            conversations=self._conversations,
            limits=self._limits,
            talk=talk,
            text=tidy(inbound.text),
            opens=opens,
        )

    def _is_back(self, sender: meeting.Sender, now: datetime) -> bool:
        """What waited for her to write may come; she is asked about it at most once a day."""
        if sender.offer_at is not None:
            return sender.offer_at <= now
        limits = self._limits.get(sender.lane)
        window = None if limits is None else limits.window
        return sender.unreachable or not windows.is_open(sender.last_inbound_at, window, now)

    def _is_doubtful(self, sender: meeting.Sender, now: datetime) -> bool:
        """Perhaps somebody else has this number now: it was silent long, or has another user id."""
        limits = self._limits.get(sender.lane)
        known = sender.member.name is not None and sender.member.state in ("active", "stopped")
        if limits is None or not limits.reassigned or not known or sender.doubted_at is not None:
            return False
        last = sender.last_inbound_at or sender.heard_since  # the window may have been closed
        return sender.changed or (last is not None and last < now - SILENT)

    # Finish

    def _finish(self, turn: Turn) -> None:
        before = turn.talk
        beneath = before.beneath if before is not None and turn.answering else before
        if turn.asked is not None:
            turn.asked.beneath = _shallow(beneath)
        elif beneath is not None:
            self._go_back(turn, beneath)
        if turn.opens:
            returning.take_up(turn)
        turn.flush()
        self._save(turn, before)

    def _go_back(self, turn: Turn, waiting: Talk) -> None:
        """Nothing is asked now: a talk that was interrupted repeats its question."""
        if (turn.answering or turn.spoke) and not turn.offered:
            turn.repeat(waiting)
        else:
            turn.asked = waiting

    def _save(self, turn: Turn, before: Talk | None) -> None:
        if turn.asked is not None:
            state = turn.asked.to_json()
            talks.save(turn.db, turn.address_id, state, turn.now + TALK_LASTS)
        elif before is not None or turn.sender.conversation is not None:
            talks.forget(turn.db, turn.address_id)

    def _sorry(self, db: Connection, inbound: Inbound, now: datetime, reason: str) -> str:
        """A handler failed: keep the inbound, say so kindly, and leave the talk where it was."""
        sender, new = self._meet(db, inbound, now)
        payload = _payload(_kept(inbound, sender))
        inbox_id = inbox.park(
            db, inbound.lane, inbound.key, payload, now, reason, sender.address_id
        )
        if inbox_id is None:
            return "repeated"
        turn = self._hear(db, inbound, inbox_id, sender, new, now)
        if inbound.kind in ("message", "tap"):
            turn.say(_("Sorry, something went wrong here. Your message is kept. Please try again."))
            turn.flush()
        return "parked"


def _is_silent(db: Connection, inbound: Inbound) -> bool:
    """What is no reason to know somebody whom we do not know."""
    if inbound.kind == "tap" and inbound.tap is not None:
        return forgetting.is_last_tap(db, inbound.tap.token)
    return inbound.kind in ("blocked", "unblocked", "edit")


def _kept(inbound: Inbound, sender: meeting.Sender) -> Inbound:
    """What is kept of it: her secret word stays nowhere."""
    waits = (sender.conversation or {}).get("step") or ""
    return replace(inbound, text="") if str(waits).startswith(PRIVATE) else inbound


def _inbound(payload: str) -> Inbound:
    """An inbound as it was kept."""
    kept = json.loads(payload)
    kept["sender"] = tuple(kept["sender"])
    kept["files"] = tuple(File(**each) for each in kept["files"])
    kept["tap"] = None if kept["tap"] is None else Tap(**kept["tap"])
    return Inbound(**kept)


def _payload(inbound: Inbound) -> str:
    plain = {each.name: getattr(inbound, each.name) for each in fields(inbound)}
    # Letters as they are: six signs for one would push long words out of their usual length.
    return json.dumps(plain, default=asdict, ensure_ascii=False)


def _shallow(talk: Talk | None, depth: int = 3) -> Talk | None:
    """Interrupted talks are kept three deep."""
    if talk is None or depth == 0:
        return None
    talk.beneath = _shallow(talk.beneath, depth - 1)
    return talk
