"""The simulator: phones in a browser page, a channel like the others; in development only."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Self

from bot import clock
from bot.channels import Forbidden, Rejected, Unusable
from bot.messages import File, Inbound, Limits, Menu, Outbound, Receipt, Tap
from bot.settings import Settings

LOOKS = {
    "whatsapp": Limits(text=1600, buttons=0, label=60, window=timedelta(hours=24)),
    "telegram": Limits(text=4096, buttons=10, label=40, commands=True),
}
FILES = ("voice", "photo", "video", "document", "sticker", "location")
KEPT = 300  # bubbles a phone remembers
STILL_HERE = 15  # seconds; then a silent page is told that the line stands
_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Bubble:
    """One message on a screen."""

    id: str
    mine: bool  # written on this phone
    text: str
    at: str  # ISO time of the moved clock
    buttons: list[tuple[str, str]] = field(default_factory=list)  # (label, data)
    file: str | None = None
    reply_to: str | None = None


@dataclass(slots=True)
class Phone:
    """Somebody's telephone with one of the two apps on it."""

    id: str
    name: str
    look: str  # whatsapp, telegram
    language: str
    bubbles: list[Bubble] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)


class Phones:
    """All phones on the page: what is the provider's side elsewhere; it outlives the bot."""

    def __init__(self) -> None:
        people = (
            ("noy", "ນ້ອຍ", "whatsapp", "lo"),
            ("dara", "ដារា", "telegram", "km"),
            ("alex", "Alex", "telegram", "en"),
            ("new", "Somebody new", "whatsapp", "en"),
        )
        self.all = {id_: Phone(id_, name, look, code) for id_, name, look, code in people}
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()

    def add(self, name: str, look: str, language: str) -> Phone:
        """A new phone; its owner is nobody yet."""
        phone = Phone(f"p{secrets.token_hex(4)}", name[:40], look, language)
        self.all[phone.id] = phone
        self.tell("phone", asdict(phone))
        return phone

    def show(self, phone: Phone, bubble: Bubble) -> None:
        phone.bubbles.append(bubble)
        del phone.bubbles[:-KEPT]
        self.tell("bubble", {"phone": phone.id, "bubble": asdict(bubble)})

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell every open page."""
        for listener in self._listeners:
            listener.put_nowait({"event": event, "data": data})

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on, for one open page; an empty event when nothing happens."""
        listener: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield {}
            while (event := await _next(listener)) is not None:
                yield event
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let the open pages go, so that the server can stop."""
        for listener in self._listeners:
            listener.put_nowait(None)


async def _next(listener: asyncio.Queue[dict[str, Any] | None]) -> dict[str, Any] | None:
    try:
        return await asyncio.wait_for(listener.get(), STILL_HERE)
    except TimeoutError:
        return {}


@cache
def phones() -> Phones:
    """The phones of this process; they stay when the bot restarts."""
    return Phones()


class Simulator:
    """The phones of one look. What they write comes to one webhook for both looks."""

    name = "simulator"

    def __init__(self, look: str) -> None:
        self.lane = f"simulator/{look}"
        self.limits = LOOKS[look]

    @classmethod
    def from_settings(cls, settings: Settings) -> list[Self]:
        return [cls(look) for look in LOOKS] if settings.development else []

    async def close(self) -> None:
        """Nothing is open."""

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        """JSON of the page: {phone, key, text | file, reply_to} or {phone, key, bubble, button}."""
        if not headers.get("content-type", "").startswith("application/json"):
            raise Forbidden  # a form on a foreign page cannot send this
        try:
            sent = json.loads(body)
            phone = phones().all[sent["phone"]]
            return [self._inbound(phone, sent)]
        except Exception:  # whatever is wrong with it
            raise Unusable(secrets.token_hex(8), "no_phone") from None

    def _inbound(self, phone: Phone, sent: dict[str, Any]) -> Inbound:
        given = str(sent.get("key", ""))
        key = given if _KEY.fullmatch(given) else secrets.token_hex(8)
        common: dict[str, Any] = {
            "lane": f"simulator/{phone.look}",
            "key": key,
            "sender": (phone.id,),
            "name": phone.name,
            "language": phone.language,
        }
        if "button" in sent:
            return Inbound(kind="tap", tap=_tap(phone, sent), **common)
        file = sent.get("file") if sent.get("file") in FILES else None
        return Inbound(
            text=str(sent.get("text", "")),
            files=() if file is None else (File(file, f"simulator/{key}"),),
            id=f"{phone.id}/{key}",
            reply_to=sent.get("reply_to"),
            receipt=key,
            **common,
        )

    async def acknowledge(self, inbound: Inbound) -> None:
        """It is saved: show what she wrote on her own phone."""
        phone = phones().all[inbound.sender[0]]
        if inbound.id is None or any(each.id == inbound.id for each in phone.bubbles):
            return
        file = inbound.files[0].kind if inbound.files else None
        at = clock.now().isoformat()
        bubble = Bubble(inbound.id, True, inbound.text, at, [], file, inbound.reply_to)
        phones().show(phone, bubble)

    async def send(self, message: Outbound) -> str | None:
        phone = phones().all.get(message.to)
        if phone is None:
            raise Rejected("no_phone")
        if isinstance(message, Menu):
            phone.commands = list(message.commands)
            phones().tell("commands", {"phone": phone.id, "commands": phone.commands})
            return None
        buttons = [(each.label, each.data) for each in message.buttons]
        bubble = Bubble(
            f"{phone.id}/{message.token}",
            False,
            message.text,
            clock.now().isoformat(),
            buttons,
            None,
            message.reply_to,
        )
        phones().show(phone, bubble)
        return bubble.id


def _tap(phone: Phone, sent: dict[str, Any]) -> Tap:
    bubble = next(each for each in phone.bubbles if each.id == sent["bubble"])
    token, _dot, index = bubble.buttons[int(sent["button"])][1].rpartition(".")
    return Tap(token, int(index))
