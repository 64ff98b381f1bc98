"""What every channel keeps to, whichever provider is behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import channels as folder
from bot.app import _modules, list_channels
from bot.channels import (
    Channel,
    Forbidden,
    Rejected,
    SendError,
    TryLater,
    Unknown,
    Unusable,
    simulator,
)
from bot.channels.simulator import Phones, Simulator
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.messages import Button, Inbound, Media, Menu, Outbound, Receipt, Retract, Say
from bot.settings import Settings
from tests.channels import HOOK, Wire, form, from_telegram, on_wire, sign, telegram, whatsapp

# JSON and forms as nobody would send them; not all of it fits into a database, so it must not pass.
NUMBERS = st.integers() | st.floats() | st.integers(min_value=10**15, max_value=10**30)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
CHAT = st.fixed_dictionaries({"id": NUMBERS, "type": st.sampled_from(["private", "group", "x"])})
USER = st.fixed_dictionaries({"id": NUMBERS, "is_bot": st.booleans(), "first_name": SCALARS})
MESSAGE_FIELDS = ["text", "caption", "photo", "voice", "contact", "location", "reply_to_message"]
MESSAGE = st.builds(
    lambda whole, more: whole | more,
    st.fixed_dictionaries(
        {"message_id": NUMBERS, "date": st.integers(0, 2**31), "chat": CHAT, "from": USER}
    ),
    st.dictionaries(st.sampled_from(MESSAGE_FIELDS), JSON, max_size=3),
)
UPDATE = st.fixed_dictionaries(
    {"update_id": SCALARS},
    optional={
        "message": MESSAGE | JSON,
        "edited_message": MESSAGE | JSON,
        "callback_query": JSON,
        "my_chat_member": JSON,
    },
)
PAGE = st.fixed_dictionaries(
    {"phone": st.sampled_from(["noy", "nobody"]) | JSON},
    optional={
        name: st.sampled_from(["0", "b1", "voice"]) | SCALARS
        for name in ("text", "file", "reply_to", "bubble", "button", "key")
    },
)
FORM_NAMES = [
    "MessageSid", "SmsSid", "From", "ExternalUserId", "Body", "NumMedia", "MediaUrl0",
    "MediaContentType0", "Latitude", "Longitude", "ButtonPayload", "ListId", "MessageStatus",
    "SmsStatus", "ErrorCode", "Forwarded", "MessageType",
]  # fmt: skip
FORM = st.lists(st.tuples(st.sampled_from(FORM_NAMES) | st.text(), st.text()), max_size=8)


@dataclass(frozen=True)
class Door:
    """How a test comes in by a channel as its provider would."""

    make: Callable[[], Channel]
    headers: Callable[[bytes], dict[str, str]]
    url: str
    bodies: st.SearchStrategy[bytes]
    usable: bytes  # a body that says "hello"


def _json(values: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return values.map(lambda value: json.dumps(value).encode())


def _hello() -> bytes:
    person = {"id": 5, "is_bot": False, "first_name": "Noy"}
    message = {"message_id": 1, "date": 1, "from": person, "chat": {"id": 5, "type": "private"}}
    return json.dumps({"update_id": 1, "message": message | {"text": "hello"}}).encode()


DOORS: dict[type, Door] = {
    Telegram: Door(
        telegram,
        lambda _body: from_telegram(),
        "/webhooks/telegram",
        _json(UPDATE | JSON) | st.binary(),
        _hello(),
    ),
    WhatsApp: Door(
        whatsapp,
        sign,
        HOOK,
        FORM.map(form),
        form({"MessageSid": "SM1", "From": "whatsapp:+85620", "Body": "hello"}),
    ),
    Simulator: Door(
        lambda: Simulator("telegram"),
        lambda _body: {"content-type": "application/json"},
        "/webhooks/simulator",
        _json(PAGE | JSON) | st.binary(),
        json.dumps({"phone": "noy", "text": "hello"}).encode(),
    ),
}


def _classes() -> list[type]:
    found = []
    for module in _modules(folder):
        own = [each for each in vars(module).values() if isinstance(each, type)]
        found += [e for e in own if e.__module__ == module.__name__ and "from_settings" in vars(e)]
    return found


CLASSES = _classes()
every_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


@pytest.fixture(autouse=True)
def _own_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones()
    monkeypatch.setattr("bot.channels.simulator.phones", lambda: phones)


def test_every_file_in_the_folder_has_a_channel() -> None:
    assert len(CLASSES) == len(_modules(folder)) >= 3


@every_class
def test_every_channel_is_tested_here(kind: type) -> None:
    assert kind in DOORS, f"add a door for {kind.__name__} to tests/channels/test_contract.py"


@every_class
def test_name_and_lane(kind: type) -> None:
    channel = DOORS[kind].make()
    assert re.fullmatch(r"[a-z]+", channel.name)
    assert kind.__module__ == f"bot.channels.{channel.name}"
    assert channel.lane.startswith(f"{channel.name}/")
    assert len(channel.lane) <= 40, "the column holds 40 signs"
    assert DOORS[kind].make().lane == channel.lane, "a lane keeps its name over a restart"


@every_class
def test_limits_are_sane(kind: type) -> None:
    limits = DOORS[kind].make().limits
    assert 1000 <= limits.text <= 4096
    assert 0 <= limits.buttons <= 100
    assert limits.label >= 20, "labels are written for 20 characters"
    assert limits.window is None or limits.window.total_seconds() > 3600


@every_class
def test_without_settings_there_is_none(kind: Any) -> None:
    bare = Settings(_env_file=None, linkline_env="production", linkline_keys=_key())  # type: ignore[call-arg]
    assert kind.from_settings(bare) == []


def _key() -> str:
    return "A" * 43 + "="


def test_with_all_settings_there_is_one_of_each_lane() -> None:
    full = Settings(  # type: ignore[call-arg]
        _env_file=None,
        public_url="https://bot.example.org",
        telegram_bot_token="123456:AAtest-token",
        telegram_webhook_secret="word",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="token",
        twilio_whatsapp_from="whatsapp:+14155238886",
    )
    found = list_channels(full)
    lanes = [each.lane for each in found]
    assert len(set(lanes)) == len(lanes)
    assert {type(each) for each in found} == set(CLASSES)


@every_class
def test_a_genuine_call_is_taken(kind: type) -> None:
    door = DOORS[kind]
    [inbound] = door.make().receive(door.url, door.headers(door.usable), door.usable)
    assert isinstance(inbound, Inbound)
    assert (inbound.kind, inbound.text) == ("message", "hello")
    assert inbound.lane == door.make().lane or inbound.lane.startswith("simulator/")
    assert inbound.sender
    assert inbound.key


@every_class
def test_the_same_call_has_the_same_key(kind: type) -> None:
    if kind is Simulator:
        pytest.skip("the page gives the key, see test_simulator.py")
    door = DOORS[kind]
    keys = {
        door.make().receive(door.url, door.headers(door.usable), door.usable)[0].key  # type: ignore[union-attr]
        for _ in range(2)
    }
    assert len(keys) == 1


@every_class
@given(body=st.binary(max_size=60), name=st.text(max_size=20), value=st.text(max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_foreign_call_is_forbidden(kind: type, body: bytes, name: str, value: str) -> None:
    door = DOORS[kind]
    for sent in (body, door.usable):
        with pytest.raises(Forbidden):
            door.make().receive(door.url, {name: value}, sent)


@every_class
@pytest.mark.parametrize("value", ["", "x", "ຂ", "\xff", "a" * 300])
def test_a_wrong_proof_is_forbidden(kind: type, value: str) -> None:
    door = DOORS[kind]
    headers = {name: value for name in door.headers(door.usable)}
    with pytest.raises(Forbidden):
        door.make().receive(door.url, headers, door.usable)


@every_class
@given(data=st.data())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_genuine_body_is_usable_or_unusable(kind: type, data: st.DataObject) -> None:
    door = DOORS[kind]
    body = data.draw(door.bodies)
    try:
        events = door.make().receive(door.url, door.headers(body), body)
    except (Unusable, Forbidden):
        return
    for event in events:
        assert isinstance(event, Inbound | Receipt)
        assert isinstance(event, Receipt) or all(isinstance(each, str) for each in event.sender)


@every_class
def test_a_body_that_nests_without_end(kind: type) -> None:
    door = DOORS[kind]
    body = b"[" * 100_000
    with pytest.raises((Unusable, Forbidden)):
        door.make().receive(door.url, door.headers(body), body)


DIGITS = "9" * 5000
HUGE = [
    (Telegram, {"update_id": 1, "message": {"message_id": 1, "date": 10**20, "text": "x"}}),
    (Telegram, {"update_id": 1, "message": {"message_id": 1, "date": 1e400, "text": "x"}}),
    (WhatsApp, {"ButtonPayload": f"token.{DIGITS}"}),
    (WhatsApp, {"NumMedia": DIGITS}),
    (WhatsApp, {"MessageStatus": "failed", "ErrorCode": DIGITS}),
    (Simulator, {"phone": "noy", "bubble": "b1", "button": 1e400}),
    (Simulator, {"phone": "noy", "bubble": "b1", "button": DIGITS}),
]


@pytest.mark.parametrize(("kind", "sent"), HUGE)
def test_numbers_beyond_all_measure(kind: type, sent: dict[str, Any]) -> None:
    door = DOORS[kind]
    channel = door.make()
    if kind is WhatsApp:
        body = form({"MessageSid": "SM1", "From": "whatsapp:+85620", "Body": "x"} | sent)
    else:
        _show_a_button()
        hello = json.loads(_hello())["message"]
        if "message" in sent:
            sent = sent | {"message": hello | sent["message"]}
        body = json.dumps(sent).encode()
    with contextlib.suppress(Unusable):
        channel.receive(door.url, door.headers(body), body)


def _show_a_button() -> None:
    simulator.phones().all["noy"].bubbles.append(
        simulator.Bubble("b1", False, "?", "", [("Yes", "token.0")])
    )


# Sending -----------------------------------------------------------------------------------------

SAID = Say("5", "hello", "token", (Button("Yes", "abc.0"),))
MENU = Menu("5", "token", "lo", (("help", "Help"),))
PICTURE = Media("5", "a caption", "token", "photo", "photo.jpg", b"\xff\xd8")
RETRACT = Retract("5", "token", ("5/7", "5/8"))
OTHERS = [MENU, PICTURE, RETRACT]
each_other = pytest.mark.parametrize("message", OTHERS, ids=["menu", "picture", "retract"])
BODIES = [
    b"", b"<html>Bad Gateway</html>", b"null", b"[]", b'"x"', b"{}", b'{"code": null}',
    b'{"code": "x"}', b'{"ok": false, "error_code": 7, "description": null}', b"\xff\xfe",
    b'{"code": 21610, "message": "no", "more_info": "x", "status": 400}',
    b'{"type": "t", "title": "t", "status": 500, "code": 20500}',
    b'{"ok": false, "parameters": {"retry_after": 3}, "description": "Too Many Requests"}',
    b'{"ok": false, "parameters": {"migrate_to_chat_id": -100}, "description": "upgraded"}',
]  # fmt: skip
STATUSES = [400, 401, 403, 404, 409, 413, 418, 429, 500, 502, 503, 504, 599]
BREAKS = [
    TimeoutError(),
    aiohttp.ServerTimeoutError(),
    aiohttp.ConnectionTimeoutError(),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "reset"),
    aiohttp.ClientPayloadError(),
    aiohttp.InvalidURL("x"),
    ConnectionResetError(),
]


async def _outcome(kind: type, wire: Wire, message: Outbound) -> BaseException | None:
    try:
        if kind is WhatsApp:
            await (await on_wire(whatsapp(), wire)).send(message)
        else:
            await telegram(wire).send(message)
    except BaseException as error:
        return error
    return None


def _cases(bodies: list[bytes]) -> list[Any]:
    """Each body for each provider."""
    return [
        pytest.param(kind, body, id=f"{kind.__name__}-{body.decode(errors='replace')[:30]}")
        for kind in (Telegram, WhatsApp)
        for body in bodies
    ]


@pytest.mark.parametrize(("kind", "body"), _cases(BODIES))
def test_every_refusal_is_a_send_error(kind: type, body: bytes) -> None:
    for status in STATUSES:
        error = asyncio.run(_outcome(kind, Wire((status, body)), SAID))
        assert isinstance(error, SendError), (status, repr(error))
        assert error.code


@pytest.mark.parametrize(("kind", "body"), _cases(BODIES))
@each_other
def test_every_other_refusal_is_a_send_error(kind: type, body: bytes, message: Outbound) -> None:
    for status in STATUSES:
        error = asyncio.run(_outcome(kind, Wire((status, body)), message))
        assert isinstance(error, SendError), (status, repr(error))
        assert error.code


@pytest.mark.parametrize("kind", [Telegram, WhatsApp])
@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("message", [SAID, *OTHERS], ids=["say", "menu", "picture", "retract"])
def test_every_break_of_the_line_is_a_send_error(
    kind: type, broken: Exception, message: Outbound
) -> None:
    error = asyncio.run(_outcome(kind, Wire(broken), message))
    assert isinstance(error, SendError), repr(error)


@pytest.mark.parametrize(("kind", "body"), _cases(BODIES[:5]))
@pytest.mark.parametrize("message", [SAID, PICTURE], ids=["say", "picture"])
def test_a_success_that_cannot_be_read(kind: type, body: bytes, message: Outbound) -> None:
    error = asyncio.run(_outcome(kind, Wire((200 if kind is Telegram else 201, body)), message))
    assert error is None or isinstance(error, Unknown), repr(error)


@pytest.mark.parametrize("kind", [Telegram, WhatsApp])
def test_what_never_left_is_tried_later(kind: type) -> None:
    """An Unknown is repeated once only: a dead line would lose what was said meanwhile."""
    error = asyncio.run(_outcome(kind, Wire(aiohttp.ConnectionTimeoutError()), SAID))
    assert isinstance(error, TryLater), repr(error)


@pytest.mark.parametrize("message", [SAID, *OTHERS], ids=["say", "menu", "picture", "retract"])
def test_a_phone_that_is_no_more(message: Outbound) -> None:
    with pytest.raises(Rejected):
        asyncio.run(Simulator("telegram").send(message))


@every_class
def test_what_limits_promise_is_kept(kind: type) -> None:
    """A channel refuses, before anything leaves, what its limits say that it cannot do."""
    limits = DOORS[kind].make().limits
    if kind is Simulator:
        pytest.skip("its limits are those of the look, see test_simulator.py")
    for message, promised in ((MENU, limits.commands), (RETRACT, limits.retract is not None)):
        wire = Wire((200, b'{"ok": true, "result": true}'))
        error = asyncio.run(_outcome(kind, wire, message))
        assert (error is None) == promised, repr(error)
        assert bool(wire.asked) == promised
