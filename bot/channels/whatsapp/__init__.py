"""WhatsApp, through Twilio; the only file that knows Twilio."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import aiohttp
from multidict import MultiDict
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from bot import logs
from bot.channels import (
    Forbidden,
    Gone,
    Rejected,
    SendError,
    TryLater,
    Unknown,
    Unusable,
    WindowClosed,
)
from bot.messages import Document, File, Inbound, Limits, Outbound, Picture, Rate, Receipt, Say, Tap
from bot.settings import Settings

ANSWER_SECONDS = 20.0
CONNECT_SECONDS = 5.0

# Twilio's codes in our closed list (twilio.com/docs/api/errors).
_LATER = {20429, 21611, 30001, 14107, 63010, 63012, 63017, 63018}
_SETTINGS = {20003, 21408, 21606, 21609, 21703, 63001, 63007, 63038, 63051, 63112}
_GONE = {21211, 21610, 21614, 63003, 63014, 63024, 63032, 63033}
_WINDOW = {63016}

_STATES = {"sent": "sent", "delivered": "delivered", "read": "read"}
_FAILED = ("failed", "undelivered", "canceled")

log = logs.get("whatsapp")


class WhatsApp:
    """A WhatsApp number at Twilio."""

    name = "whatsapp"
    limits = Limits(
        text=1600,
        buttons=0,
        label=60,
        window=timedelta(hours=24),
        fetches=True,
        reassigned=True,
        price=0.005,
        nudge_price=0.02,
        rate=Rate(80, 1),
        chat_rate=Rate(40, 240),  # one in six seconds, in bursts
    )

    def __init__(self, sid: str, token: str, sender: str, api_url: str, public_url: str) -> None:
        self.lane = f"whatsapp/{hashlib.sha256(sender.encode()).hexdigest()[:8]}"
        self.public_url = public_url
        self._sid, self._token, self._sender, self._api_url = sid, token, sender, api_url
        self._validator = RequestValidator(token)
        self._client: Client | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> list[Self]:
        sid, token = settings.twilio_account_sid, settings.twilio_auth_token
        sender, public = settings.twilio_whatsapp_from, settings.public_url
        if sid is None or token is None or sender is None or public is None:
            return []
        return [cls(sid, token, sender, settings.twilio_api_url, public)]

    async def close(self) -> None:
        if self._client is not None:
            await self._client.http_client.close()
            self._client = None

    # In

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        """`url` is the path and query as called; the signature is over our public address."""
        fields = _fields(body)
        signature = headers.get("x-twilio-signature", "")
        signed = headers.get("x-twilio-webhooks-signature-settings")
        algorithm = get_signature_algorithm(signed) if signed else "HMAC_SHA1"
        if not self._validator.validate(self.public_url + url, fields, signature, algorithm):
            raise Forbidden
        form = {name: fields[name].replace("\0", "") for name in fields}
        if "MessageStatus" in form or form.get("SmsStatus", "received") != "received":
            return self._receipts(url, form)
        return [self._inbound(form)]

    def _inbound(self, form: dict[str, str]) -> Inbound:
        sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid")
        names = _names(form)
        if not sid or not names:
            raise Unusable(sid or hashlib.sha256(repr(form).encode()).hexdigest(), "no_sender")
        return Inbound(
            lane=self.lane,
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

    def _receipts(self, url: str, form: dict[str, str]) -> list[Inbound | Receipt]:
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        code = form.get("ErrorCode") or None
        if status in _FAILED:
            state = _failed_state(code)
        elif status in _STATES:
            state = _STATES[status]
        else:  # queued, accepted, and whatever Twilio invents next
            log.info("status_ignored", lane=self.lane)
            return []
        token = dict(parse_qsl(urlsplit(url).query)).get("d")
        return [Receipt(self.lane, state, token, form.get("MessageSid") or None, code)]

    # Out

    async def invite_link(self, code: str) -> str | None:
        return f"https://wa.me/{self._sender.removeprefix('whatsapp:+')}?text={quote(code)}"

    async def check(self) -> tuple[bool, str]:
        try:
            await self._messages().list_async(limit=1)
        except (TwilioException, aiohttp.ClientError, TimeoutError):
            return False, "WhatsApp: Twilio refuses TWILIO_AUTH_TOKEN, or does not answer"
        return True, "WhatsApp: Twilio knows the account"

    def paste(self) -> list[str]:
        """The fragment makes Twilio repeat what it could not deliver; it never reaches us."""
        address = f"{self.public_url}/webhooks/whatsapp#rc=5&rp=all"
        return [
            "Twilio console, your WhatsApp sender, Endpoint configuration, both with POST:",
            f"  Webhook URL for incoming messages: {address}",
            f"  Status callback URL:               {address}",
        ]

    async def send(self, message: Outbound) -> str | None:
        if not isinstance(message, Say | Picture | Document):
            raise Rejected("not_here")  # no menus, nothing taken back
        try:
            sent = await self._messages().create_async(
                to=message.to,
                from_=self._sender,
                body=message.text,
                **self._media(message),
                status_callback=f"{self.public_url}/webhooks/whatsapp?d={message.token}",
            )
        except TwilioRestException as error:
            raise _send_error(error) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise TryLater("connect", timedelta(seconds=2)) from None
        except Exception as error:  # the line broke, or an answer that is none
            raise Unknown(type(error).__name__) from None
        return None if sent.sid is None else str(sent.sid)

    def _media(self, message: Outbound) -> dict[str, list[str]]:
        """Twilio fetches what it sends from us, by addresses that nobody guesses."""
        if isinstance(message, Picture):
            return {"media_url": [f"{self.public_url}/pictures/{message.token}.png"]}
        if isinstance(message, Document):
            return {"media_url": [f"{self.public_url}/files/{message.token}/{message.name}"]}
        return {}

    async def erase(self, to: str, ids: Sequence[str]) -> None:
        """The records at Twilio, media first: they would outlive the message."""
        try:
            for sid in ids:
                await self._erase_one(sid)
        except TwilioRestException as error:  # also of a message that is still on its way
            raise TryLater(str(error.code), timedelta(minutes=1)) from None
        except Exception as error:
            raise TryLater(type(error).__name__, timedelta(minutes=1)) from None

    async def _erase_one(self, sid: str) -> None:
        message = self._messages()(sid)
        with _gone_is_fine():
            for media in await message.media.list_async():
                with _gone_is_fine():
                    await message.media(media.sid).delete_async()
        with _gone_is_fine():
            await message.delete_async()

    async def find(self, message: Outbound, since: datetime) -> list[str]:
        """What Twilio took lately for the same person with the same words, newest first."""
        assert isinstance(message, Say | Picture | Document)
        try:
            found = await self._messages().list_async(
                to=message.to,
                from_=self._sender,
                date_sent_after=since - timedelta(days=1),
                limit=50,
            )
        except Exception:
            raise Unknown("lookup") from None
        same = [each for each in found if each.body == message.text]
        return [str(each.sid) for each in same if _made_at(each) >= since]

    def _messages(self) -> Any:
        if self._client is None:  # made here: aiohttp needs the running loop
            http = _HttpClient(self._api_url)
            self._client = Client(self._sid, self._token, http_client=http)
        return self._client.messages


class _HttpClient(AsyncTwilioHttpClient):
    """Twilio's own client, with the base address taken from the settings."""

    def __init__(self, api_url: str) -> None:
        super().__init__(pool_connections=False)
        self._base = urlsplit(api_url)
        # The library passes no time-out of its own, so that of the session counts.
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        self.session = aiohttp.ClientSession(timeout=timeout)

    async def request(self, method: str, uri: str, *args: Any, **options: Any) -> Any:
        asked = urlsplit(uri)
        if asked.hostname == "api.twilio.com":
            asked = asked._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        return await super().request(method, urlunsplit(asked), *args, **options)


def _fields(body: bytes) -> MultiDict[str]:
    """All fields, blank ones too: the signature covers them."""
    try:
        return MultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=500))
    except (UnicodeDecodeError, ValueError):
        raise Forbidden from None


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
    return form.get("Body") or form.get("ButtonText") or form.get("ListTitle") or ""


def _made_at(message: Any) -> datetime:
    """When Twilio took it; its times have no fractions."""
    made: datetime | None = message.date_created
    return datetime.now(UTC) if made is None else made + timedelta(seconds=1)


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


def _failed_state(code: str | None) -> str:
    number = _number(code or "") or 0
    if number in _WINDOW:
        return "window"
    return "gone" if number in _GONE else "failed"


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except TwilioRestException as error:
        if error.status != 404:
            raise


def _send_error(error: TwilioRestException) -> SendError:
    code = _number(str(error.code)) or 0
    if code in _WINDOW:
        return WindowClosed(str(code))
    if code in _GONE:
        return Gone(str(code))
    if code in _SETTINGS or error.status == 401:
        log.error("settings_refused", lane="whatsapp", code=code)
        return TryLater(str(code), timedelta(minutes=1), whole_lane=True)
    if code in _LATER or error.status == 429:
        return TryLater(str(code), timedelta(seconds=2))
    if error.status >= 500:
        return Unknown(str(error.status))
    return Rejected(str(code))
