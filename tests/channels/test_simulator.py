"""The simulator: phones on a page, a channel like the others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bot.channels import Forbidden, Gone, Rejected, TryLater, Unusable, WindowClosed, simulator
from bot.channels.simulator import FILES, LOOKS, Phones, Simulator
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.messages import Button, Inbound, Media, Menu, Retract, Say, Tap
from bot.rehearsal import phones as shelf
from bot.rehearsal.phones import KEPT, Kept
from bot.settings import Settings

JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> Phones:
    found = Phones()
    monkeypatch.setattr(simulator, "phones", lambda: found)
    return found


def receive(headers: dict[str, str] = JSON, **sent: Any) -> Inbound:
    [found] = Simulator("telegram").receive("", headers, json.dumps(sent).encode())
    assert isinstance(found, Inbound)
    return found


def say(channel: Simulator, message: Any) -> Any:
    return asyncio.run(channel.send(message))


def test_only_in_development() -> None:
    development = Settings(_env_file=None)  # type: ignore[call-arg]
    assert [each.lane for each in Simulator.from_settings(development)] == [
        f"simulator/{look}" for look in LOOKS
    ]


def test_the_looks_have_the_limits_of_the_real_ones() -> None:
    """But for haste; and a phone of ours is handed its files."""
    unhurried: dict[str, Any] = dict.fromkeys(("rate", "chat_rate", "group_rate", "groups"))
    unhurried["fetches"] = False
    real = {"telegram": Telegram.limits, "whatsapp": WhatsApp.limits}
    assert {look: replace(limits, **unhurried) for look, limits in real.items()} == LOOKS


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_a_foreign_page(phones: Phones, kind: str) -> None:
    with pytest.raises(Forbidden):
        receive({"content-type": kind}, phone="noy", text="x")
    with pytest.raises(Forbidden):
        receive({}, phone="noy", text="x")


def test_text(phones: Phones) -> None:
    found = receive(phone="noy", text="ສະບາຍດີ", key="0123456789abcdef", reply_to="noy/t1")
    assert (found.lane, found.key) == ("simulator/whatsapp", "0123456789abcdef")
    assert (found.text, found.sender, found.language) == ("ສະບາຍດີ", ("noy",), "lo")
    assert (found.reply_to, found.id) == ("noy/t1", "noy/0123456789abcdef")


@pytest.mark.parametrize("key", ["", "x" * 16, "0" * 15, "0" * 17, None])
def test_a_key_that_is_none_gets_one(phones: Phones, key: Any) -> None:
    first, second = (receive(phone="noy", text="x", key=key).key for _ in range(2))
    assert first != second
    assert key != first


@pytest.mark.parametrize("kind", FILES)
def test_files(phones: Phones, kind: str) -> None:
    assert [each.kind for each in receive(phone="noy", file=kind).files] == [kind]


def test_a_file_of_no_kind(phones: Phones) -> None:
    assert receive(phone="noy", file="virus").files == ()


def test_said_shown_and_tapped(phones: Phones) -> None:
    channel = Simulator("telegram")
    buttons = (Button("Yes", "abc_-9.0"), Button("No", "abc_-9.1"))
    id_ = say(channel, Say("dara", "Shall I?", "t1", buttons, "dara/x"))
    [bubble] = phones.all["dara"].bubbles
    assert (bubble.id, bubble.text, bubble.mine) == (id_, "Shall I?", False)
    assert bubble.reply_to == "dara/x"
    found = receive(phone="dara", bubble=id_, button=1)
    assert (found.kind, found.tap, found.text) == ("tap", Tap("abc_-9", 1), "")


@pytest.mark.parametrize(
    "sent",
    [
        {"phone": "nobody", "text": "x"},
        {"text": "x"},
        {"phone": ["noy"], "text": "x"},
        {"phone": "noy", "bubble": "none", "button": 0},
        {"phone": "noy", "button": 0},
        {"phone": "noy", "bubble": "b", "button": 7},
        {"phone": "noy", "bubble": "b", "button": None},
        {"phone": "noy", "bubble": "b", "button": "first"},
        {"phone": "noy", "membership": "leaves"},
        {"phone": "noy", "sent": "none"},
        {"phone": "noy", "sent": None},
        {"phone": "noy", "sent": ["none"]},
        {"phone": "noy", "edit": "b", "text": "not hers"},
        {"phone": "noy", "edit": "none", "text": "x"},
    ],
)
def test_what_no_page_sends(phones: Phones, sent: dict[str, Any]) -> None:
    phones.all["noy"].bubbles.append(simulator.Bubble("b", False, "?", "", [("Yes", "t.0")]))
    with pytest.raises(Unusable):
        receive(**sent)


def test_what_she_wrote_is_shown_once_it_is_saved(phones: Phones) -> None:
    found = receive(phone="noy", text="hello", key="0123456789abcdef")
    assert phones.all["noy"].bubbles == []
    for _ in range(2):
        asyncio.run(Simulator("whatsapp").acknowledge(found))
    [bubble] = phones.all["noy"].bubbles
    assert (bubble.text, bubble.mine) == ("hello", True)


def test_the_menu(phones: Phones) -> None:
    assert say(Simulator("telegram"), Menu("dara", "t", "km", (("help", "x"),))) is None
    assert phones.all["dara"].commands == [("help", "x")]


def test_a_phone_that_is_no_more(phones: Phones) -> None:
    with pytest.raises(Rejected):
        say(Simulator("telegram"), Say("gone", "x", "t"))


def test_a_phone_forgets_what_is_long_ago(phones: Phones) -> None:
    channel = Simulator("telegram")
    for number in range(KEPT + 5):
        say(channel, Say("dara", f"{number}", f"t{number}"))
    shown = [each.text for each in phones.all["dara"].bubbles]
    assert len(shown) == KEPT
    assert shown[-1] == f"{KEPT + 4}"


def test_every_open_page_is_told(phones: Phones) -> None:
    async def play() -> list[Any]:
        pages = [phones.events(), phones.events()]
        seen = [[await anext(page)] for page in pages]
        phones.add("Bo", "telegram", "en")
        for page, events in zip(pages, seen, strict=True):
            events.append((await anext(page))["event"])
        phones.close()
        return seen + [[event async for event in page] for page in pages]

    assert asyncio.run(play()) == [[{}, "phone"], [{}, "phone"], [], []]


def wrote(channel: Simulator, **sent: Any) -> Inbound:
    found = receive(**sent)
    asyncio.run(channel.acknowledge(found))
    return found


def test_what_is_edited_looks_different(phones: Phones) -> None:
    channel = Simulator("telegram")
    first = wrote(channel, phone="dara", text="ten baskets")
    edited = wrote(channel, phone="dara", edit=first.id, text="twelve baskets")
    assert (edited.kind, edited.id, edited.text) == ("edit", first.id, "twelve baskets")
    [bubble] = phones.all["dara"].bubbles
    assert (bubble.text, bubble.edited) == ("twelve baskets", True)


def test_what_is_forwarded_says_so(phones: Phones) -> None:
    found = wrote(Simulator("telegram"), phone="dara", text="ten", forwarded=True)
    assert found.forwarded
    assert phones.all["dara"].bubbles[0].forwarded


@pytest.mark.parametrize(("does", "kind"), [("blocks", "blocked"), ("unblocks", "unblocked")])
def test_who_blocks_the_bot(does: str, kind: str, phones: Phones) -> None:
    found = wrote(Simulator("telegram"), phone="dara", membership=does)
    assert (found.kind, found.sender, found.text) == (kind, ("dara",), "")
    assert phones.all["dara"].bubbles == []


def test_a_picture(phones: Phones) -> None:
    id_ = say(
        Simulator("telegram"), Media("dara", "Show this", "t1", "photo", "photo.jpg", b"\xff\xd8")
    )
    [bubble] = phones.all["dara"].bubbles
    assert (bubble.id, bubble.text) == (id_, "Show this")
    assert bubble.media is not None
    assert (bubble.media["kind"], bubble.media["name"]) == ("photo", "photo.jpg")
    key = bubble.media["at"].split("/")[-2]
    assert phones.files[key] == Kept("photo", "photo.jpg", "image/jpeg", b"\xff\xd8")


def test_a_file_of_her_own(phones: Phones) -> None:
    """It is what was handed over, on her own phone too, and no sample of its kind."""
    channel = Simulator("whatsapp")
    key = phones.put_away(Kept("voice", "voice", "audio/webm", b"words"))
    found = wrote(channel, phone="noy", file="photo", sent=key)
    [file] = found.files
    assert (file.kind, file.reference) == ("voice", f"simulator/sent/{key}")
    assert asyncio.run(channel.fetch(file.reference, 5)) == b"words"
    with pytest.raises(Rejected):
        asyncio.run(channel.fetch(file.reference, 4))
    [bubble] = phones.all["noy"].bubbles
    assert (bubble.file, bubble.media) == ("voice", phones.media(key))
    assert [(fact.verb, fact.words) for fact in phones.journal] == [("sends", "voice")]


def test_the_oldest_files_make_room(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEPT_BYTES", 25)
    first, second, third = (
        phones.put_away(Kept("voice", "voice", "audio/webm", b"x" * 10)) for _ in range(3)
    )
    assert list(phones.files) == [second, third]
    with pytest.raises(Gone):
        asyncio.run(Simulator("whatsapp").fetch(f"simulator/sent/{first}", 10))
    assert phones.media(first) is None


def test_what_is_taken_back_is_gone(phones: Phones) -> None:
    channel = Simulator("telegram")
    hers = wrote(channel, phone="dara", text="hello").id
    ours = say(channel, Say("dara", "Hello!", "t1"))
    kept = say(channel, Say("dara", "And?", "t2"))
    assert say(channel, Retract("dara", "t3", (str(hers), ours, "long-gone"))) is None
    assert [each.id for each in phones.all["dara"].bubbles] == [kept]


@pytest.mark.parametrize(
    ("provider", "error"), [("blocked", Gone), ("window", WindowClosed), ("busy", TryLater)]
)
def test_a_provider_that_fails(provider: str, error: type[Exception], phones: Phones) -> None:
    phones.all["dara"].provider = provider
    for message in (Say("dara", "x", "t"), Media("dara", "x", "t", "photo", "photo.jpg")):
        with pytest.raises(error):
            say(Simulator("telegram"), message)
    assert phones.all["dara"].bubbles == []
    assert say(Simulator("telegram"), Say("alex", "x", "t")) is not None
    phones.all["dara"].provider = "works"
    assert say(Simulator("telegram"), Say("dara", "x", "t")) is not None


def test_a_provider_that_is_slow(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(simulator.asyncio, "sleep", sleep)
    phones.all["dara"].provider = "slow"
    assert say(Simulator("telegram"), Say("dara", "x", "t")) is not None
    assert waited == [simulator.SLOW]


def test_the_journal_knows_each_thing_once(phones: Phones) -> None:
    channel = Simulator("telegram")
    id_ = say(channel, Say("dara", "Shall I?", "t1", (Button("Yes", "abc.0"),)))
    found = receive(phone="dara", bubble=id_, button=0, key="0123456789abcdef")
    for _ in range(2):
        asyncio.run(channel.acknowledge(found))
    wrote(channel, phone="dara", text="hello")
    told = [(each.verb, each.words, each.bubble == id_) for each in phones.journal]
    expected = [("hears", "Shall I?", True), ("taps", "Yes", True), ("says", "hello", False)]
    assert told == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Noy", "Noy"), ("Alex", "Alex 2"), ("", "Phone"), ("a > [b]\n|", "a b"), ("[", "Phone")],
)
def test_names_are_told_apart(name: str, shown: str, phones: Phones) -> None:
    assert phones.add(name, "telegram", "en").name == shown
