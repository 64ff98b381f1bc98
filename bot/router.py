"""From an Inbound to a committed turn: duplicate? tap? reply? word? waiting step? - run - commit.

Events that a conversation may take with `on`:
  code      an invite code (turn.text)           stranger  somebody who is no member yet
  stopped   a member who has stopped messages    thread    a reply in a thread (turn.subject)
  edit      a bubble that was changed            group     the bot was spoken to in a group
  no_thread a thread number that is not hers
  text      free text that is no answer          stale     a choice that is over
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

import regex
from sqlalchemy import Connection

from bot import clock, logs, metrics
from bot.conversation import Conversation, Conversations, Step, Talk, Turn
from bot.db import Database, StoreDown
from bot.i18n import fold, in_all_languages, tidy
from bot.messages import Inbound, Message, _
from bot.smalltalk import yes_or_no
from bot.store import conversations as talks
from bot.store import inbox, invites, members, messages, prompts, threads
from bot.store.prompts import Prompt
from bot.store.references import References, refs_of

TALK_LASTS = timedelta(days=7)  # an unfinished talk is kept so long
DOUBLE_TAP = timedelta(minutes=2)  # the same tap again within this is the same tap
LABEL_LENGTH = 60  # longer text is never compared with labels

log = logs.get("router")


class Router:
    """Takes one inbound at a time; what it returns from is committed."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        windows: Mapping[str, timedelta],
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._windows = windows

    async def take(self, inbound: Inbound) -> None:
        """One turn in one transaction. Raises StoreDown: then nothing was taken."""
        now = clock.now()
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

    async def park(self, lane: str, key: str, payload: str, reason: str) -> None:
        """Keep an authenticated event that cannot be used. Raises StoreDown."""
        now = clock.now()
        await self._database.run(lambda db: inbox.park(db, lane, key, payload, now, reason))
        metrics.TURNS.labels(lane, "parked").inc()

    # One turn

    def _turn(self, db: Connection, inbound: Inbound, now: datetime) -> str:
        inbox_id = inbox.add(db, inbound.lane, inbound.key, _payload(inbound), now)
        if inbox_id is None:
            return "repeated"
        turn = self._meet(db, inbound, inbox_id, now)
        if inbound.kind == "blocked":
            members.mark_unreachable(db, turn.address_id, now)
            return "blocked"
        step = self._route(turn)
        if step is not None:
            step(turn)
        self._finish(turn)
        return "taken"

    def _meet(self, db: Connection, inbound: Inbound, inbox_id: int, now: datetime) -> Turn:
        group = inbound.kind == "group"
        sender, new = members.meet(db, inbound.lane, inbound.sender, now, group=group)
        if inbound.kind != "blocked":
            members.mark_heard(db, sender.address_id, now)
            self._open_window(db, sender, new, now)
        expired = sender.conversation_expires_at is not None and (
            sender.conversation_expires_at < now
        )
        stored = None if expired else sender.conversation
        talk = None if stored is None else Talk.from_json(stored)
        return Turn(
            db=db,
            now=now,
            inbound=inbound,
            member=sender.member,
            address_id=sender.address_id,
            inbox_id=inbox_id,
            conversations=self._conversations,
            windows=self._windows,
            talk=talk,
            first=sender.last_inbound_at is None,
            text=tidy(inbound.text),
            wrong_codes=sender.wrong_codes,
            wrong_codes_since=sender.wrong_codes_since,
        )

    def _open_window(
        self, db: Connection, sender: members.Sender, new: bool, now: datetime
    ) -> None:
        window = self._windows.get(sender.lane)
        last = sender.last_inbound_at
        closed = window is not None and (last is None or last < now - window)
        if not new and (closed or sender.unreachable):
            messages.release_held(db, sender.address_id, now)

    # Where it goes: the first that knows what to do with it

    def _route(self, turn: Turn) -> Step | None:
        if turn.inbound.kind in ("edit", "group"):
            return self._conversations.events[turn.inbound.kind]
        if turn.inbound.kind == "unblocked":
            return None
        for find in (
            self._anywhere,
            self._stopped,
            self._tap,
            self._quote,
            self._code,
            self._listed,
            self._stranger,
            self._numbered_thread,
            self._command,
            self._waiting,
            self._word,
        ):
            step = find(turn)
            if step is not None:
                return step
        return self._conversations.events["text"]

    def _anywhere(self, turn: Turn) -> Step | None:
        """stop, help, menu, cancel: heard in the middle of everything."""
        if turn.inbound.tap or not turn.text:
            return None
        conversation = self._named(turn)
        if conversation is None or not conversation.anywhere:
            return None
        return self._conversations.begin(conversation)

    def _named(self, turn: Turn) -> Conversation | None:
        if turn.text.startswith("/"):
            command, _blank, rest = turn.text[1:].partition(" ")
            found = self._conversations.commands.get(command.partition("@")[0].casefold())
            return None if rest.strip() else found
        return self._conversations.words.get(fold(turn.text))

    def _stopped(self, turn: Turn) -> Step | None:
        return self._conversations.events["stopped"] if turn.member.state == "stopped" else None

    def _tap(self, turn: Turn) -> Step | None:
        tap = turn.inbound.tap
        if tap is None:
            return None
        prompt = prompts.find(turn.db, tap.token, turn.address_id)
        if prompt is None or tap.index >= len(prompt.message.choices):
            return self._conversations.events["stale"]
        return self._choose(turn, prompt, tap.index)

    def _quote(self, turn: Turn) -> Step | None:
        """A reply to one of our bubbles: a choice of it, or a contribution to its thread."""
        if turn.inbound.reply_to is None or turn.member.state != "active":
            return None
        prompt = prompts.find_quoted(
            turn.db, turn.inbound.lane, turn.inbound.reply_to, turn.address_id
        )
        if prompt is None:
            return None
        index = _match(turn, prompt.message)
        if index is not None:
            return self._choose(turn, prompt, index)
        if prompt.message.subject is None:
            return None
        turn.subject = prompt.message.subject
        return self._conversations.events["thread"]

    def _code(self, turn: Turn) -> Step | None:
        start = turn.text.removeprefix("/start ") if turn.text.startswith("/start ") else None
        code = start if start is not None else self._code_in(turn)
        if code is None:
            return None
        turn.text = invites.find_code(code) or code
        return self._conversations.events["code"]

    def _code_in(self, turn: Turn) -> str | None:
        """A stranger may write around a code; a member's text is one only if it is nothing else."""
        code = invites.find_code(turn.text) if len(turn.text) < 300 else None
        if turn.member.state == "new" and turn.talk is None:
            return code
        bare = code is not None and len(turn.text) <= len(code)
        return code if bare and turn.talk is None and "-" in turn.text else None

    def _stranger(self, turn: Turn) -> Step | None:
        waits = turn.talk is not None
        if turn.member.state != "new" or waits:
            return None
        return self._conversations.events["stranger"]

    def _listed(self, turn: Turn) -> Step | None:
        """A bare number or a label means the last list that was sent to this address."""
        if not turn.text or turn.files or len(turn.text) > LABEL_LENGTH:
            return None
        prompt = prompts.find_last(turn.db, turn.address_id)
        if prompt is None or self._asked_since(turn, prompt):
            return None
        index = _match(turn, prompt.message)
        return None if index is None else self._choose(turn, prompt, index)

    def _asked_since(self, turn: Turn, prompt: Prompt) -> bool:
        """A question for free text came after the list: a number is an answer to that."""
        asked = turn.talk.message_id if turn.talk is not None else None
        return asked is not None and asked > prompt.message_id

    def _numbered_thread(self, turn: Turn) -> Step | None:
        """101, Q101, 101 and an answer; only if there is such a thread for her."""
        number, text = split_number(turn.text)
        if number is None or number < threads.FIRST_NUMBER:
            return None
        thread = threads.find_for(turn.db, turn.member.id, number=number)
        if thread is None:
            return None if text else self._conversations.events["no_thread"]
        turn.subject = thread.ref
        if not text and not turn.files:
            return self._conversations.actions["threads.show"]
        turn.text = text
        return self._conversations.events["thread"]

    def _command(self, turn: Turn) -> Step | None:
        if not turn.text.startswith("/"):
            return None
        conversation = self._named(turn)
        return None if conversation is None else self._conversations.begin(conversation)

    def _waiting(self, turn: Turn) -> Step | None:
        if turn.talk is None:
            return None
        step = self._conversations.steps.get(turn.talk.step)
        if step is None:
            log.warning("step_gone", step=turn.talk.step)
            return self._changed
        question = messages.find(turn.db, turn.talk.message_id or 0) or Message(free=True)
        word = None if question.free else self._named(turn)
        if word is not None:
            return self._conversations.begin(word)
        turn.answer(turn.talk)
        return (
            step
            if question.free and not _looks_like_choice(turn, question)
            else (self._wrong_choice)
        )

    def _word(self, turn: Turn) -> Step | None:
        conversation = self._named(turn)
        return None if conversation is None else self._conversations.begin(conversation)

    # Choices

    def _choose(self, turn: Turn, prompt: Prompt, index: int) -> Step | None:
        choice = prompt.message.choices[index]
        turn.choice, turn.subject = choice.key, prompt.message.subject
        if prompt.message.step is None:
            name, _colon, argument = choice.key.partition(":")
            turn.argument = int(argument) if argument.isdecimal() else 0
            return self._conversations.actions.get(name, self._conversations.events["stale"])
        return self._answer(turn, prompt, index)

    def _answer(self, turn: Turn, prompt: Prompt, index: int) -> Step | None:
        """A choice of a step counts once, and only while that question stands."""
        talk = _unwound(turn.talk, prompt.message_id)
        if _is_double(prompt, index, turn.now):
            return self._nothing
        if talk is None or prompt.consumed_at is not None:
            turn.choice = None
            return self._conversations.events["stale"]
        step = self._conversations.steps.get(talk.step)
        if step is None:
            return self._changed
        if prompt.id is not None:
            prompts.consume(turn.db, prompt.id, index, turn.now)
        turn.answer(talk)
        return step

    def _nothing(self, turn: Turn) -> None:
        """The same tap twice is one tap."""

    def _wrong_choice(self, turn: Turn) -> None:
        if turn.files:
            turn.again(_("I have kept what you sent. Please choose first:"))
        else:
            turn.again(_("Please choose one of these. You can tap it or type its number."))

    def _changed(self, turn: Turn) -> None:
        turn.answering = True
        turn.say(_("That has changed meanwhile. Let us start again."))
        turn.start("menu.start")

    # Finish

    def _finish(self, turn: Turn) -> None:
        before = turn.talk
        beneath = before.beneath if before is not None and turn.answering else before
        if turn.asked is not None:
            turn.asked.beneath = _shallow(beneath)
        elif beneath is not None:
            self._go_back(turn, beneath)
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
        elif before is not None:
            talks.forget(turn.db, turn.address_id)

    def _sorry(self, db: Connection, inbound: Inbound, now: datetime, reason: str) -> str:
        """A handler failed: keep the inbound, say so kindly, and leave the talk where it was."""
        inbox_id = inbox.park(db, inbound.lane, inbound.key, _payload(inbound), now, reason)
        if inbox_id is None:
            return "repeated"
        turn = self._meet(db, inbound, inbox_id, now)
        if inbound.kind in ("message", "tap"):
            turn.say(_("Sorry, something went wrong here. Your message is kept. Please try again."))
            turn.flush()
        return "parked"


def _payload(inbound: Inbound) -> str:
    return json.dumps(asdict(inbound), ensure_ascii=False)


def _unwound(talk: Talk | None, message_id: int) -> Talk | None:
    """The talk whose question this message was; talks above it are dropped."""
    while talk is not None and talk.message_id != message_id:
        talk = talk.beneath
    return talk


def _is_double(prompt: Prompt, index: int, now: datetime) -> bool:
    taken = prompt.consumed_at
    return taken is not None and prompt.chosen == index and taken > now - DOUBLE_TAP


def _shallow(talk: Talk | None, depth: int = 3) -> Talk | None:
    """Interrupted talks are kept three deep."""
    if talk is None or depth == 0:
        return None
    talk.beneath = _shallow(talk.beneath, depth - 1)
    return talk


def _looks_like_choice(turn: Turn, question: Message) -> bool:
    """A small number that is not on the list was meant for the list all the same."""
    typed = fold(turn.text)
    return bool(question.choices) and typed.isdecimal() and len(typed) <= 2


def _match(turn: Turn, message: Message) -> int | None:
    """The choice that a typed number or label means, in any of our languages."""
    typed = fold(turn.text)
    if not typed or not message.choices:
        return None
    if typed.isdecimal():
        number = int(typed)
        return number - 1 if 1 <= number <= len(message.choices) else None
    said = yes_or_no(turn.text)
    lookup = References(turn.db, refs_of(message))
    for index, choice in enumerate(message.choices):
        if choice.key == said or typed in in_all_languages(choice.label, lookup):
            return index
    return None


# "101", "Q101 …", "១០១…": no space is needed before another script; 1.5 and 150,000 are no threads.
_NUMBERED = regex.compile(
    r"\s*q?(\p{Nd}{3,8})(?![\p{Nd}]|[.,]\p{Nd}|[a-z])[\s.:,)-]*(.*)", regex.S | regex.I
)


def split_number(text: str) -> tuple[int | None, str]:
    """The thread number a text begins with, in any digits, and the rest of it."""
    found = _NUMBERED.fullmatch(text)
    return (None, text) if found is None else (int(found[1]), found[2].strip())
