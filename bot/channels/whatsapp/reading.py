"""What a form of Twilio says: somebody's message, or what became of one of ours."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from multidict import MultiDict

from bot import logs
from bot.channels import Forbidden, Unusable
from bot.channels.whatsapp.errors import of_receipt
from bot.messages import File, Inbound, Receipt, Tap

SAYS = "say:"  # a button of a template that stands for a word, whatever its label
_STATES = {"sent": "sent", "delivered": "delivered", "read": "read"}
_FAILED = ("failed", "undelivered", "canceled")
_AS_STATE = {"rejected": "failed"}

log = logs.get("whatsapp")


def fields_of(body: bytes) -> MultiDict[str]:
    """All fields, blank ones too: the signature covers them."""
    try:
        return MultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=500))
    except (UnicodeDecodeError, ValueError):
        raise Forbidden from None


def read(lane: str, url: str, fields: MultiDict[str]) -> list[Inbound | Receipt]:
    """Raises Unusable."""
    form = {name: fields[name].replace("\0", "") for name in fields}
    if "MessageStatus" in form or form.get("SmsStatus", "received") != "received":
        return _receipts(lane, url, form)
    return [_inbound(lane, form)]


def _inbound(lane: str, form: dict[str, str]) -> Inbound:
    sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid")
    names = _names(form)
    if not sid or not names:
        raise Unusable(sid or hashlib.sha256(repr(form).encode()).hexdigest(), "no_sender")
    return Inbound(
        lane=lane,
        key=sid,
        sender=names,
        kind="message",
        text=_text(form),
        files=_files(form),
        tap=_tap(form),
        id=sid,
        reply_to=form.get("OriginalRepliedMessageSid") or None,
        forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),
        name=form.get("ProfileName") or None,
    )


def recalled(lane: str, message: Any, media: list[Any], base: str) -> Inbound | None:
    """A message as Twilio lists it, which knows less than its webhook: no taps, no quotes."""
    if message.direction != "inbound" or not message.sid or not message.from_:
        return None
    form = {"From": message.from_, "NumMedia": str(len(media))}
    for number, each in enumerate(media):
        form[f"MediaUrl{number}"] = base + str(each.uri or "").removesuffix(".json")
        form[f"MediaContentType{number}"] = each.content_type or ""
    sid, text = str(message.sid), (message.body or "").replace("\0", "")
    return Inbound(lane=lane, key=sid, sender=_names(form), text=text, files=_files(form), id=sid)


def _receipts(lane: str, url: str, form: dict[str, str]) -> list[Inbound | Receipt]:
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    token = dict(parse_qsl(urlsplit(url).query)).get("d")
    sid = form.get("MessageSid") or None
    if status in _FAILED:
        code = form.get("ErrorCode") or None
        row = of_receipt(code)
        state = _AS_STATE.get(row.means, row.means)
        return [Receipt(lane, state, token, sid, code, row.template)]
    if status in _STATES:
        return [Receipt(lane, _STATES[status], token, sid, form.get("ErrorCode") or None)]
    log.info("status_ignored", lane=lane)  # queued, accepted, and whatever Twilio invents next
    return []


def _names(form: dict[str, str]) -> tuple[str, ...]:
    """The names of an address: what we can write to first, then the user id without a number."""
    sender = form.get("From", "")
    if sender and not sender.startswith("whatsapp:"):
        sender = f"whatsapp:{sender}"
    user = form.get("ExternalUserId", "").removeprefix("whatsapp:")
    names = [sender] if sender else []
    if user and f"whatsapp:{user}" not in names:
        names.append(f"whatsapp:{user}")
    return tuple(names)


def _text(form: dict[str, str]) -> str:
    pressed = form.get("ButtonPayload", "")
    if pressed.startswith(SAYS):
        return pressed.removeprefix(SAYS)
    return form.get("Body") or form.get("ButtonText") or form.get("ListTitle") or ""


def _number(text: str) -> int | None:
    """A whole number of at most nine digits."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _tap(form: dict[str, str]) -> Tap | None:
    """A button or list answer that carries our own data, "token.index"."""
    token, _dot, index = (form.get("ButtonPayload") or form.get("ListId") or "").rpartition(".")
    number = _number(index)
    return None if not token or number is None else Tap(token, number)


def _files(form: dict[str, str]) -> tuple[File, ...]:
    count = _number(form.get("NumMedia", "0")) or 0
    found = [_file(form, n) for n in range(min(count, 10))]
    if form.get("Latitude") and form.get("Longitude"):
        found.append(File("location", f"{form['Latitude']},{form['Longitude']}"))
    return tuple(each for each in found if each.reference)


def _file(form: dict[str, str], number: int) -> File:
    mime = form.get(f"MediaContentType{number}", "").partition(";")[0].strip().lower()
    kind = {"audio": "voice", "image": "photo", "video": "video"}.get(mime.partition("/")[0])
    if form.get("MessageType") == "sticker":
        kind = "sticker"
    return File(kind or "document", form.get(f"MediaUrl{number}", ""), None, mime or None)


_TWILIO = re.compile(r"https://api(\.[a-z0-9-]+\.[a-z0-9-]+)?\.twilio\.com(?=/)")
_MEDIA = re.compile(
    r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages/[MS]M[0-9a-f]{32}/Media/ME[0-9a-f]{32}"
)


def media_url(reference: str, account: str, api_url: str) -> str | None:
    """Where a file of ours is fetched; None for an address that is not of our account at Twilio.

    Nothing but the path is used of what was told: the host is the one in the settings.
    """
    there = api_url if reference.startswith(f"{api_url}/") else _TWILIO.match(reference)
    if there is None:
        return None
    path = reference.removeprefix(there if isinstance(there, str) else there[0])
    found = _MEDIA.fullmatch(path)
    return None if found is None or found[1] != account else api_url + path
