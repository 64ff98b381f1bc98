"""Where an inbound goes: the first that knows what to do with it.

Events that a conversation may take with `on`:
  code      an invite code (turn.text)           stranger  somebody who is no member yet
  receipt   the code of a report (turn.text)     response  a reply to a weekly message
  stopped   a member who has stopped messages    thread    a reply in a thread (turn.subject)
  session   a reply to what was said of a session, proposal: of a call for ideas, tale: of a story
  edit      a bubble that was changed            group     the bot was spoken to in a group
  no_thread a thread number that is not hers      doubted   perhaps not she: ask her name first
  text      free text that is no answer          stale     a choice that is over
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot import logs
from bot.allowances import URGENT
from bot.conversation import Conversation, Conversations, Step
from bot.discretion import CLEAR
from bot.i18n import fold
from bot.messages import _
from bot.reading import find_choice, is_number, split_number
from bot.roles import HERS, power_of
from bot.smalltalk import can_be_passed_on, is_small
from bot.store import codes, invites, prompts, reports, threads
from bot.store.prompts import Prompt
from bot.talk import Talk, unwound
from bot.turn import Turn

DOUBLE_TAP = timedelta(minutes=2)  # the same tap again within this is the same tap
PRIVATE = "secret."  # steps whose answers are kept nowhere
DOUBT = "doubt."
CONFIDED = (PRIVATE, "report.", "receipts.", "concerns.")  # of which nothing goes elsewhere
_TOLD = {"editions": "response", "proposals": "proposal", "consents": "tale"}
ABOUT = _TOLD | dict.fromkeys(("sessions", "harvests", "words"), "session")
LABEL_LENGTH = 60  # longer text is never compared with labels

log = logs.get("routes")


class Routes:
    """The list of ways, in the order they are tried."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def find(self, turn: Turn) -> Step | None:
        """The step, action or event that takes this turn; None = nothing is to be said."""
        if turn.sender.doubted_at is not None:
            return self._doubted(turn)
        if turn.inbound.kind in ("edit", "group"):
            return self._conversations.events[turn.inbound.kind]
        if turn.inbound.kind == "unblocked":
            return None
        for find in (
            self._anywhere,
            self._receipt,
            self._stopped,
            self._private,
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
                return self._not_yet if self._is_too_early(turn, step) else step
        return self._conversations.events["text"]

    def _is_too_early(self, turn: Turn, step: Step) -> bool:
        """An app that was linked lately has no role: somebody may have held her phone."""
        power = power_of(self._conversations.ways.get(step, ""))
        return turn.sender.is_fresh(turn.now) and power is not None and power not in HERS

    def _not_yet(self, turn: Turn) -> None:
        turn.say(_("This app was linked lately. Please do it in your other app."))

    def is_urgent(self, turn: Turn) -> bool:
        """What is heard in a flood too: stopping, and words for help."""
        named = None if turn.inbound.tap or not turn.text else self._named(turn)
        return turn.inbound.kind == "blocked" or (named is not None and named.name in URGENT)

    def _anywhere(self, turn: Turn) -> Step | None:
        """stop, help, menu, cancel: heard in the middle of everything."""
        if turn.inbound.tap or not turn.text:
            return None
        conversation = self._named(turn)
        if conversation is None or not conversation.anywhere:
            return None
        return self._conversations.begin(conversation)

    def _named(self, turn: Turn) -> Conversation | None:
        """The talk that a command or a word begins; a newcomer has few to choose from."""
        found = self._conversations.words.get(fold(turn.text))
        if turn.text.startswith("/"):
            command, _blank, rest = turn.text[1:].partition(" ")
            name = command.partition("@")[0].casefold()
            found = None if rest.strip() else self._conversations.commands.get(name)
        new = turn.member.state == "new"
        return None if found is not None and new and not found.anywhere else found

    def _doubted(self, turn: Turn) -> Step | None:
        """Perhaps somebody else has her number: she can stop, or say who she is; nothing else."""
        if turn.inbound.kind not in ("message", "tap"):
            return None
        tap, talk = turn.inbound.tap, turn.talk
        named = None if tap else self._named(turn)
        if named is not None and named.name == "stop":
            return self._conversations.begin(named)
        if talk is None or not talk.step.startswith(DOUBT):
            return self._conversations.events["doubted"]
        asked = talk.message_id or 0
        prompt = prompts.find_of(turn.db, asked, turn.address_id)
        tapped = None if tap is None else prompts.find(turn.db, tap.token, turn.address_id)
        turn.answer(talk)
        if prompt is not None and (tap is None or (tapped and tapped.message_id == asked)):
            index = (
                find_choice(turn.db, turn.text, prompt, turn.member.id)
                if tap is None
                else tap.index
            )
            turn.choice = None if index is None else prompt.message.choices[index].key
        return self._conversations.steps.get(talk.step)

    def _private(self, turn: Turn) -> Step | None:
        """Her secret word is awaited: what she types is nothing else, unless it is a choice."""
        if turn.talk is None or turn.inbound.tap or not turn.talk.step.startswith(PRIVATE):
            return None
        return self._listed(turn) or self._waiting(turn)

    def _stopped(self, turn: Turn) -> Step | None:
        """Only talks that are heard anywhere go on while she has stopped messages."""
        if turn.member.state != "stopped" or self._goes_on(turn.talk):
            return None
        return self._conversations.events["stopped"]

    def _goes_on(self, talk: Talk | None) -> bool:
        name = "" if talk is None else talk.step.partition(".")[0]
        return any(each.name == name and each.anywhere for each in self._conversations.all)

    def _receipt(self, turn: Turn) -> Step | None:
        """Whoever has it and wherever she is; it must never become a question to peers."""
        code = None if turn.inbound.tap else reports.find_code(turn.text)
        if code is None:
            return None
        turn.text = code
        return self._conversations.events["receipt"]

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
        index = find_choice(turn.db, turn.text, prompt, turn.member.id)
        if index is not None:
            return self._choose(turn, prompt, index)
        if prompt.message.subject is None:
            return None
        turn.subject = prompt.message.subject
        return self._conversations.events[ABOUT.get(turn.subject.table, "thread")]

    def _code(self, turn: Turn) -> Step | None:
        start = turn.text.removeprefix("/start ") if turn.text.startswith("/start ") else None
        is_code = start is not None and invites.find_code(start) is not None
        if start is not None and not is_code and split_number(start)[0] is not None:
            turn.text, start = start, None  # the link of a card that was shared
        code = start if start is not None else self._code_in(turn)
        if code is None:
            return None
        turn.text = codes.find_code(code, alone=True) or invites.find_code(code) or code
        return self._conversations.events["code"]

    def _code_in(self, turn: Turn) -> str | None:
        """A stranger may write around a code; a member's text is one only if it is nothing else."""
        if len(turn.text) >= 300:
            return None
        stranger = turn.member.state == "new"
        own = codes.find_code(turn.text, alone=not stranger or turn.talk is not None)
        if own is not None and (stranger or turn.talk is None):
            return own
        code = invites.find_code(turn.text)
        if stranger and turn.talk is None:
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
        if turn.text.endswith("?"):  # nobody chooses with a question
            return None
        prompt = prompts.find_last(turn.db, turn.address_id)
        if prompt is None:
            return None
        turn.seen[prompt.message_id] = prompt.message
        asked = None if turn.talk is None else turn.talk.message_id
        if asked is not None and asked > prompt.message_id:
            return None  # a question came after the list: what is typed is an answer to that
        index = find_choice(turn.db, turn.text, prompt, turn.member.id)
        if index is None:
            return self._overtaken_label(turn, prompt)
        return self._choose(turn, prompt, index)

    def _overtaken_label(self, turn: Turn, last: Prompt) -> Step | None:
        """A label (no number) of the question that waits, though another list came after it."""
        talk = turn.talk
        if talk is None or talk.free or talk.message_id in (None, last.message_id):
            return None
        prompt = prompts.find_of(turn.db, talk.message_id or 0, turn.address_id)
        if prompt is None or fold(turn.text).isdecimal():
            return None
        index = find_choice(turn.db, turn.text, prompt, turn.member.id)
        return None if index is None else self._choose(turn, prompt, index)

    def _numbered_thread(self, turn: Turn) -> Step | None:
        """101, Q101, 101 and an answer; only if there is such a thread for her."""
        number, text = split_number(turn.text)
        if number is None or number < threads.FIRST_NUMBER:
            return None
        thread = turn.find_thread(number=number)
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
        question = None if turn.talk.free else turn.message(turn.talk.message_id)
        free = question is None or question.free
        word = None if free else self._named(turn)
        if word is not None:
            return self._conversations.begin(word)
        turn.answer(turn.talk)
        fits = free and (question is None or not (question.choices and is_number(turn.text)))
        return step if fits else self._wrong_choice

    def _word(self, turn: Turn) -> Step | None:
        conversation = self._named(turn)
        return None if conversation is None else self._conversations.begin(conversation)

    # Choices

    def _choose(self, turn: Turn, prompt: Prompt, index: int) -> Step | None:
        choice = prompt.message.choices[index]
        turn.choice, turn.subject = choice.key, prompt.message.subject
        if prompt.message.step is None or choice.key == CLEAR.key:
            name, _colon, argument = choice.key.partition(":")
            turn.argument = int(argument) if argument.isdecimal() else 0
            return self._conversations.actions.get(name, self._conversations.events["stale"])
        return self._answer(turn, prompt, index)

    def _answer(self, turn: Turn, prompt: Prompt, index: int) -> Step | None:
        """A choice of a step counts once, and only while that question stands."""
        talk = unwound(turn.talk, prompt.message_id)
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
        assert turn.talk is not None
        if confided := turn.talk.step.startswith(CONFIDED):
            reports.forget_words(turn.db, turn.inbox_id)
        if is_small(turn.text, turn.files) or not can_be_passed_on("", turn.files):
            return turn.again(_("Please choose one of these. You can tap it or type its number."))
        if confided:
            return turn.again(_("What you sent was not passed on. Please choose first:"))
        turn.talk.kept = (*turn.talk.kept, turn.inbox_id)
        turn.again(_("I have kept what you sent. Please choose first:"))

    def _changed(self, turn: Turn) -> None:
        turn.answering = True
        turn.say(_("That has changed meanwhile. Let us start again."))
        turn.start("menu.start")


def _is_double(prompt: Prompt, index: int, now: datetime) -> bool:
    taken = prompt.consumed_at
    return taken is not None and prompt.was_chosen(index) and taken > now - DOUBLE_TAP
