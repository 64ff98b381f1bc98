"""WhatsApp, through Twilio; only this folder knows Twilio."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from bot import clock
from bot.channels import Forbidden, Rejected, TryLater, Unknown
from bot.channels.whatsapp import content, reading
from bot.channels.whatsapp.errors import CONTENT, PAUSE, SOON, as_number, send_error
from bot.channels.whatsapp.transport import NOT_SENT, connect, gone_is_fine
from bot.downloads import Downloads
from bot.messages import (
    Inbound,
    Limits,
    Media,
    Nudge,
    Outbound,
    Rate,
    Receipt,
    Say,
    Standing,
    Tappable,
    Template,
)
from bot.settings import Settings

T = TypeVar("T")

LISTED = 500  # what was said to one person since a send that may have passed
PAGE = 200
SETTLED = timedelta(seconds=90)  # until then the webhook of a message may still be on its way


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
        receipts=True,
        price=0.005,
        nudge_price=0.02,
        rate=Rate(80, 1),
        chat_rate=Rate(40, 240),  # one in six seconds, in bursts
        tappable=(Tappable(content.BUTTONS, 20, 1024), Tappable(10, 24, 1024)),
    )

    def __init__(self, sid: str, token: str, sender: str, api_url: str, public_url: str) -> None:
        self.lane = f"whatsapp/{hashlib.sha256(sender.encode()).hexdigest()[:8]}"
        self.public_url = public_url
        self._sid, self._token, self._sender, self._api_url = sid, token, sender, api_url
        self._validator = RequestValidator(token)
        self._client: Client | None = None
        self._downloads = Downloads(api_url)

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
        await self._downloads.close()

    # In

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        """`url` is the path and query as called; the signature is over our public address."""
        fields = reading.fields_of(body)
        signature = headers.get("x-twilio-signature", "")
        signed = headers.get("x-twilio-webhooks-signature-settings")
        algorithm = get_signature_algorithm(signed) if signed else "HMAC_SHA1"
        if not self._validator.validate(self.public_url + url, fields, signature, algorithm):
            raise Forbidden
        return reading.read(self.lane, url, fields)

    async def recall(self, since: datetime) -> list[Inbound]:
        """What came in since then, oldest first; what only just comes is left to its webhook."""
        until = clock.now() - SETTLED
        try:
            found = await self._messages().list_async(
                to=self._sender, date_sent_after=since, page_size=PAGE
            )
            wanted = [each for each in found if since <= _came_at(each) <= until]
            wanted.sort(key=_came_at)
            heard = [await self._recalled(each) for each in wanted]
        except Exception:
            raise Unknown("recall") from None
        return [each for each in heard if each is not None]

    async def _recalled(self, message: Any) -> Inbound | None:
        media = []
        if as_number(str(message.num_media or "")):
            media = await self._messages()(message.sid).media.list_async(limit=10)
        return reading.recalled(self.lane, message, media, self._api_url)

    async def fetch(self, reference: str, most: int) -> bytes:
        """Who we are is said to Twilio alone, not to where it sends us on to."""
        url = reading.media_url(reference, self._sid, self._api_url)
        if url is None:
            raise Rejected("address")
        return await self._downloads.get(url, most, auth=(self._sid, self._token), redirects=1)

    # About us

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

    async def balance(self) -> tuple[float, str] | None:
        try:
            told = await self._connected().api.v2010.account.balance.fetch_async()
            return float(told.balance), str(told.currency)
        except Exception:  # postpaid, a key that may not read it, an outage
            return None

    # Out

    async def send(self, message: Outbound) -> str | None:
        if not isinstance(message, Say | Media | Nudge):
            raise Rejected("not_here")  # no menus, nothing taken back
        try:
            sent = await self._create(message)
        except TwilioRestException as error:
            raise send_error(error) from None
        except NOT_SENT:
            raise TryLater("connect", SOON) from None
        except Exception as error:  # the line broke, or an answer that is none
            raise Unknown(type(error).__name__) from None
        return None if sent.sid is None else str(sent.sid)

    async def _create(self, message: Say | Media | Nudge) -> Any:
        """A template that Twilio cannot use is no reason to say nothing in an open window."""
        if not isinstance(message, Say) or message.template is None:
            return await self._post(message, self._words(message))
        variables = content.fill(message)
        filled = {"content_sid": message.template, "content_variables": variables}
        try:
            return await self._post(message, filled)
        except TwilioRestException as error:
            if as_number(str(error.code)) not in CONTENT:
                raise
            return await self._post(message, {"body": message.text})

    async def _post(self, message: Say | Media | Nudge, words: dict[str, Any]) -> Any:
        return await self._messages().create_async(
            to=message.to,
            from_=self._sender,
            status_callback=f"{self.public_url}/webhooks/whatsapp?d={message.token}",
            **words,
        )

    def _words(self, message: Say | Media | Nudge) -> dict[str, Any]:
        """Twilio fetches what it sends from us, by addresses that nobody guesses."""
        if isinstance(message, Nudge):
            return {"content_sid": message.template}
        if isinstance(message, Say):
            return {"body": message.text}
        address = f"{self.public_url}/files/{message.token}/{message.name}"
        return {"media_url": [address]} | ({"body": message.text} if message.text else {})

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
        with gone_is_fine():
            for media in await message.media.list_async():
                with gone_is_fine():
                    await message.media(media.sid).delete_async()
        with gone_is_fine():
            await message.delete_async()

    async def find(self, message: Outbound, since: datetime) -> list[str]:
        """What Twilio took lately for the same person with the same words, newest first."""
        assert isinstance(message, Say | Media | Nudge)
        try:
            words = await self._said(message)
            found = await self._messages().list_async(
                to=message.to,
                from_=self._sender,
                date_sent_after=since - timedelta(days=1),
                limit=LISTED,
                page_size=PAGE,
            )
        except Exception:
            raise Unknown("lookup") from None
        same = [each for each in found if (each.body or "") == words]
        if isinstance(message, Media):  # many of them have no words
            same = [each for each in same if as_number(str(each.num_media or ""))]
        return [str(each.sid) for each in same if _made_at(each) >= since]

    async def _said(self, message: Say | Media | Nudge) -> str:
        """Its words as Twilio lists them: those of a template are filled in."""
        if isinstance(message, Nudge):
            return await content.text_of(self._connected(), message.template)
        return message.text

    # Templates

    def own_templates(self) -> list[Template]:
        return [content.generic(count, "en") for count in range(1, 11)]

    async def create_template(self, template: Template, name: str) -> str:
        return await _asked(content.create(self._connected(), template, name))

    async def submit_template(self, sid: str, name: str) -> str:
        return await _asked(content.submit(self._connected(), sid, name))

    async def list_templates(self) -> list[Standing]:
        return await _asked(content.list_all(self._connected()))

    def _messages(self) -> Any:
        return self._connected().messages

    def _connected(self) -> Client:
        if self._client is None:  # made here: aiohttp needs the running loop
            self._client = connect(self._sid, self._token, self._api_url)
        return self._client


async def _asked(work: Awaitable[T]) -> T:
    """Raises Rejected with Twilio's code, TryLater, Unknown."""
    try:
        return await work
    except TwilioRestException as error:
        raise send_error(error) from None
    except NOT_SENT:
        raise TryLater("connect", SOON) from None
    except Exception as error:
        status = getattr(error.args[-1] if error.args else None, "status_code", 0)
        if status in (401, 403):  # of a page that was asked for, the library tells only this
            raise TryLater(str(status), PAUSE, whole_lane=True) from None
        raise Unknown(type(error).__name__) from None


def _made_at(message: Any) -> datetime:
    """When Twilio took it; its times have no fractions."""
    made: datetime | None = message.date_created
    return datetime.now(UTC) if made is None else made + timedelta(seconds=1)


def _came_at(message: Any) -> datetime:
    came: datetime | None = message.date_created or message.date_sent
    return datetime.now(UTC) if came is None else came
