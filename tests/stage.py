"""A stage for transcripts: people with phones in front of the real channel code, in one process.

Only the providers' servers are replaced, by recorders that hold every request against the facts of
both APIs. `restart` throws every object away and keeps the database.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from sqlalchemy import select
from telegram.request import BaseRequest, RequestData
from twilio.http.http_client import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from bot import clock, models, mydata, programme
from bot.app import App
from bot.approving import approve
from bot.channels import Channel, Gone, Rejected, simulator
from bot.channels.simulator import LOOKS, Phone, Phones, Simulator
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.rehearsal import samples, transcripts
from bot.rehearsal.phones import came_with
from bot.sessions import calendars
from bot.settings import Settings
from bot.store import codes, communities, invites, meeting, reports, sessions, templates
from bot.store.lanes import save_link
from bot.stories import exporting
from bot.web import build
from handlers import welcome
from tests.canaries import canaries
from tests.fakes import contract
from tests.fakes.phones import TelegramPhone, WhatsAppPhone

PUBLIC = "https://bot.example.org"
SECRET = "a-long-random-word"
TOKEN = "123456:AAtest-token"
ACCOUNT = "AC" + "0" * 32
AUTH = "an-auth-token"
SENDER = "whatsapp:+14155238886"
LINKS = {
    "telegram": "https://t.me/linkline_bot?start=",
    "whatsapp": "https://wa.me/14155238886?text=",
}
# What providers call our kinds of files.
_KINDS = {"audio": "voice", "video_note": "video", "image": "photo", "video": "video"}
# What is shown as what it is, by the endings of names.
UPLOADED = {
    "sendVoice": ("ogg",),
    "sendPhoto": ("png", "jpg"),
    "sendVideo": ("mp4",),
    "sendDocument": ("docx", "ics", "pdf", "xlsx"),
}
TYPES = {
    "ogg": "audio/ogg; codecs=opus",
    "png": "image/png",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "docx": mydata.MEDIA_TYPE,
    "ics": calendars.MEDIA_TYPE,
    "xlsx": exporting.MEDIA_TYPE,
}
_USED = select(models.addresses.c.lane).distinct()
PATIENCE = 30  # seconds a person waits for an answer before she looks away


@dataclass
class Heard:
    """One bubble as it came to a phone."""

    id: str
    text: str
    buttons: list[tuple[str, str]]  # (label, data)
    content: bytes = b""  # of the file that came with it

    def __str__(self) -> str:
        """The words, and the choices in square brackets whatever they look like on the phone."""
        return transcripts.heard(self.text, [label for label, _data in self.buttons])


@dataclass
class Person:
    """Somebody with one phone."""

    name: str
    channel: str
    language: str
    address: str  # as the programme file writes it
    phone: Any
    heard: list[Heard] = field(default_factory=list)
    unread: list[Heard] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # text -> the provider's id of the bubble
    gone: list[str] = field(default_factory=list)  # ids of bubbles that were deleted

    def get(self, bubble: Heard) -> None:
        self.heard.append(bubble)
        self.unread.append(bubble)

    def forget(self, ids: list[str]) -> None:
        """Bubbles that were deleted on her phone, hers among them."""
        self.gone += ids
        self.heard = [each for each in self.heard if each.id not in ids]

    def bubble_with(self, words: str) -> Heard:
        return next(each for each in reversed(self.heard) if words in each.text)


class Stage:
    """The bot, the people, and the time."""

    def __init__(self, database_url: str) -> None:
        clock.move(transcripts.BEGINS - clock.now())
        self._folder = tempfile.TemporaryDirectory(prefix="linkline-media-")
        self.settings = Settings(  # type: ignore[call-arg]
            _env_file=None,
            database_url=database_url,
            public_url=PUBLIC,
            media_url=f"{self._folder.name}/vault",
        )
        self.people: dict[str, Person] = {}
        self.by_address: dict[str, Person] = {}
        self.requests: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}  # the last one by chat id
        self.sent: dict[str, bytes] = {}  # what people sent, by the provider's id of the file
        self.fetching: list[tuple[Heard, str]] = []  # what Twilio is about to fetch
        self.erased: list[str] = []  # what Twilio was told to delete
        self.templates: dict[str, str] = {}  # what those say that have nothing to fill in, by sid
        self._content: bytes | None = None  # of the next file, if it is no sample
        self._numbers = itertools.count(1)
        self._codes = itertools.count()
        self._digits = itertools.count()  # 482 915 730, 483 015 730, ...
        self._receipts = itertools.count(2)
        self._sessions = itertools.count(1)
        self.ids = itertools.count(1)  # the providers' numbers, which outlive a restart
        self.phones = Phones()
        self.phones.approves = False  # unless the story is about what passes a closed window
        self._patches = (
            mock.patch.object(simulator, "phones", lambda: self.phones),
            mock.patch.object(welcome, "_alias", lambda: "Lotus 12"),
            mock.patch.object(invites, "new_code", lambda: _code(next(self._codes))),
            mock.patch.object(sessions, "new_uid", lambda: f"session-{next(self._sessions)}"),
            mock.patch.object(codes, "draw", lambda: f"{4829 + next(self._digits)}"),
            mock.patch.object(codes, "rest_of", lambda *_: "15730"),
            mock.patch.object(
                reports, "new_code", lambda: f"{transcripts.RECEIPTS}{next(self._receipts)}"
            ),
        )
        for patch in self._patches:
            patch.start()
        self.failing: dict[str, Any] = defaultdict(list)  # method, or method/chat -> answers
        self.app = self._new_app()
        canaries.person(TOKEN.partition(":")[2], SECRET, AUTH, *self.settings.keys())

    def _new_app(self) -> App:
        return App(self.settings, self._channels())

    def _channels(self) -> list[Channel]:
        telegram = Telegram(TOKEN, SECRET, "https://api.telegram.org", PUBLIC)
        transport = TelegramRecorder(self)
        telegram.bot._request = (transport, transport)
        telegram._downloads = FileRecorder(self)
        whatsapp = WhatsApp(ACCOUNT, AUTH, SENDER, "https://api.twilio.com", PUBLIC)
        whatsapp._client = Client(ACCOUNT, AUTH, http_client=TwilioRecorder(self))
        whatsapp._downloads = FileRecorder(self)
        return [telegram, whatsapp, *(Simulator(look) for look in LOOKS)]

    def channel(self, person: Person) -> Channel:
        name = "simulator" if person.channel.startswith("simulator") else person.channel
        return next(each for each in self.app.channels if each.name == name)

    # Casting

    def load(self, source: dict[str, Any]) -> None:
        load(self.app, source)
        self.app.database.run_now(self._approve)

    def _approve(self, db: Any) -> None:
        """The templates, as an operator has had them approved."""
        approve(db, clock.now())
        lane = next(each.lane for each in self.app.channels if each.name == "whatsapp")
        for number, each in enumerate(templates.list_of(db, "simulator/whatsapp")):
            sid = f"HX{number:032x}"
            self.phones.templates[sid] = self.phones.templates[each.sid]
            templates.save(db, replace(each, lane=lane, sid=sid))

    def add(self, name: str, channel: str, language: str) -> Person:
        number = next(self._numbers)
        person = Person(name, channel, language, *self._phone(name, channel, language, number))
        canaries.person(name, person.address.partition(":")[2].removeprefix("+"))
        self.people[name] = person
        self.by_address[person.address.partition(":")[2]] = person
        return person

    def _phone(self, name: str, channel: str, language: str, number: int) -> tuple[str, Any]:
        if channel == "telegram":
            return f"telegram:{9000 + number}", TelegramPhone(
                None, SECRET, 9000 + number, name, language
            )
        if channel == "whatsapp":
            called = f"+85620550000{number:02}"
            url = f"{PUBLIC}/webhooks/whatsapp"
            phone = WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, called, profile_name=name)
            return f"whatsapp:{called}", phone
        look = channel.partition("/")[2] or "telegram"
        self.phones.all[f"s{number}"] = Phone(f"s{number}", name, look, language)
        return f"simulator:s{number}", self.phones.all[f"s{number}"]

    def settle(self, person: Person, community: str, role: str = "member") -> None:
        """A member from before the curtain rises."""
        lane = self._lane(person)
        channel, _colon, name = person.address.partition(":")
        address = person.address if channel == "whatsapp" else name

        def work(db: Any) -> None:
            member_id, _address_id = meeting.add_ready(
                db, lane, address, clock.now(), name=person.name, language=person.language,
                consent_at=clock.now(), consent_version="test",
            )  # fmt: skip
            found = communities.find(db, community)
            assert found is not None, community
            communities.join(db, member_id, found.id, role, "active", clock.now())

        self.app.database.run_now(work)

    def is_discreet(self, person: Person) -> bool:
        """Whether nothing may be read on her phone unasked."""
        channel, _colon, name = person.address.partition(":")
        address, lane = person.address if channel == "whatsapp" else name, self._lane(person)

        def work(db: Any) -> bool:
            whose = models.members.c.id == meeting.find_by_address(db, lane, address)
            return bool(db.execute(select(models.members.c.discreet).where(whose)).scalar())

        return self.app.database.run_now(work)

    def _lane(self, person: Person) -> str:
        if person.channel.startswith("simulator"):
            return f"simulator/{person.phone.look}"
        return self.channel(person).lane

    def code(self, community: str, role: str = "member", uses: int = 30) -> str:
        def work(db: Any) -> str:
            found = communities.find(db, community)
            assert found is not None, community
            return invites.add(db, found.id, role, uses, timedelta(days=30), clock.now())

        code = self.app.database.run_now(work)
        canaries.person(code)
        return code

    # What people do

    async def say(self, name: str, text: str) -> None:
        person = self.people[name]
        canaries.words(text)
        if person.channel == "telegram":
            update = person.phone.say(text)
            person.said[text] = update["message"]["message_id"]
            await self.update(person, update)
        elif person.channel == "whatsapp":
            await self.form(person, person.phone.say(text))
        else:
            await self.page(person, {"text": text})

    async def reply(self, name: str, words: str, text: str) -> None:
        """Answer the bubble that holds these words."""
        person = self.people[name]
        canaries.words(text)
        bubble = person.bubble_with(words)
        if person.channel == "telegram":
            number = int(bubble.id.rpartition("/")[2])
            await self.update(person, person.phone.reply(text, number, bubble.text))
        elif person.channel == "whatsapp":
            await self.form(person, person.phone.reply(text, bubble.id))
        else:
            await self.page(person, {"text": text, "reply_to": bubble.id})

    async def choose(self, name: str, label: str) -> None:
        """Tap the latest choice with this label; on WhatsApp type its number."""
        person = self.people[name]
        bubble = next(each for each in reversed(person.heard) if f"[{label}]" in str(each))
        labels = re.findall(r"\[([^]]*)\]", str(bubble).rpartition("\n")[2])
        index = labels.index(label)
        if person.channel == "telegram":
            number = int(bubble.id.rpartition("/")[2])
            await self.update(person, person.phone.tap(bubble.buttons[index][1], number))
        elif person.channel != "whatsapp" and bubble.buttons:
            await self.page(person, {"bubble": bubble.id, "button": index})
        elif bubble is person.heard[-1]:
            await self.say(name, str(index + 1))
        else:  # further up: she quotes the list
            await self.reply(name, bubble.text, str(index + 1))

    async def send_file(self, name: str, kind: str, content: bytes | None = None) -> None:
        """One of the samples, unless the content is told."""
        person = self.people[name]
        self._content = content
        if person.channel == "telegram":
            await self.update(person, getattr(person.phone, kind)())
        elif person.channel == "whatsapp" and kind == "sticker":
            form = dict(person.phone.photo()) | {
                "MessageType": "sticker",
                "MediaContentType0": "image/webp",
            }
            await self.form(person, list(form.items()))
        elif person.channel == "whatsapp":
            await self.form(person, getattr(person.phone, kind)())
        else:
            await self.page(person, {"file": kind})

    async def reply_with(self, name: str, words: str, kind: str) -> None:
        """Answer the bubble that holds these words with a sample."""
        person = self.people[name]
        bubble = person.bubble_with(words)
        if person.channel == "telegram":
            replied = person.phone.reply("", int(bubble.id.rpartition("/")[2]), bubble.text)
            update = getattr(person.phone, kind)()
            update["message"]["reply_to_message"] = replied["message"]["reply_to_message"]
            await self.update(person, update)
        elif person.channel == "whatsapp":
            replied = dict(person.phone.reply("", bubble.id))
            about = {key: replied[key] for key in replied if key.startswith("OriginalReplied")}
            await self.form(person, list((dict(getattr(person.phone, kind)()) | about).items()))
        else:
            await self.page(person, {"file": kind, "reply_to": bubble.id})

    async def edit(self, name: str, old: str, new: str) -> None:
        person = self.people[name]
        await self.update(person, person.phone.edit(int(person.said[old]), new))

    async def forward(self, name: str, words: str) -> None:
        person = self.people[name]
        await self.update(person, person.phone.forward(words))

    async def membership(self, name: str, verb: str) -> None:
        """She blocks the bot, or lets it write again."""
        person = self.people[name]
        await self.update(person, getattr(person.phone, verb)())

    # Through the doors

    async def update(self, person: Person, update: dict[str, Any]) -> None:
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        for kind, described in update.get("message", {}).items():
            for each in described if isinstance(described, list) else [described]:
                self._upload(_KINDS.get(kind, kind), each)
        await self.take(person, "/webhooks/telegram", headers, json.dumps(update).encode())

    async def form(self, person: Person, form: list[tuple[str, str]]) -> None:
        headers = {key.lower(): value for key, value in person.phone.headers(form).items()}
        fields = dict(form)
        if fields.get("MediaUrl0"):
            kind = fields["MediaContentType0"].partition("/")[0]
            sid = fields["MediaUrl0"].rpartition("/")[2]
            self._upload(_KINDS.get(kind, "document"), {"file_id": sid})
        await self.take(person, "/webhooks/whatsapp", headers, urlencode(form).encode())

    def _upload(self, kind: str, described: Any) -> None:
        """The provider has the file that a message names."""
        if kind in samples.FILES and isinstance(described, dict) and "file_id" in described:
            self.sent[described["file_id"]] = self._content or samples.read(kind)

    async def page(self, person: Person, data: dict[str, Any]) -> None:
        headers = {"content-type": "application/json"}
        body = json.dumps({"phone": person.phone.id, **data}).encode()
        await self.take(person, "/webhooks/simulator", headers, body)

    async def take(self, person: Person, url: str, headers: dict[str, str], body: bytes) -> None:
        channel = self.channel(person)
        await self.app.take(channel, channel.receive(url, headers, body))
        await self.deliver()

    # Time and the outbox

    async def deliver(self) -> None:
        """As `App.drain` does, but only where there is somebody: a look at a lane costs a round."""
        await self.app.fetcher.drain()
        used = self.app.database.run_now(_list_used)
        for sender in self.app.senders:
            if sender.channel.lane in used:
                await sender.drain()
        while self.fetching:
            await self._fetch(*self.fetching.pop(0))
        self._read_simulator()

    async def _fetch(self, bubble: Heard, address: str) -> None:
        """What Twilio sends on, it fetches a little later, and looks at its head before."""
        web = httpx.ASGITransport(build(self.app, work=False))
        async with httpx.AsyncClient(transport=web, base_url=PUBLIC) as client:
            head, got = await client.head(address), await client.get(address)
        assert (head.status_code, got.status_code) == (200, 200), "Twilio finds no file there"
        kind, wanted = got.headers["content-type"], TYPES[address.rpartition(".")[2]]
        assert head.headers["content-type"] == kind == wanted
        bubble.content = got.content

    def _read_simulator(self) -> None:
        for person in self.people.values():
            if not isinstance(person.phone, Phone):
                continue
            known = {each.id for each in person.heard}
            for bubble in person.phone.bubbles:
                if not bubble.mine and bubble.id not in known:
                    person.get(Heard(bubble.id, bubble.words, list(bubble.buttons)))

    async def listen(self, name: str) -> Heard | None:
        """The next unread bubble; she waits a little for it."""
        person = self.people[name]
        waited = 0
        while not person.unread and waited < PATIENCE:
            clock.move(timedelta(seconds=1))
            waited += 1
            await self.deliver()
        return person.unread.pop(0) if person.unread else None

    async def later(self, by: timedelta) -> None:
        """Time does not jump: what one job lets go another may look at before it is over."""
        last = min(by, timedelta(minutes=1))
        for part in filter(None, (by - last, last)):
            clock.move(part)
            await self.app.scheduler.tick()
            await self.app.eraser.erase_due()
            await self.deliver()

    async def restart(self) -> None:
        self.app.database.abandon()
        self.app = self._new_app()

    async def close(self) -> None:
        self.app.database.close()
        self._folder.cleanup()
        for patch in self._patches:
            patch.stop()

    def complaints(self) -> list[Any]:
        return [each["complaints"] for each in self.requests if each["complaints"]]


def _list_used(db: Any) -> set[str]:
    return set(db.execute(_USED).scalars())


def load(app: App, source: dict[str, Any]) -> None:
    """A programme into the store of an app, as from its file."""
    found = programme.Programme.model_validate(source)
    lanes = {each.name: each.lane for each in app.channels}
    app.database.run_now(lambda db: programme.load(db, found, lanes, clock.now()))
    app.database.run_now(lambda db: _save_links(db, lanes))


def _code(number: int) -> str:
    """TEST-2222, TEST-2223, ...: as the bot draws them, but in a row."""
    signs = invites.SIGNS
    first, second = divmod(signs.index("2") * (len(signs) + 1) + number, len(signs))
    return f"TEST-22{signs[first % len(signs)]}{signs[second]}"


def _save_links(db: Any, lanes: dict[str, str]) -> None:
    """What the bot learns from its providers when it starts."""
    for name, link in LINKS.items():
        if name in lanes:
            save_link(db, lanes[name], link)


class TelegramRecorder(BaseRequest):
    """Telegram's server: strict, and it remembers."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        called = url.rpartition("/")[2]
        raw = {} if request_data is None else dict(request_data.json_parameters)
        files = request_data.multipart_data if request_data and request_data.contains_files else {}
        fields = contract.decode_telegram(called, raw | dict.fromkeys(files, "(a file)"))
        complaints = contract.telegram_complaints(called, fields)
        self._stage.requests.append({"method": called, "fields": fields, "complaints": complaints})
        for fails in (called, f"{called}/{fields.get('chat_id')}"):
            if self._stage.failing[fails]:
                status, answer = self._stage.failing[fails].pop(0)
                return status, json.dumps(answer).encode()
        result = self._answer(called, fields, files)
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def _answer(self, called: str, fields: dict[str, Any], files: dict[str, Any]) -> Any:
        if files:
            [(name, content, _kind)] = files.values()
            assert name.rpartition(".")[2] in UPLOADED[called], f"{called} of {name}"
            self._stage.files[str(fields["chat_id"])] = content
            words = came_with(name, fields.get("caption", ""))
            return self._send(fields | {"text": words}, content)
        if called == "getFile":
            about = {"file_id": fields["file_id"], "file_unique_id": fields["file_id"][:8]}
            return about | {"file_path": f"files/{fields['file_id']}"}
        if called == "deleteMessages":
            person = self._stage.by_address[str(fields["chat_id"])]
            person.forget([f"{fields['chat_id']}/{each}" for each in fields["message_ids"]])
        return self._send(fields) if called == "sendMessage" else True

    def _send(self, fields: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        number, chat = next(self._stage.ids), int(fields["chat_id"])
        rows = (fields.get("reply_markup") or {}).get("inline_keyboard", [])
        buttons = [(each["text"], each["callback_data"]) for row in rows for each in row]
        person = self._stage.by_address.get(str(chat))
        if person is not None:
            person.get(Heard(f"{chat}/{number}", fields["text"], buttons, content))
        about = {"id": chat, "type": "private", "first_name": "x"}
        return {"message_id": number, "date": 1, "chat": about, "text": fields["text"]}


class FileRecorder:
    """The providers' file servers: each knows its own addresses, and who may ask."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def get(
        self, url: str, most: int, *, auth: tuple[str, str] | None = None, redirects: int = 0
    ) -> bytes:
        of_bot = f"https://api.telegram.org/file/bot{TOKEN}/files/"
        of_account = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/"
        if url.startswith(of_bot):
            assert (auth, redirects) == (None, 0)
        else:
            assert url.startswith(of_account), "an address nobody told us"
            assert (auth, redirects) == ((ACCOUNT, AUTH), 1)
        if self._stage.failing["files"]:
            raise self._stage.failing["files"].pop(0)
        content = self._stage.sent.get(url.rpartition("/")[2])
        if content is None:
            raise Gone("404")
        if len(content) > most:
            raise Rejected("too_big")
        return content

    async def close(self) -> None: ...


class TwilioRecorder(HttpClient):  # type: ignore[misc]
    """Twilio's server: strict, and it remembers."""

    is_async = True

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def request(
        self, method: str, url: str, params: Any = None, data: Any = None, *_: Any, **__: Any
    ) -> Response:
        form = parse_qs(urlencode({k: v for k, v in (data or {}).items() if v is not None}, True))
        path = urlsplit(url).path
        if method.upper() != "POST":
            return self._erase(method.upper(), path)
        complaints = contract.twilio_complaints(contract.MESSAGES_PATH, method.upper(), form)
        fields = {name: values[0] for name, values in form.items()}
        self._stage.requests.append({"method": path, "fields": fields, "complaints": complaints})
        for fails in ("Messages", *fields.keys() & {"MediaUrl"}):
            if self._stage.failing[fails]:
                status, answer = self._stage.failing[fails].pop(0)
                return Response(status, json.dumps(answer))
        sid = f"SM{next(self._stage.ids):032x}"
        person = self._stage.by_address.get(fields["To"].partition(":")[2])
        words, buttons = self._shown(fields)
        address = fields.get("MediaUrl", "")
        if person is not None:
            name = address.rpartition("/")[2]
            person.get(Heard(sid, came_with(name, words) if name else words, buttons))
            if address:
                self._stage.fetching.append((person.heard[-1], address))
        return Response(201, json.dumps({"sid": sid, "status": "queued", "body": words}))

    def _shown(self, fields: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
        """The words, and what can be tapped below them: (label, what a tap on it carries)."""
        if "ContentSid" not in fields:
            return fields.get("Body", ""), []
        filled = list(json.loads(fields.get("ContentVariables", "{}")).values())
        if not filled:
            return self._template(fields["ContentSid"])
        if len(filled) <= 4:
            return filled[0], [(label, f"choice-{n}") for n, label in enumerate(filled[1:], 1)]
        return filled[0], list(zip(filled[2::2], filled[3::2], strict=True))

    def _template(self, sid: str) -> tuple[str, list[tuple[str, str]]]:
        """One with nothing to fill in."""
        if sid in self._stage.templates:
            return self._stage.templates[sid], []
        words, button = self._stage.phones.templates[sid]
        return words, [button]

    def _erase(self, method: str, path: str) -> Response:
        """Its records go; the bubbles on the phone stay."""
        self._stage.requests.append({"method": path, "fields": {}, "complaints": []})
        if self._stage.failing[method]:
            status, answer = self._stage.failing[method].pop(0)
            return Response(status, json.dumps(answer))
        if method == "GET":
            return Response(200, json.dumps({"media_list": []}))
        self._stage.erased.append(path.rpartition("/")[2].removesuffix(".json"))
        return Response(204, "")

    async def close(self) -> None: ...
