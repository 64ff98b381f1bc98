"""Conversations of named steps, and all the ways into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bot.i18n import render, word_list
from bot.messages import Text

Step = Callable[[Any], None]  # of a Turn


class Conversation:
    """A talk about one thing. Steps are stored by name, so that deploys may come in between."""

    def __init__(
        self,
        name: str,
        *,
        command: str | None = None,
        about: Text | None = None,
        words: str = "",
        anywhere: bool = False,
    ) -> None:
        self.name = name
        self.command = command  # "/ask" on Telegram
        self.about = about  # what the command menu says of it
        self.words = words  # typed words that start it, a comma-separated sentence
        self.anywhere = anywhere  # heard in the middle of any other talk
        self.steps: dict[str, Step] = {}
        self.actions: dict[str, Step] = {}
        self.events: dict[str, Step] = {}

    def start(self, function: Step) -> Step:
        """What happens when somebody begins this talk."""
        self.actions[f"{self.name}.start"] = function
        return function

    def step(self, function: Step | None = None, *, formerly: str | None = None) -> Any:
        """A named step that waits for an answer; `formerly` is the name it had before."""

        def register(step: Step) -> Step:
            for name in filter(None, (step.__name__, formerly)):
                self.steps[f"{self.name}.{name}"] = step
            return step

        return register if function is None else register(function)

    def action(self, function: Step) -> Step:
        """What a choice on a delivered message does; its key is conversation.function:argument."""
        self.actions[f"{self.name}.{function.__name__}"] = function
        return function

    def on(self, event: str) -> Callable[[Step], Step]:
        """What to do with something that is no answer: see Router for the events."""

        def register(function: Step) -> Step:
            self.events[event] = function
            return function

        return register


class Conversations:
    """All talks there are, and the ways into them."""

    def __init__(self, found: Iterable[Conversation], public_url: str | None = None) -> None:
        self.public_url = public_url  # where the web finds us, for links that we say
        self.all = sorted(found, key=lambda each: each.name)
        self.steps: dict[str, Step] = {}
        self.actions: dict[str, Step] = {}
        self.events: dict[str, Step] = {}
        self.commands: dict[str, Conversation] = {}
        self.words: dict[str, Conversation] = {}
        self.names: dict[Step, str] = {}  # of steps, as they are stored
        self.ways: dict[Step, str] = {}  # of steps and actions, as bot/roles.py has them
        for conversation in self.all:
            self._add(conversation)

    def _add(self, conversation: Conversation) -> None:
        self.steps |= conversation.steps
        self.actions |= conversation.actions
        for event, function in conversation.events.items():
            if event in self.events:
                raise ValueError(f"two conversations take the event {event}")
            self.events[event] = function
        for name, step in conversation.steps.items():
            self.names.setdefault(step, name)
        for name, step in (conversation.steps | conversation.actions).items():
            self.ways.setdefault(step, name)
        if conversation.command:
            self.commands[conversation.command] = conversation
        for word in word_list(conversation.words) if conversation.words else ():
            self.words[word] = conversation

    def menu(self, language: str) -> tuple[tuple[str, str], ...]:
        """The command menu in a language: (command, what it does)."""
        return tuple(
            (each.command, render(each.about, language, lambda _ref, _language: ""))
            for each in self.all
            if each.command and each.about
        )

    def begin(self, conversation: Conversation) -> Step:
        return self.actions[f"{conversation.name}.start"]
