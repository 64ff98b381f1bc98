"""Channels: ways to reach people, one file each; whatever lives in this folder counts.

The errors are the contract with the sender: each says what to do with the message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, Self, runtime_checkable

from bot.messages import Inbound, Limits, Outbound, Receipt, Standing, Template
from bot.settings import Settings

Commands = Sequence[tuple[str, str]]  # (command, what it does)


class Forbidden(Exception):
    """The call does not come from the provider."""


class Unusable(Exception):
    """Authenticated, but nothing we can work with; it is parked and answered 200."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key  # names the event at its provider
        self.reason = reason  # a word for the log; never content


class SendError(Exception):
    """The provider did not take a message; `code` is its own code for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TryLater(SendError):
    """Not taken, and may be tried again."""

    def __init__(self, code: str, after: timedelta, whole_lane: bool | None = False) -> None:
        super().__init__(code)
        self.after = after
        # the provider means all of us, not this chat; None = it does not say
        self.whole_lane = whole_lane


class Gone(SendError):
    """This address cannot be reached: stop writing to it until it writes to us."""


class Moved(SendError):
    """The chat has another address now: write there instead."""

    def __init__(self, code: str, to: str) -> None:
        super().__init__(code)
        self.to = to


class Rejected(SendError):
    """This message will never pass."""


class WindowClosed(SendError):
    """Free text is not allowed now: hold it until she writes."""


class Unknown(SendError):
    """It may have been sent: do not blindly repeat."""


class Channel(Protocol):
    """A way to reach people. To add one, add one file beside this one."""

    name: str  # also the path of its webhook
    lane: str  # one sending identity at the provider
    limits: Limits

    @classmethod
    def from_settings(cls, settings: Settings) -> list[Self]:
        """One for each sending identity the settings name; none if they name none."""
        ...

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        """What a webhook call holds. Raises Forbidden, Unusable."""
        ...

    async def send(self, message: Outbound) -> str | None:
        """Hand over; the provider's id of it. Raises SendErrors."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Acknowledges(Protocol):
    """A channel whose buttons spin until they are told to stop."""

    async def acknowledge(self, inbound: Inbound) -> None: ...


@runtime_checkable
class Finds(Protocol):
    """A channel that can tell whether an unknown send has arrived."""

    async def find(self, message: Outbound, since: datetime) -> list[str]:
        """The provider's ids of what it took since then with the same words. Raises Unknown."""
        ...


@runtime_checkable
class Fetches(Protocol):
    """A channel whose provider keeps the files that people send."""

    async def fetch(self, reference: str, most: int) -> bytes:
        """A file of at most so many bytes; `reference` is what receive() found, and not trusted.

        Raises Gone (it is not there any more), Rejected (too_big, or whatever will never pass),
        TryLater.
        """
        ...


@runtime_checkable
class Erases(Protocol):
    """A channel that can delete what its provider keeps of a chat: ours and hers."""

    async def erase(self, to: str, ids: Sequence[str]) -> None:
        """What is gone already is no harm. Raises SendErrors, of which only Gone ends it."""
        ...


@runtime_checkable
class Listens(Protocol):
    """A channel that can fetch what came, without a public address."""

    def listen(self) -> AsyncIterator[tuple[str, list[Inbound | Receipt] | Unusable]]: ...


@runtime_checkable
class Invites(Protocol):
    """A channel whose app opens by a link, with something to say; that stands at its end."""

    async def invite_link(self, code: str) -> str | None: ...


@runtime_checkable
class Checks(Protocol):
    """A channel that can tell whether the provider knows us: (fine, what to read)."""

    async def check(self) -> tuple[bool, str]: ...

    def paste(self) -> list[str]: ...


@runtime_checkable
class Recalls(Protocol):
    """A channel whose provider keeps what came in: what we missed can be fetched."""

    async def recall(self, since: datetime) -> list[Inbound]:
        """What came in since then, oldest first, as its webhooks told it. Raises Unknown."""
        ...


@runtime_checkable
class Balances(Protocol):
    """A channel whose provider is paid in advance."""

    async def balance(self) -> tuple[float, str] | None:
        """What is left, and its currency; None where it cannot be read."""
        ...


@runtime_checkable
class Templated(Protocol):
    """A channel whose provider must know some bubbles beforehand. All raise SendErrors."""

    def own_templates(self) -> list[Template]:
        """Those of no words of ours, which show choices."""
        ...

    async def create_template(self, template: Template, name: str) -> str:
        """The provider's id of it."""
        ...

    async def submit_template(self, sid: str, name: str) -> str:
        """Let it be read there; the state it has now."""
        ...

    async def list_templates(self) -> list[Standing]:
        """All that the provider knows of us, and how they stand."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A channel that registers commands or a webhook when the bot starts."""

    async def prepare(self, commands: Mapping[str, Commands]) -> None: ...
