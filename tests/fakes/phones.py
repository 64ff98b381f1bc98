"""The phones of people: they build what the providers post to our webhooks, and post it."""

import hashlib
import itertools
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

Update = dict[str, Any]
Form = list[tuple[str, str]]

# Both number on from the clock, so that phones in another process, or tomorrow, do not repeat them.
# Message ids lie far above those the fake gives to the bot's own messages in the same chat.
UPDATE_IDS = itertools.count(int(time.time() * 1000) % 2_000_000_000)
MESSAGE_IDS = itertools.count(500_000_000 + int(time.time()) % 1_000_000_000)
POST_SECONDS = 30
# Never through a proxy: the bot under test listens on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status answered; error statuses are answers too."""
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with OPENER.open(request, timeout=POST_SECONDS) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def tell_provider(url: str, flags: dict[str, Any]) -> None:
    """Let a fake know what the person did on the provider's side."""
    status = post(url + "/_control", json.dumps(flags).encode(), {})
    if status != 200:
        raise RuntimeError(f"{url} refused {flags}")


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def command_entities(text: str) -> list[dict[str, Any]]:
    """Telegram marks /commands, counted in UTF-16 units."""
    return [
        {
            "type": "bot_command",
            "offset": utf16_units(text[: found.start()]),
            "length": utf16_units(found[0]),
        }
        for found in re.finditer(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w+)?", text)
    ]


class TelegramPhone:
    """One person on Telegram. Without a webhook_url nothing is posted, only built and returned."""

    def __init__(
        self,
        webhook_url: str | None,
        secret: str = "",
        user_id: int = 10_001,
        first_name: str = "Noy",
        language_code: str | None = "lo",
        *,
        username: str | None = None,
        bot_id: int = 123456,
        provider_url: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.webhook_url = webhook_url
        self.secret = secret
        self.user: dict[str, Any] = {"id": user_id, "is_bot": False, "first_name": first_name}
        self.chat: dict[str, Any] = {"id": user_id, "first_name": first_name}
        if username:
            self.user["username"] = self.chat["username"] = username
        if language_code:
            self.user["language_code"] = language_code
        self.chat["type"] = "private"
        self.bot = {
            "id": bot_id,
            "is_bot": True,
            "first_name": "Linkline",
            "username": "linkline_bot",
        }
        self.provider_url = provider_url
        self.clock = clock
        self.answers: list[int] = []

    def start(self, code: str = "", repeat: int = 1) -> Update:
        """Open the bot by its link, perhaps with a code."""
        return self.say(f"/start {code}".strip(), repeat)

    def say(self, text: str, repeat: int = 1) -> Update:
        return self._send(self.message(**text_content(text)), repeat)

    def reply(self, text: str, message_id: int, original: str = "", repeat: int = 1) -> Update:
        """Answer one message of the bot with the app's reply function."""
        replied = self._bot_message(message_id, original)
        return self._send(self.message(reply_to_message=replied, **text_content(text)), repeat)

    def voice(
        self, file_id: str | None = None, seconds: int = 3, size: int = 11_833, repeat: int = 1
    ) -> Update:
        voice = file_facts(file_id, size) | {"duration": seconds, "mime_type": "audio/ogg"}
        return self._send(self.message(voice=voice), repeat)

    def photo(self, caption: str = "", file_id: str | None = None, repeat: int = 1) -> Update:
        sizes = [
            file_facts(file_id and f"{file_id}-small", 1_500) | {"width": 90, "height": 67},
            file_facts(file_id, 98_000) | {"width": 1280, "height": 960},
        ]
        content: dict[str, Any] = {"photo": sizes}
        if caption:
            content["caption"] = caption
        return self._send(self.message(**content), repeat)

    def sticker(self, emoji: str = "👍", repeat: int = 1) -> Update:
        sticker = file_facts(None, 7_340) | {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
            "set_name": "Kindness",
        }
        return self._send(self.message(sticker=sticker), repeat)

    def forward(self, text: str, repeat: int = 1) -> Update:
        """Pass on a message of somebody else."""
        other = {"id": 20_002, "is_bot": False, "first_name": "Somebody"}
        date = self._date() - 3600
        origin = {"type": "user", "sender_user": other, "date": date}
        old_fields = {"forward_from": other, "forward_date": date}
        content = {"forward_origin": origin, **old_fields, **text_content(text)}
        return self._send(self.message(**content), repeat)

    def edit(self, message_id: int, text: str, repeat: int = 1) -> Update:
        """Change an own message already sent."""
        edited = self.message(**text_content(text))
        edited |= {"message_id": message_id, "edit_date": self._date()}
        return self._send(edited, repeat, "edited_message")

    def tap(self, data: str, message_id: int, original: str = "…", repeat: int = 1) -> Update:
        """Press an inline button under a message of the bot."""
        message = self._bot_message(message_id, original)
        message["reply_markup"] = {"inline_keyboard": [[{"text": "…", "callback_data": data}]]}
        query = {
            "id": str(self.user["id"] << 32 | next(MESSAGE_IDS)),
            "from": self.user,
            "message": message,
            "chat_instance": self._chat_instance(),
            "data": data,
        }
        return self._send(query, repeat, "callback_query")

    def block(self, repeat: int = 1) -> Update:
        if self.provider_url:
            tell_provider(self.provider_url, {"block": [self.user["id"]]})
        return self._send(self._membership("member", "kicked"), repeat, "my_chat_member")

    def unblock(self, repeat: int = 1) -> Update:
        if self.provider_url:
            tell_provider(self.provider_url, {"unblock": [self.user["id"]]})
        return self._send(self._membership("kicked", "member"), repeat, "my_chat_member")

    def message(self, **content: Any) -> dict[str, Any]:
        """A message of this person, with whatever it holds."""
        return {
            "message_id": next(MESSAGE_IDS),
            "from": self.user,
            "chat": self.chat,
            "date": self._date(),
            **content,
        }

    @staticmethod
    def update(content: dict[str, Any], kind: str = "message") -> Update:
        """The envelope round anything that happened."""
        return {"update_id": next(UPDATE_IDS), kind: content}

    def post(self, update: Update, repeat: int = 1) -> list[int]:
        """Hand an update to the webhook, as often as told; answers the statuses."""
        if self.webhook_url is None:
            return []
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        body = json.dumps(update).encode()
        statuses = [post(self.webhook_url, body, headers) for _ in range(repeat)]
        self.answers += statuses
        return statuses

    def _send(self, content: dict[str, Any], repeat: int, kind: str = "message") -> Update:
        if self.provider_url and kind == "message":
            tell_provider(self.provider_url, {"wrote": [self.user["id"]]})
        update = self.update(content, kind)
        self.post(update, repeat)
        return update

    def _bot_message(self, message_id: int, text: str) -> dict[str, Any]:
        sent = {"from": self.bot, "chat": self.chat, "date": self._date() - 60, "text": text}
        return {"message_id": message_id, **sent}

    def _membership(self, old: str, new: str) -> dict[str, Any]:
        def member(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": self.bot, "status": status, **until}

        return {
            "chat": self.chat,
            "from": self.user,
            "date": self._date(),
            "old_chat_member": member(old),
            "new_chat_member": member(new),
        }

    def _chat_instance(self) -> str:
        digest = hashlib.sha256(f"{self.user['id']} {self.bot['id']}".encode()).digest()
        return str(int.from_bytes(digest[:8], signed=True))

    def _date(self) -> int:
        return int(self.clock())


def text_content(text: str) -> dict[str, Any]:
    entities = command_entities(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def file_facts(file_id: str | None, size: int) -> dict[str, Any]:
    file_id = file_id or f"AwACAgUAAx{uuid.uuid4().hex}"
    unique = hashlib.sha256(file_id.encode()).hexdigest()[:16]
    return {"file_id": file_id, "file_unique_id": unique, "file_size": size}


class WhatsAppPhone:
    """One person on WhatsApp, with a number or a user id; without connect_to nothing is posted."""

    def __init__(
        self,
        webhook_url_public: str,
        connect_to: str | None,
        auth_token: str,
        account_sid: str,
        to: str,
        number: str | None = None,
        *,
        user_id: str | None = None,
        profile_name: str = "",
        provider_url: str | None = None,
    ) -> None:
        if not (number or user_id):
            raise ValueError("a person on WhatsApp has a number or a user id")
        self.webhook_url_public = webhook_url_public
        self.connect_to = connect_to
        self.auth_token = auth_token
        self.account_sid = account_sid
        self.to = whatsapp_address(to)
        self.address = whatsapp_address(number or user_id or "")
        self.user_id = user_id
        self.profile_name = profile_name
        self.provider_url = provider_url
        self.answers: list[int] = []

    def say(self, text: str, repeat: int = 1) -> Form:
        return self._send(self.form("text", text), repeat)

    def reply(self, text: str, original_sid: str, repeat: int = 1) -> Form:
        """Answer one message of the bot with the app's reply function."""
        return self._send(self.form("text", text, self._original(original_sid)), repeat)

    def button(
        self, text: str, payload: str, original_sid: str | None = None, repeat: int = 1
    ) -> Form:
        more = {"ButtonText": text, "ButtonPayload": payload}
        if original_sid:
            more |= self._original(original_sid)
        return self._send(self.form("button", text, more), repeat)

    def voice(self, media_sid: str | None = None, repeat: int = 1) -> Form:
        return self._send_media("audio", "audio/ogg", "", media_sid, repeat)

    def photo(self, caption: str = "", media_sid: str | None = None, repeat: int = 1) -> Form:
        return self._send_media("image", "image/jpeg", caption, media_sid, repeat)

    def location(self, latitude: float, longitude: float, label: str = "", repeat: int = 1) -> Form:
        more = {"Latitude": str(latitude), "Longitude": str(longitude), "Address": ""}
        more["Label"] = label
        return self._send(self.form("location", "", more), repeat)

    def form(
        self, kind: str, body: str, more: dict[str, str] | None = None, sid: str | None = None
    ) -> Form:
        """The complete form, blank fields too, since they are part of the signature."""
        sid = sid or "SM" + uuid.uuid4().hex
        fields = {
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "ProfileName": self.profile_name,
            "MessageType": kind,
            "SmsSid": sid,
            **self._identity(),
            "SmsStatus": "received",
            "Body": body,
            "To": self.to,
            "NumSegments": "1",
            "ReferralNumMedia": "0",
            "MessageSid": sid,
            "AccountSid": self.account_sid,
            "ChannelMetadata": self._channel_metadata(),
            "From": self.address,
            "ApiVersion": "2010-04-01",
        }
        return list((fields | (more or {})).items())

    def signature(self, form: Form) -> str:
        """Over the public address, without the fragment that only sets time-outs and retries."""
        url = self.webhook_url_public.partition("#")[0]
        return str(RequestValidator(self.auth_token).compute_signature(url, dict(form)))

    def headers(self, form: Form) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": self.signature(form),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
        }

    def post(self, form: Form, repeat: int = 1) -> list[int]:
        """Hand a form to the webhook, as often as told; answers the statuses."""
        if self.connect_to is None:
            return []
        public = urlsplit(self.webhook_url_public)
        url = self.connect_to + public.path + (f"?{public.query}" if public.query else "")
        body, headers = urlencode(form).encode(), self.headers(form)
        statuses = [post(url, body, headers) for _ in range(repeat)]
        self.answers += statuses
        return statuses

    def _identity(self) -> dict[str, str]:
        """People known by user id only have no WaId."""
        fields = {}
        if self.address.startswith("whatsapp:+"):
            fields["WaId"] = self.address.removeprefix("whatsapp:+")
        if self.user_id:
            fields |= {"ExternalUserId": self.user_id, "ProfileUsername": ""}
        return fields

    def _channel_metadata(self) -> str:
        context = {"ProfileName": self.profile_name}
        context |= {k: v for k, v in self._identity().items() if k != "ProfileUsername"}
        return json.dumps({"type": "whatsapp", "data": {"context": context}})

    def _original(self, sid: str) -> dict[str, str]:
        return {"OriginalRepliedMessageSender": self.to, "OriginalRepliedMessageSid": sid}

    def _send_media(
        self, kind: str, content_type: str, caption: str, media_sid: str | None, repeat: int
    ) -> Form:
        sid = "MM" + uuid.uuid4().hex
        media_sid = media_sid or "ME" + uuid.uuid4().hex
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sid}/Media/{media_sid}"
        more = {"NumMedia": "1", "MediaContentType0": content_type}
        more["MediaUrl0"] = "https://api.twilio.com" + path
        return self._send(self.form(kind, caption, more, sid), repeat)

    def _send(self, form: Form, repeat: int) -> Form:
        if self.provider_url:
            self._tell_provider(dict(form))
        self.post(form, repeat)
        return form

    def _tell_provider(self, fields: dict[str, str]) -> None:
        message = {"from": self.address, "to": self.to, "sid": fields["MessageSid"]}
        message |= {"account_sid": self.account_sid, "body": fields["Body"]}
        tell_provider(self.provider_url or "", {"inbound": [message]})


def whatsapp_address(text: str) -> str:
    return text if text.startswith("whatsapp:") else f"whatsapp:{text}"
