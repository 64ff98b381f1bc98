"""The Turn: one message and what is done about it; all that a handler sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.conversation import Conversations, Step
from bot.i18n import SOURCE, negotiate
from bot.messages import Choice, File, Inbound, Limits, Message, Ref, Text, Tree, refs_of
from bot.offers import under_voice
from bot.store import captions, copies, threads
from bot.store import messages as outbox
from bot.store import reach as reaches
from bot.store.audiences import Audience
from bot.store.copies import Copies
from bot.store.meeting import Member, Sender
from bot.store.reach import Reach
from bot.store.threads import Thread
from bot.talk import Talk
from bot.telling import retract, tell

BURST = timedelta(seconds=3)  # people write in bursts: what is said of it waits for the next bubble


@dataclass(slots=True)
class Turn:
    """One message and what is done about it: facts to read, verbs to speak with."""

    db: Connection
    now: datetime
    inbound: Inbound
    sender: Sender
    inbox_id: int
    conversations: Conversations
    limits: Mapping[str, Limits]  # by lane, for the truth about what can be done
    talk: Talk | None = None  # the talk that waits for an answer
    answering: bool = False  # this turn answers it; False = it interrupts
    choice: str | None = None  # the key of what was chosen
    argument: int = 0  # the row an action is about, from its key
    subject: Ref | None = None  # what the quoted or tapped message is about
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    asked: Talk | None = None  # what this turn asks; None = it asks nothing
    offered: bool = False  # this turn said something that has choices of its own
    told: int = 0  # messages told to others in this turn
    opens: bool = False  # what waited for her to write may be said, or she is asked about it
    kept: tuple[int, ...] = ()  # inbox rows of hers that are taken up after this step
    seen: dict[int, Message] = field(default_factory=dict)  # messages read in this turn, by id
    _said: list[tuple[str, Message, datetime]] = field(default_factory=list)
    _asked_at: int | None = None

    # Facts

    @property
    def member(self) -> Member:
        return self.sender.member

    @property
    def address_id(self) -> int:
        return self.sender.address_id

    @property
    def files(self) -> tuple[File, ...]:
        return self.inbound.files

    @property
    def content(self) -> Inbound:
        """What is hers in this message: without the number it began with, tidied."""
        return replace(self.inbound, text=self.text)

    @property
    def language(self) -> str:
        return self.member.language or negotiate(self.inbound.language) or SOURCE

    @property
    def windows(self) -> dict[str, timedelta]:
        """After her last word we may answer freely for so long, by lane."""
        return {lane: each.window for lane, each in self.limits.items() if each.window}

    def find_thread(
        self, thread_id: int | None = None, *, number: int | None = None
    ) -> Thread | None:
        """A thread that she reads.

        An app that was linked later does not know what she asked the facilitators before.
        """
        found = threads.find_for(self.db, self.member.id, number=number, thread_id=thread_id)
        if found is None or found.scope == "community" or found.asker_id != self.member.id:
            return found
        return found if self.sender.knows(found.created_at) else None

    def may_show_as_hers(self, thread: Thread) -> bool:
        """Whether it may be seen here that she asked it.

        Without her name: not in an app that was linked since, nor before her secret word.
        """
        if thread.asker_id != self.member.id or not thread.anonymous:
            return thread.asker_id == self.member.id
        since, until = self.sender.linked_at, self.sender.unlocked_until
        is_open = not self.member.has_secret or (until is not None and until > self.now)
        return is_open and (since is None or thread.created_at >= since)

    @property
    def chosen(self) -> str:
        """The last part of the chosen key, after the colon or the dot."""
        return (self.choice or "").rpartition(":")[2]

    # Verbs

    def say(
        self,
        *paragraphs: Text,
        choices: Iterable[Choice] = (),
        subject: Ref | None = None,
        qr: str | None = None,
        file: Ref | None = None,
        tree: Tree | None = None,
        after: timedelta = timedelta(0),
    ) -> None:
        """Answer her; choices here are actions, which work as long as the bubble is there."""
        said = Message(paragraphs, tuple(choices), subject=subject, qr=qr, file=file, tree=tree)
        self._add(said, after)

    def ask(
        self,
        *paragraphs: Text,
        then: Step,
        choices: Iterable[Choice] = (),
        free: bool = False,
        after: timedelta = timedelta(0),
    ) -> None:
        """Ask her, and wait: `then` gets the answer. Without choices the answer is free text."""
        step = self.conversations.names[then]
        listed = tuple(choices)
        self._asked_at = len(self._said)
        self._add(Message(paragraphs, listed, step=step, free=free or not listed), after)
        self.asked = Talk(step, self.data, free=not listed)

    def again(self, *paragraphs: Text) -> None:
        """Say what was not understood and repeat the question, with its choices."""
        assert self.talk is not None
        question = self._question(self.talk)
        self._asked_at = len(self._said)
        self._add(
            Message(
                (*paragraphs, *question.paragraphs) if question.choices else paragraphs,
                question.choices,
                step=self.talk.step,
                free=question.free,
            ),
            timedelta(0),
        )
        self.asked = replace(self.talk, data=self.data)

    def wait(self) -> None:
        """Go on waiting for an answer to the same question, without repeating it."""
        assert self.talk is not None
        self.asked = replace(self.talk, data=self.data)

    def postpone(self) -> bool:
        """Let the question wait for further bubbles of a burst; False if it has left already."""
        waiting = self.talk.message_id if self.talk else None
        return waiting is not None and outbox.postpone(self.db, waiting, self.now + BURST)

    def tell(
        self,
        audience: Audience,
        *paragraphs: Text,
        kind: str = "thread",
        choices: Iterable[Choice] = (),
        hint: Text | None = None,
        subject: Ref | None = None,
        community_id: int | None = None,
        after: timedelta = timedelta(0),
        once: str | None = None,
    ) -> int | None:
        """Say something to others; the message's id, or None if `once` was said before."""
        self.told += 1
        message = Message(paragraphs, tuple(choices), hint, subject=subject)
        key = once or f"in{self.inbox_id}/tell{self.told}"
        return tell(
            self.db,
            self.now,
            key,
            audience,
            message,
            kind=kind,
            community_id=community_id,
            due_at=self.now + after,
        )

    def pass_on(
        self,
        thread: Thread,
        audience: Audience,
        message: Message,
        *,
        after: timedelta = timedelta(0),
    ) -> int | None:
        """Tell a post of a thread, as bot.posting has put it."""
        self.told += 1
        message = self._with_offer(message)
        return tell(
            self.db,
            self.now,
            f"in{self.inbox_id}/tell{self.told}",
            audience,
            message,
            community_id=thread.community_id,
            due_at=self.now + after,
            for_role=None if thread.scope == "community" else "facilitator",
        )

    def _with_offer(self, message: Message) -> Message:
        """The same with [Write it down], if it tells a voice that nobody has written down."""
        whole = [ref.id for ref in refs_of(message) if ref.table == "posts" and ref.most is None]
        bare = next((id_ for id_ in whole if captions.find_bare(self.db, id_)[0]), None)
        if bare is None:
            return message
        return replace(message, choices=(*message.choices, under_voice(bare)))

    def take_back(self, post_id: int, message_id: int | None, but: int) -> Copies:
        """Keep back what has not left of a post, delete what can be deleted; what stands.

        `message_id` is how it was told, `but` the member whose own it is.
        """
        young = {
            lane: self.now - each.retract for lane, each in self.limits.items() if each.retract
        }
        found = copies.count(self.db, post_id, young)
        if message_id is not None:
            copies.keep_back(self.db, message_id, "taken_back")
        retract(self.db, self.now, post_id, but=(but,))
        return found

    def empty_chat(self) -> bool:
        """Delete what can be deleted in this chat; False where the app does not allow it."""
        limits = self.limits.get(self.inbound.lane)
        if limits is None or limits.retract is None:
            return False
        self._add(Message(retract=Ref("addresses", self.address_id)), timedelta(0))
        return True

    def delete_hers(self) -> bool:
        """Delete what she just wrote from her screen; False where the app does not allow it."""
        limits = self.limits.get(self.inbound.lane)
        if limits is None or limits.retract is None:
            return False
        self._add(Message(retract=Ref("inbox", self.inbox_id)), timedelta(0))
        return True

    def take_up(self, inbox_ids: Iterable[int]) -> None:
        """Go on with what she wrote before, as if it came now."""
        self.kept = tuple(inbox_ids)

    def reach(self, audience: Audience, kind: str = "thread") -> Reach:
        """How many of them get what is of this kind now, later, or not at all."""
        return reaches.count(self.db, audience, self.windows, self.now, kind)

    def start(self, name: str, **data: Any) -> None:
        """Go on with another talk in the same turn: "menu.start"; `data` is what it begins with."""
        self.data = data
        self.conversations.actions[name](self)

    def refresh_commands(self) -> None:
        """Bring the chat's command menu into the language she has now."""
        self._add(Message(commands=True), timedelta(0))

    # The engine's own

    @property
    def spoke(self) -> bool:
        return bool(self.told or self._said)

    def answer(self, talk: Talk) -> None:
        """This turn is an answer to that talk; talks above it are over."""
        self.talk, self.data, self.answering = talk, talk.data, True

    def _add(self, message: Message, after: timedelta) -> None:
        key = f"in{self.inbox_id}/say{len(self._said) + 1}"
        self._said.append((key, message, self.now + after))
        self.offered = bool(message.choices)

    def _question(self, talk: Talk) -> Message:
        return self.message(talk.question_id) or Message()

    def message(self, message_id: int | None) -> Message | None:
        """A message that was said before, read once in a turn."""
        if message_id is None:
            return None
        if message_id not in self.seen:
            found = outbox.find(self.db, message_id)
            if found is None:
                return None
            self.seen[message_id] = found
        return self.seen[message_id]

    def repeat(self, talk: Talk) -> None:
        """Ask again what another talk has interrupted."""
        question = self._question(talk)
        self._asked_at = len(self._said)
        self._add(question, timedelta(0))
        self.asked = talk

    def flush(self) -> None:
        """Write down what was said; the question's id goes into the talk."""
        if not self._said:
            return
        address = (self.address_id, self.member.id, self.inbound.lane)
        ids = outbox.say(self.db, self._said, address, self.now)
        if self.asked is not None and self._asked_at is not None:
            self.asked.message_id = ids[self._asked_at]
            if self.asked.question_id is None:
                self.asked.question_id = self.asked.message_id
