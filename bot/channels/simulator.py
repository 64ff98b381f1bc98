"""The simulator: phones in a browser page, a channel like the others; in development only."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from mimetypes import guess_type
from typing import Any, Self

from bot import clock
from bot.channels import Forbidden, Gone, Rejected, SendError, TryLater, Unusable, WindowClosed
from bot.messages import (
    File,
    Inbound,
    Limits,
    Media,
    Menu,
    Nudge,
    Outbound,
    Receipt,
    Retract,
    Say,
    Tap,
    Tappable,
)
from bot.rehearsal import samples
from bot.rehearsal.phones import Bubble, Kept, Phone, Phones
from bot.settings import Settings

LOOKS = {
    "whatsapp": Limits(
        text=1600,
        buttons=0,
        label=60,
        window=timedelta(hours=24),
        reassigned=True,
        receipts=True,
        price=0.005,
        nudge_price=0.02,
        tappable=(Tappable(3, 20, 1024), Tappable(10, 24, 1024)),
    ),
    "telegram": Limits(
        text=4096, buttons=12, label=40, commands=True, retract=timedelta(hours=47, minutes=55)
    ),
}
FILES = ("voice", "photo", "video", "document", "sticker", "location")
SLOW = 2.0  # seconds a slow provider takes
BUSY = timedelta(seconds=10)  # for which a provider that has too many wants to be left alone
SAYS = "say:"  # the button of a template says words
SENT = "sent"  # in the reference of a file of her own; those of samples have their kind there
_KEY = re.compile(r"[0-9a-f]{16}")


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

    # What comes from the page

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        """JSON of the page: {phone, key} and what was done.

        {text | file | sent, reply_to, forwarded}, {bubble, button}, {edit, text} or {membership};
        `file` is a sample of that kind, `sent` the key of a file that was handed over before.
        """
        if not headers.get("content-type", "").startswith("application/json"):
            raise Forbidden  # a form on a foreign page cannot send this
        try:
            sent = json.loads(body)
            phone = phones().all[sent["phone"]]
            _let_time_pass()
            return [_inbound(phone, sent)]
        except Exception:  # whatever is wrong with it
            raise Unusable(secrets.token_hex(8), "no_phone") from None

    async def fetch(self, reference: str, most: int) -> bytes:
        """What was handed over on the page, or a sample of the kind."""
        kind, _slash, key = reference.removeprefix("simulator/").partition("/")
        if kind == SENT and key in phones().files:
            content = phones().files[key].content
        elif kind in samples.FILES:
            content = samples.read(kind)
        else:
            raise Gone("404")
        if len(content) > most:
            raise Rejected("too_big")
        return content

    async def acknowledge(self, inbound: Inbound) -> None:
        """It is saved: show what she did on her own phone, and write it down."""
        phone = phones().all.get(inbound.sender[0])
        if phone is None:
            return
        phone.spoke_at = clock.now().isoformat()
        if inbound.kind == "tap":
            self._note_tap(phone, inbound)
        elif inbound.kind == "edit":
            self._edit(phone, inbound)
        elif inbound.kind == "message":
            self._show_own(phone, inbound)
        else:  # blocked, unblocked
            phones().note(inbound.kind, phone, key=inbound.key)

    def _note_tap(self, phone: Phone, inbound: Inbound) -> None:
        data = f"{inbound.tap.token}.{inbound.tap.index}" if inbound.tap else ""
        for bubble in phone.bubbles:
            for label, its_data in bubble.buttons:
                if its_data == data:
                    about: dict[str, Any] = {"words": label, "bubble": bubble.id}
                    phones().note("taps", phone, key=inbound.key, **about)

    def _edit(self, phone: Phone, inbound: Inbound) -> None:
        bubble = phone.find(inbound.id or "")
        phones().note("edits", phone, key=inbound.key, words=inbound.text, bubble=inbound.id)
        if bubble is not None:
            bubble.text, bubble.edited = inbound.text, True
            phones().change(phone, bubble)

    def _show_own(self, phone: Phone, inbound: Inbound) -> None:
        if inbound.id is None or phone.find(inbound.id) is not None:
            return
        file = inbound.files[0] if inbound.files else None
        kind = file.kind if file else None
        bubble = Bubble(
            id=inbound.id,
            mine=True,
            text=inbound.text,
            at=clock.now().isoformat(),
            file=kind,
            media=phones().media(file.reference.rpartition("/")[2]) if file else None,
            reply_to=inbound.reply_to,
            forwarded=inbound.forwarded,
        )
        phones().note(
            "sends" if file else "forwards" if inbound.forwarded else "says",
            phone,
            key=inbound.key,
            words=kind or inbound.text,
            bubble=inbound.id,
            reply_to=inbound.reply_to,
        )
        phones().show(phone, bubble)

    # What goes to a phone

    async def send(self, message: Outbound) -> str | None:
        phone = phones().all.get(message.to)
        if phone is None:
            raise Rejected("no_phone")
        await _trouble(phone, message)
        match message:
            case Menu():
                phone.commands = list(message.commands)
                phones().tell("commands", {"phone": phone.id, "commands": phone.commands})
            case Retract():
                phones().take_away(phone, message.ids)
            case Nudge():
                return _show_template(phone, message)
            case Say() | Media():
                self._check_window(phone)
                return _show(phone, message)
        return None

    def _check_window(self, phone: Phone) -> None:
        """As the provider does: after a day without a word only templates pass."""
        if self.limits.window is None or not phone.spoke_at:
            return
        if datetime.fromisoformat(phone.spoke_at) < clock.now() - self.limits.window:
            raise WindowClosed("63016")

    async def erase(self, to: str, ids: Sequence[str]) -> None:
        """As Telegram does on the phone; Twilio only forgets, and the phone keeps its bubbles."""
        phone = phones().all.get(to)
        if phone is None:
            return
        if self.limits.retract is not None:
            phones().take_away(phone, ids)
        phones().forget(phone, ids)


def _let_time_pass() -> None:
    """Whoever writes wants an answer, also in the middle of a stored talk."""
    if clock.stands():
        clock.go_on()
        phones().tell("clock", {"clock": clock.now().isoformat(), "stands": False})


def _inbound(phone: Phone, sent: dict[str, Any]) -> Inbound:
    given = str(sent.get("key", ""))
    key = given if _KEY.fullmatch(given) else secrets.token_hex(8)
    common: dict[str, Any] = {
        "lane": f"simulator/{phone.look}",
        "key": key,
        "sender": (phone.id,),
        "name": phone.name,
        "language": phone.language,
        "receipt": key,
    }
    if "button" in sent:
        words = _template_words(phone, sent)
        if words:
            return Inbound(text=words, id=f"{phone.id}/{key}", **common)
        return Inbound(kind="tap", tap=_tap(phone, sent), **common)
    if "membership" in sent:
        kind = {"blocks": "blocked", "unblocks": "unblocked"}[sent["membership"]]
        return Inbound(kind=kind, **common)
    text = str(sent.get("text", ""))
    if "edit" in sent:
        return Inbound(kind="edit", text=text, id=_own(phone, sent["edit"]).id, **common)
    return Inbound(
        text=text,
        files=_files(sent, key),
        id=f"{phone.id}/{key}",
        reply_to=sent.get("reply_to"),
        forwarded=sent.get("forwarded") is True,
        **common,
    )


def _files(sent: dict[str, Any], key: str) -> tuple[File, ...]:
    """As a provider tells of it: what kind it is said to be, and where it is to be had."""
    if "sent" in sent:
        return (File(phones().files[sent["sent"]].kind, f"simulator/{SENT}/{sent['sent']}"),)
    kind = sent.get("file")
    return (File(kind, f"simulator/{kind}/{key}"),) if kind in FILES else ()


def _tap(phone: Phone, sent: dict[str, Any]) -> Tap:
    bubble = next(each for each in phone.bubbles if each.id == sent["bubble"])
    token, _dot, index = bubble.buttons[int(sent["button"])][1].rpartition(".")
    return Tap(token, int(index))


def _template_words(phone: Phone, sent: dict[str, Any]) -> str:
    """What the button of a template says, as if it were typed; "" for our own buttons."""
    bubble = next(each for each in phone.bubbles if each.id == sent["bubble"])
    _label, data = bubble.buttons[int(sent["button"])]
    return data.removeprefix(SAYS) if data.startswith(SAYS) else ""


def _own(phone: Phone, bubble_id: str) -> Bubble:
    return next(each for each in phone.bubbles if each.id == bubble_id and each.mine)


def _show(phone: Phone, message: Say | Media) -> str:
    bubble = Bubble(
        id=f"{phone.id}/{message.token}", mine=False, text=message.text, at=clock.now().isoformat()
    )
    if isinstance(message, Media):
        mime = guess_type(message.name)[0] or "application/octet-stream"
        kept = Kept(message.kind, message.name, mime, message.content)
        bubble.media = phones().media(phones().put_away(kept))
    else:
        bubble.buttons = [(each.label, each.data) for each in message.buttons]
        bubble.reply_to = message.reply_to
    labels = tuple(label for label, _data in bubble.buttons)
    phones().note("hears", phone, words=bubble.words, labels=labels, bubble=bubble.id)
    phones().show(phone, bubble)
    return bubble.id


def _show_template(phone: Phone, message: Nudge) -> str:
    if message.template not in phones().templates:
        raise Rejected("no_template")
    words, button = phones().templates[message.template]
    bubble = Bubble(
        id=f"{phone.id}/{message.token}", mine=False, text=words, at=clock.now().isoformat()
    )
    bubble.buttons = [button]
    phones().note("hears", phone, words=words, labels=(button[0],), bubble=bubble.id)
    phones().show(phone, bubble)
    return bubble.id


async def _trouble(phone: Phone, message: Outbound) -> None:
    """What the provider of this phone does instead of its work."""
    failures: dict[str, SendError] = {
        "blocked": Gone("blocked"),
        "window": WindowClosed("63016"),
        "busy": TryLater("429", BUSY),
    }
    passes = phone.provider == "window" and isinstance(message, Nudge)
    if phone.provider in failures and not passes:
        raise failures[phone.provider]
    if phone.provider == "slow":
        await asyncio.sleep(SLOW)
