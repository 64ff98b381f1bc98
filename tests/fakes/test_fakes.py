"""The fakes held against the providers' own clients, and the phones against the fakes' opposite."""

import asyncio
import base64
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import ImmutableMultiDict
from telegram import Bot, BotCommand, BotCommandScopeChat, InlineKeyboardButton, Update
from telegram import InlineKeyboardMarkup as Keyboard
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import HTTPXRequest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from tests.child import PATIENCE, PROJECT
from tests.fakes.contract import (
    CONTRACTS,
    MESSAGES_PATH,
    decode_telegram,
    telegram_complaints,
    twilio_complaints,
    visible_text,
)
from tests.fakes.phones import OPENER, TelegramPhone, WhatsAppPhone, post
from tests.fakes.process import Fake

TOKEN = "123456:test-token"
ACCOUNT = "AC" + "0" * 32
AUTH = "test-auth-token"
SENDER = "whatsapp:+14155238886"
PERSON = "whatsapp:+8562055512345"
PUBLIC = "https://bot.example.org/webhooks/whatsapp?from=twilio"
Posts = list[dict[str, Any]]


@pytest.fixture(scope="module")
def one_telegram() -> Iterator[Fake]:
    with Fake("telegram") as fake:
        yield fake


@pytest.fixture
def telegram(one_telegram: Fake) -> Fake:
    one_telegram.reset()
    return one_telegram


@pytest.fixture(scope="module")
def one_twilio() -> Iterator[Fake]:
    with Fake("twilio") as fake:
        yield fake


@pytest.fixture
def twilio(one_twilio: Fake) -> Fake:
    one_twilio.reset()
    return one_twilio


@pytest.fixture
def webhook() -> Iterator[tuple[str, Posts]]:
    """A server that keeps what is posted to it."""
    posts: Posts = []

    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append({"path": self.path, "headers": dict(self.headers), "body": body})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posts
    server.shutdown()
    server.server_close()
    thread.join()


def with_bot(fake: Fake, use: Callable[[Bot], Awaitable[Any]], token: str = TOKEN) -> Any:
    async def session() -> Any:
        request, polling = (HTTPXRequest(httpx_kwargs={"trust_env": False}) for _ in range(2))
        bot = Bot(
            token,
            base_url=fake.url + "/bot",
            base_file_url=fake.url + "/file/bot",
            request=request,
            get_updates_request=polling,
        )
        async with bot:
            return await use(bot)

    return asyncio.run(session())


class LocalTwilio(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's client, led to the fake."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=PATIENCE)
        self.session.trust_env = False
        self.base = base

    def request(self, method: str, url: str, *more: Any, **named: Any) -> Any:
        return super().request(
            method, url.replace("https://api.twilio.com", self.base), *more, **named
        )


def client(fake: Fake, password: str = AUTH) -> Any:
    return Client(ACCOUNT, password, http_client=LocalTwilio(fake.url))


def wait_until(is_done: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# Telegram.


def test_a_message_comes_back_complete(telegram: Fake) -> None:
    keyboard = Keyboard([[InlineKeyboardButton("ຕົກລົງ", callback_data="ok:1")]])

    async def use(bot: Bot) -> None:
        first = await bot.send_message(
            7, "<b>ສະບາຍດີ</b> &amp; hello", "HTML", reply_markup=keyboard
        )
        second = await bot.send_message(7, "again", reply_to_message_id=first.message_id)
        other = await bot.send_message(8, "hello")
        assert (first.message_id, second.message_id, other.message_id) == (1, 2, 1)
        assert first.text == "ສະບາຍດີ & hello"
        assert first.chat.type == "private"
        assert first.reply_markup == keyboard
        assert second.reply_to_message and second.reply_to_message.text == first.text

    with_bot(telegram, use)
    entry = telegram.accepted("sendMessage")[0]
    assert entry["to"] == "7"
    assert entry["fields"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "ok:1"
    assert entry["answer"]["result"]["message_id"] == 1


def test_edits_and_deletions_are_seen(telegram: Fake) -> None:
    async def use(bot: Bot) -> None:
        sent = await bot.send_message(7, "one")
        edited = await bot.edit_message_text("two", 7, sent.message_id)
        assert not isinstance(edited, bool) and edited.edit_date
        with pytest.raises(BadRequest, match="not modified"):
            await bot.edit_message_text("two", 7, sent.message_id)
        assert telegram.get("/_chats/7")[0]["text"] == "two"
        await bot.delete_message(7, sent.message_id)
        with pytest.raises(BadRequest, match="to delete not found"):
            await bot.delete_message(7, sent.message_id)
        with pytest.raises(BadRequest, match="to be replied not found"):
            await bot.send_message(7, "late", reply_to_message_id=sent.message_id)
        assert await bot.delete_message(7, 500_000_001), "a person's own message"

    with_bot(telegram, use)
    assert telegram.get("/_chats/7") == []


@pytest.mark.parametrize(
    ("method", "fields", "complaint"),
    [
        ("sendMessage", {"chat_id": "7"}, "message text is empty"),
        ("sendMessage", {"text": "a"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "7", "text": " \n"}, "message text is empty"),
        ("sendMessage", {"chat_id": "7", "text": "😀" * 2049}, "message is too long"),
        ("sendMessage", {"chat_id": "7", "text": "a", "colour": "red"}, "unknown field colour"),
        ("sendMessage", {"chat_id": "7", "text": 5}, "text is not String"),
        (
            "sendMessage",
            {"chat_id": "7", "text": "a<br>b", "parse_mode": "HTML"},
            'can\'t parse entities: Unsupported start tag "br" at byte offset 1',
        ),
        (
            "sendMessage",
            {"chat_id": "7", "text": "a", "protect_content": "perhaps"},
            "protect_content is not Boolean",
        ),
        ("setMyCommands", {"commands": '[{"command":"Ask","description":"x"}]'}, "BOT_COMMAND"),
        (
            "setMyCommands",
            {"commands": '[{"command":"ask"}]'},
            "commands[0].description is missing",
        ),
        (
            "setMyCommands",
            {"commands": "[]", "scope": '{"type":"chat"}'},
            "scope.chat_id is missing",
        ),
        ("setMyCommands", {"commands": "[]", "language_code": "lao"}, "invalid language code"),
        ("sendChatAction", {"chat_id": "7", "action": "dance"}, "wrong parameter action"),
        ("setWebhook", {"url": "http://bot.example.org"}, "bad webhook: An HTTPS URL"),
        ("editMessageText", {"text": "a"}, "message identifier is not specified"),
        ("sendVoice", {"chat_id": "7", "voice": "5", "caption": "a" * 1025}, "message caption is"),
    ],
)
def test_telegram_contract(method: str, fields: dict[str, Any], complaint: str) -> None:
    complaints = telegram_complaints(method, decode_telegram(method, fields))
    assert len(complaints) == 1
    assert complaints[0].startswith(complaint)


@pytest.mark.parametrize(
    ("button", "complaint"),
    [
        ({"text": "a", "callback_data": "ກ" * 21}, None),
        ({"text": "a", "callback_data": "ກ" * 22}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": " ", "callback_data": "b"}, "button text is empty"),
        ({"text": "a"}, "a button needs exactly one action"),
        ({"text": "a", "callback_data": "b", "tone": 1}, "unknown field reply_markup."),
    ],
)
def test_button_contract(button: dict[str, Any], complaint: str | None) -> None:
    fields = {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[button]]}}
    complaints = telegram_complaints("sendMessage", fields)
    assert len(complaints) == (1 if complaint else 0)
    assert not complaint or complaints[0].startswith(complaint)


def test_markup_is_not_counted_as_text() -> None:
    assert visible_text("<b>a</b> &lt;&nbsp;", "HTML") == "a <&nbsp;"
    fields = {"chat_id": 7, "text": "<b>" + "a" * 4096 + "</b>", "parse_mode": "HTML"}
    assert telegram_complaints("sendMessage", fields) == []
    for wrong in ("<b>a", "a</b>", "<b><i>a</b></i>", "2 < 3"):
        assert telegram_complaints("sendMessage", fields | {"text": wrong}), wrong


def test_telegram_refuses_as_telegram_does(telegram: Fake) -> None:
    telegram.control(any_chat=False, block=[9], wrote=[7], callback_queries=["1"])

    async def use(bot: Bot) -> None:
        await bot.send_message(7, "known")
        assert await bot.answer_callback_query("1", "ok")
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(8, "unknown")
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.send_message(9, "blocked")
        with pytest.raises(BadRequest, match="too old"):
            await bot.answer_callback_query("2")
        with pytest.raises(BadRequest, match="Unknown field"):
            await bot.send_message(7, "a", api_kwargs={"colour": "red"})
        telegram.control(unblock=[9], any_chat=True)
        await bot.send_message(9, "free again")

    with_bot(telegram, use)
    assert telegram.history()[-2]["complaints"] == ["unknown field colour"]
    with pytest.raises(InvalidToken):
        with_bot(telegram, lambda bot: bot.get_me(), token="nonsense")


def test_updates_are_polled_or_pushed_but_not_both(telegram: Fake) -> None:
    phone = TelegramPhone(None)

    async def use(bot: Bot) -> None:
        waiting = asyncio.create_task(bot.get_updates(timeout=60))
        await asyncio.sleep(0.2)
        update = phone.say("/help me")
        telegram.control(updates=[update])
        (received,) = await waiting
        assert received.message and received.message.parse_entities() != {}
        assert await bot.get_updates(offset=update["update_id"] + 1) == ()
        await bot.set_webhook("https://bot.example.org/t", secret_token="s", allowed_updates=[])
        assert (await bot.get_webhook_info()).url == "https://bot.example.org/t"
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert await bot.get_updates() == ()

    with_bot(telegram, use)


def test_a_second_poller_ends_the_first(telegram: Fake) -> None:
    async def use(bot: Bot) -> None:
        first = asyncio.create_task(bot.get_updates(timeout=60))
        while not first.done():  # from the moment when it polls
            await asyncio.sleep(0.1)
            await bot.get_updates(timeout=0)
        with pytest.raises(Conflict, match="only one bot instance"):
            await first

    with_bot(telegram, use)


def test_menus_are_kept_by_scope_and_language(telegram: Fake) -> None:
    async def use(bot: Bot) -> None:
        scope = BotCommandScopeChat(7)
        await bot.set_my_commands([BotCommand("ask", "ຖາມ")], scope, "lo")
        await bot.set_my_commands([BotCommand("ask", "Ask")])
        assert (await bot.get_my_commands(scope, "lo"))[0].description == "ຖາມ"
        assert (await bot.get_my_commands())[0].description == "Ask"
        await bot.delete_my_commands(scope, "lo")
        assert await bot.get_my_commands(scope, "lo") == ()
        assert await bot.set_my_description("ຄຳອະທິບາຍ", "lo")

    with_bot(telegram, use)


def test_files_go_up_and_come_down_unchanged(telegram: Fake) -> None:
    sound = b"OggS\r\n\x00--\xff\r" + bytes(range(256))
    telegram.control(files={"from-a-person": base64.b64encode(b"a photo").decode()})

    async def use(bot: Bot) -> None:
        sent = await bot.send_voice(7, sound, caption="listen", duration=2)
        assert sent.voice and sent.caption == "listen"
        file = await bot.get_file(sent.voice.file_id)
        assert bytes(await file.download_as_bytearray()) == sound
        again = await bot.send_voice(8, sent.voice.file_id)
        assert again.voice and again.voice.file_id == sent.voice.file_id
        file = await bot.get_file("from-a-person")
        assert bytes(await file.download_as_bytearray()) == b"a photo"
        assert (await bot.send_photo(7, b"jpeg")).photo
        assert (await bot.send_document(7, b"pdf", filename="a.pdf")).document
        with pytest.raises(BadRequest, match="Wrong file_id"):
            await bot.get_file("unknown")

    with_bot(telegram, use)


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
def test_failures_follow_the_script(telegram: Fake) -> None:
    telegram.control(
        fail=[
            {"match": {"chat_id": 7}, "status": 429, "retry_after": 3},
            {"match": {"text": "lost"}, "after_accept": True, "delay": 0.1},
            {"match": {"text": "cut"}, "drop_connection": True},
            {"match": {"method": "sendChatAction"}, "times": -1, "status": 502},
        ]
    )

    async def use(bot: Bot) -> None:
        with pytest.raises(RetryAfter) as caught:
            await bot.send_message(7, "too fast")
        assert "Retry in 3" in str(caught.value)
        await bot.send_message(7, "now it goes")
        for text in ("lost", "cut"):
            with pytest.raises(NetworkError):
                await bot.send_message(8, text)
        for _ in range(2):
            with pytest.raises(NetworkError, match="Bad Gateway"):
                await bot.send_chat_action(7, "typing")

    with_bot(telegram, use)
    sends = [entry for entry in telegram.history() if entry["method"] == "sendMessage"]
    assert [(entry["status"], entry["lost"]) for entry in sends] == [
        (429, False),
        (200, False),
        (200, True),
        (0, True),
    ]


def test_json_bodies_may_hold_objects_or_text(telegram: Fake) -> None:
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    for markup in (keyboard, json.dumps(keyboard)):
        body = json.dumps({"chat_id": 7, "text": "a", "reply_markup": markup}).encode()
        assert post_json(telegram, body) == 200
    assert all(one["reply_markup"] == keyboard for one in telegram.get("/_chats/7"))
    assert post_json(telegram, b"{") == 400


def post_json(fake: Fake, body: bytes) -> int:
    return post(f"{fake.url}/bot{TOKEN}/sendMessage", body, {"Content-Type": "application/json"})


def test_what_is_not_faked_is_written_down(telegram: Fake, twilio: Fake) -> None:
    for fake in (telegram, twilio):
        assert post(fake.url + "/v1/Services", b"", {}) == 404
        assert fake.history()[-1]["path"] == "/v1/Services"


def test_controls_are_checked(telegram: Fake) -> None:
    for wrong in ({"any_chats": True}, {"fail": [{"state": 500}]}):
        with pytest.raises(urllib.error.HTTPError):
            telegram.control(**wrong)


# Twilio.


def test_a_whatsapp_message_comes_back_complete(twilio: Fake) -> None:
    sent = client(twilio).messages.create(to=PERSON, from_=SENDER, body="ສະບາຍດີ")
    assert sent.sid.startswith("SM") and len(sent.sid) == 34
    assert (sent.status, sent.direction, sent.error_code) == ("queued", "outbound-api", None)
    assert (sent.body, sent.to, sent.from_) == ("ສະບາຍດີ", PERSON, SENDER)
    assert sent.date_created.tzinfo
    wait_until(lambda: client(twilio).messages(sent.sid).fetch().status == "read")
    (entry,) = twilio.accepted("POST")
    assert (entry["to"], entry["fields"]["Body"]) == (PERSON, "ສະບາຍດີ")


def test_messages_are_listed_emptied_and_deleted(twilio: Fake) -> None:
    messages = client(twilio).messages
    sids = [messages.create(to=PERSON, from_=SENDER, body=str(n)).sid for n in range(5)]
    messages.create(to="whatsapp:LA.12345", from_=SENDER, body="by user id")
    today, tomorrow = (
        time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + days * 86400))
        for days in (0, 1)
    )
    assert [one.sid for one in messages.list(to=PERSON, page_size=2)] == sids[::-1]
    query = urllib.parse.urlencode({"DateSent>": today, "To": PERSON})
    assert len(listed(twilio, query)) == 5
    assert listed(twilio, urllib.parse.urlencode({"DateSent>": tomorrow})) == []
    assert messages(sids[0]).update(body="").body == ""
    assert messages(sids[0]).delete()
    with pytest.raises(TwilioRestException) as caught:
        messages(sids[0]).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


def listed(fake: Fake, query: str) -> list[dict[str, Any]]:
    url = f"{fake.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{query}"
    request = urllib.request.Request(url, headers=basic(ACCOUNT, AUTH))
    with OPENER.open(request) as response:
        found: list[dict[str, Any]] = json.load(response)["messages"]
    return found


def basic(user: str, password: str) -> dict[str, str]:
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Body": "a" * 1600}, None),
        ({"Body": "a" * 1601}, 21617),
        ({"Body": ""}, 21602),
        ({"To": ""}, 21604),
        ({"To": "+8562055512345"}, 21910),
        ({"To": "whatsapp:+nonsense"}, 21211),
        ({"To": "whatsapp:LA.2081978709342942"}, None),
        ({"From": ""}, 21603),
        ({"Colour": "red"}, 20001),
        ({"ValidityPeriod": "soon"}, 20001),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ContentSid": "HX1"}, 21655),
        ({"ContentSid": "HX" + "a" * 32, "ContentVariables": '["a"]'}, 21656),
        ({"ContentSid": "HX" + "a" * 32, "ContentVariables": '{"1":"a"}'}, None),
        ({"MediaUrl": "picture.jpg"}, 21620),
        ({"StatusCallback": "https://my_bot.example.org"}, 21609),
    ],
)
def test_twilio_contract(changed: dict[str, str], code: int | None) -> None:
    form = {"To": PERSON, "From": SENDER, "Body": "a"} | changed
    lists = {name: [value] for name, value in form.items()}
    complaints = twilio_complaints(MESSAGES_PATH, "POST", lists)
    if "From" in changed:
        del lists["From"]
        complaints = twilio_complaints(MESSAGES_PATH, "POST", lists)
    assert [one.code for one in complaints] == ([code] if code else [])


def test_twilio_refuses_as_twilio_does() -> None:
    with Fake("twilio", "--auth-token", AUTH) as fake:
        with pytest.raises(TwilioRestException) as caught:
            client(fake, "wrong").messages.create(to=PERSON, from_=SENDER, body="a")
        assert (caught.value.status, caught.value.code) == (401, 20003)
        with pytest.raises(TwilioRestException) as caught:
            client(fake).messages.create(to=PERSON, from_=SENDER, body="a" * 1601)
        assert (caught.value.status, caught.value.code) == (400, 21617)
        assert fake.history()[-1]["complaints"][0].startswith("21617")
        fake.control(fail=[{"match": {"to": PERSON}, "status": 429, "retry_after": 2}])
        with pytest.raises(TwilioRestException) as caught:
            client(fake).messages.create(to=PERSON, from_=SENDER, body="a")
        assert caught.value.code == 20429
        client(fake).messages.create(to=PERSON, from_=SENDER, body="a")


def test_status_callbacks_are_signed(twilio: Fake, webhook: tuple[str, Posts]) -> None:
    address, posts = webhook
    twilio.control(deliver_callbacks_to=address, callback_shuffle=True, callback_repeat=2)
    public = "https://bot.example.org/status?id=5"
    sent = client(twilio).messages.create(
        to=PERSON, from_=SENDER, body="a", status_callback=public + "#rc=3"
    )
    wait_until(lambda: len(posts) == 6)
    statuses = []
    for one in posts:
        assert one["path"] == "/status?id=5"
        form = dict(urllib.parse.parse_qsl(one["body"].decode(), keep_blank_values=True))
        signature = one["headers"]["X-Twilio-Signature"]
        assert RequestValidator(AUTH).validate(public, form, signature)
        assert form["MessageSid"] == sent.sid
        statuses.append(form["MessageStatus"])
    ranked = ["sent", "sent", "delivered", "delivered", "read", "read"]
    assert sorted(statuses, key=ranked.index) == ranked != statuses


def test_the_window_closes_after_a_day(twilio: Fake) -> None:
    template = "HX" + "a" * 32
    twilio.control(window=True, templates={template: "Hello {{1}}"})
    phone = WhatsAppPhone(PUBLIC, None, AUTH, ACCOUNT, SENDER, PERSON, provider_url=twilio.url)
    common = {"to": PERSON, "from_": SENDER, "status_callback": "https://bot.example.org/s"}
    messages = client(twilio).messages
    phone.say("hello")
    messages.create(body="in time", **common)
    twilio.control(clock_offset=25 * 3600)
    messages.create(body="too late", **common)
    named = messages.create(content_sid=template, content_variables='{"1": "Noy"}', **common)
    assert named.body == "Hello Noy"
    wait_until(lambda: len(twilio.get("/_callbacks")) == 7)
    failed = [one["fields"] for one in twilio.get("/_callbacks") if "ErrorCode" in one["fields"]]
    assert [(one["MessageStatus"], one["ErrorCode"]) for one in failed] == [("failed", "63016")]


def test_late_failures_and_early_callbacks(twilio: Fake) -> None:
    twilio.control(
        fail_later=[{"match": {"to": PERSON}, "error_code": 63024, "status": "undelivered"}],
        callbacks_first=True,
    )
    common = {"from_": SENDER, "body": "a", "status_callback": "https://bot.example.org/s"}
    sent = client(twilio).messages.create(to=PERSON, **common)
    (callback,) = twilio.get("/_callbacks")
    assert callback["fields"]["ErrorCode"] == "63024"
    assert client(twilio).messages(sent.sid).fetch().error_code == 63024


def test_media_are_fetched_with_the_password_and_deleted(twilio: Fake) -> None:
    phone = WhatsAppPhone(PUBLIC, None, AUTH, ACCOUNT, SENDER, PERSON, provider_url=twilio.url)
    form = dict(phone.voice())
    path = form["MediaUrl0"].removeprefix("https://api.twilio.com")
    content = base64.b64encode(b"OggS").decode()
    media_sid = path.rsplit("/", 1)[1]
    twilio.control(media={media_sid: {"content_type": "audio/ogg", "base64": content}})
    with pytest.raises(urllib.error.HTTPError):
        OPENER.open(twilio.url + path)
    request = urllib.request.Request(twilio.url + path, headers=basic(ACCOUNT, AUTH))
    with OPENER.open(request) as response:
        assert response.read() == b"OggS"
    message = client(twilio).messages(form["MessageSid"])
    assert [one.sid for one in message.media.list()] == [media_sid]
    assert message.media(media_sid).delete()
    assert message.media.list() == []
    assert message.delete()


# Phones.


def test_signature_vectors() -> None:
    file = CONTRACTS / "payloads" / "twilio_signature_vectors.json"
    single, repeated = json.loads(file.read_text(encoding="utf-8"))["payload"]
    token, url = single["auth_token"], single["url"]
    phone = WhatsAppPhone(url + "#rc=2", None, token, ACCOUNT, SENDER, PERSON)
    assert phone.signature(list(single["params"].items())) == single["signature"]
    # Names given twice, as our webhook may meet them; phones never build such forms.
    form = ImmutableMultiDict([(name, value) for name, value in repeated["params_list"]])
    assert RequestValidator(token).validate(url, form, repeated["signature"])


def test_telegram_phone_builds_what_the_library_reads(telegram: Fake) -> None:
    phone = TelegramPhone(None, first_name="Noy", username="noy", provider_url=telegram.url)
    said = phone.say("😀 /help")
    built = [
        said,
        phone.start("code-1"),
        phone.reply("yes", 1, "question?"),
        phone.tap("ok:1", 1),
        phone.voice(),
        phone.photo("caption"),
        phone.sticker(),
        phone.forward("news"),
        phone.edit(said["message"]["message_id"], "other"),
        phone.block(),
        phone.unblock(),
    ]
    updates = [Update.de_json(json.loads(json.dumps(one)), None) for one in built]
    numbers = [one.update_id for one in updates]
    assert numbers == sorted(set(numbers))
    assert all(one.effective_user and one.effective_user.id == 10_001 for one in updates)
    assert said["message"]["entities"] == [{"type": "bot_command", "offset": 3, "length": 5}]
    assert updates[1].message and updates[1].message.text == "/start code-1"
    assert updates[3].callback_query and updates[3].callback_query.data == "ok:1"
    assert not any(thing.api_kwargs for thing in updates)


def test_phones_post_twice_when_told(webhook: tuple[str, Posts]) -> None:
    address, posts = webhook
    telegram = TelegramPhone(address + "/telegram", "secret")
    update = telegram.say("hello", repeat=2)
    assert telegram.answers == [204, 204]
    assert json.loads(posts[0]["body"]) == json.loads(posts[1]["body"]) == update
    assert posts[0]["headers"]["X-Telegram-Bot-Api-Secret-Token"] == "secret"


def test_whatsapp_phone_signs_complete_forms(webhook: tuple[str, Posts]) -> None:
    address, posts = webhook
    phone = WhatsAppPhone(PUBLIC, address, AUTH, ACCOUNT, SENDER, PERSON, profile_name="ນ້ອຍ")
    guest = WhatsAppPhone(PUBLIC, address, AUTH, ACCOUNT, SENDER, user_id="LA.123")
    built = [
        phone.say("ສະບາຍດີ"),
        phone.reply("yes", "SM1"),
        phone.button("Yes", "ok:1", "SM1"),
        phone.voice(),
        phone.photo("caption"),
        phone.location(17.97, 102.6),
        guest.say(""),
    ]
    for form, posted in zip(built, posts, strict=True):
        received = urllib.parse.parse_qsl(posted["body"].decode(), keep_blank_values=True)
        assert received == form
        signature = posted["headers"]["X-Twilio-Signature"]
        assert RequestValidator(AUTH).validate(PUBLIC, dict(form), signature)
        assert posted["path"] == "/webhooks/whatsapp?from=twilio"
    assert dict(built[0])["WaId"] == "8562055512345"
    assert dict(built[6])["From"] == "whatsapp:LA.123"
    assert "WaId" not in dict(built[6])


# The process.


def test_the_history_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    with Fake("telegram", "--history", str(file), "--fast") as fake:
        with_bot(fake, lambda bot: bot.send_message(7, "hello"))
        fake.wait_for(2)
        assert fake.get("/_healthz") == {"requests": 2, "accepted": 2}
        fake.clear()
        assert fake.history() == []
    entries = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [entry["method"] for entry in entries] == ["getMe", "sendMessage"]
    assert "fields" not in entries[1]
    assert entries[1]["to"] == "7"


def test_no_fake_outlives_its_parent() -> None:
    script = (
        "import time; from tests.fakes.process import Fake; fake = Fake('telegram'); fake.start();"
        " print(fake.url, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.kill()
    wait_until(lambda: not answers(url))


def answers(url: str) -> bool:
    try:
        with OPENER.open(url + "/_healthz"):
            return True
    except OSError:
        return False


def send(telegram: Fake, chat_id: int) -> int:
    """The status of a message."""
    body = json.dumps({"chat_id": chat_id, "text": "x"}).encode()
    headers = {"Content-Type": "application/json"}
    return post(f"{telegram.url}/bot{TOKEN}/sendMessage", body, headers)


def test_a_share_of_the_calls_fails_by_seed(telegram: Fake) -> None:
    def statuses() -> list[int]:
        rule = {"match": {"method": "sendMessage"}, "times": -1, "share": 0.5, "status": 500}
        telegram.reset()
        telegram.control(seed=3, fail=[rule])
        return [send(telegram, 5) for _ in range(12)]

    first = statuses()
    assert set(first) == {200, 500}
    assert statuses() == first


def test_a_wait_for_the_whole_account(telegram: Fake) -> None:
    rule = {"match": {"chat_id": "5"}, "status": 429, "retry_after": 1, "whole": True}
    telegram.control(fail=[rule])
    assert [send(telegram, chat_id) for chat_id in (5, 6)] == [429, 429]
    told = telegram.history()
    assert all(each["retry_after"] == 1 and each["whole"] for each in told)
    time.sleep(1.05)
    assert send(telegram, 6) == 200
    assert telegram.history()[-1]["came"] >= told[0]["at"] + 1
