"""Telegram: updates as they come, what is sent and how, its errors in our closed list."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import test_utils, web
from sqlalchemy import select
from structlog.testing import capture_logs

from bot import models, qr
from bot.channels import Forbidden, Gone, Moved, Rejected, SendError, TryLater, Unknown, Unusable
from bot.channels.telegram import UPDATES, Telegram, errors, transport
from bot.messages import Button, Inbound, Media, Menu, Retract, Say, Tap
from bot.store import meeting
from tests.channels import PUBLIC, SECRET, TOKEN, Line, Wire, answer, from_telegram, telegram
from tests.fakes import contract
from tests.fakes.phones import TelegramPhone
from tests.stage import Stage

PAYLOADS = sorted((Path(__file__).parents[1] / "contracts" / "payloads").glob("tg*.json"))
SAID = Say("5", "hello", "token")
SENT = answer(
    200, ok=True, result={"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}}
)


@pytest.fixture
def phone() -> TelegramPhone:
    return TelegramPhone(None, SECRET, 5, "Noy", "lo")


def receive(update: Any) -> Inbound:
    body = json.dumps(update).encode()
    [found] = telegram().receive("/webhooks/telegram", from_telegram(), body)
    assert isinstance(found, Inbound)
    return found


def unusable(update: Any) -> Unusable:
    with pytest.raises(Unusable) as caught:
        receive(update)
    return caught.value


# In ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_captured_updates(path: Path) -> None:
    update = json.loads(path.read_text(encoding="utf-8"))["payload"]
    try:
        found = receive(update)
    except Unusable as error:
        assert error.key == str(update["update_id"])
        assert error.reason
    else:
        assert found.key == str(update["update_id"])
        assert found.lane == "telegram/123456"


def test_of_the_captured_updates_enough_are_usable() -> None:
    usable = []
    for path in PAYLOADS:
        update = json.loads(path.read_text(encoding="utf-8"))["payload"]
        try:
            usable.append(receive(update).kind)
        except Unusable:
            continue
    assert {"message", "group"} <= set(usable)
    assert len(usable) >= 3


@pytest.mark.parametrize(
    "given", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "ລັບ"]
)
def test_the_secret_is_compared(phone: TelegramPhone, given: str | None) -> None:
    body = json.dumps(phone.say("hello")).encode()
    headers = {} if given is None else from_telegram(given)
    with pytest.raises(Forbidden):
        telegram().receive("", headers, body)


def test_without_a_secret_of_ours_nobody_comes_in(phone: TelegramPhone) -> None:
    channel = Telegram(TOKEN, None, "https://api.telegram.org", None)
    for headers in ({}, from_telegram(""), from_telegram("None")):
        with pytest.raises(Forbidden):
            channel.receive("", headers, json.dumps(phone.say("hello")).encode())


def test_text(phone: TelegramPhone) -> None:
    update = phone.say("ສະບາຍດີ")
    found = receive(update)
    number = update["message"]["message_id"]
    assert (found.kind, found.text, found.sender) == ("message", "ສະບາຍດີ", ("5",))
    assert (found.id, found.name, found.language) == (f"5/{number}", "Noy", "lo")
    assert (found.reply_to, found.forwarded, found.files, found.tap) == (None, False, (), None)
    assert found.key == str(update["update_id"])


def test_a_start_link_with_a_code(phone: TelegramPhone) -> None:
    assert receive(phone.start("ABCD-EFGH")).text == "/start ABCD-EFGH"


@pytest.mark.parametrize(
    ("data", "tap"),
    [
        ("abc_-9.0", Tap("abc_-9", 0)),
        ("abc.12", Tap("abc", 12)),
        ("menu:main", Tap("", 99)),
        ("", Tap("", 99)),
        ("abc.x", Tap("abc", 99)),
        ("abc.-1", Tap("abc", 99)),
        ("a.b.3", Tap("a.b", 3)),
    ],
)
def test_taps(phone: TelegramPhone, data: str, tap: Tap) -> None:
    update = phone.tap(data, 7)
    found = receive(update)
    assert (found.kind, found.tap, found.sender) == ("tap", tap, ("5",))
    assert found.receipt == update["callback_query"]["id"]


def test_a_tap_on_a_bubble_that_is_out_of_reach(phone: TelegramPhone) -> None:
    update = phone.tap("abc.1", 7)
    message = {"message_id": 7, "date": 0, "chat": update["callback_query"]["message"]["chat"]}
    update["callback_query"]["message"] = message
    assert receive(update).tap == Tap("abc", 1)


def test_a_tap_in_a_group_or_nowhere(phone: TelegramPhone) -> None:
    update = phone.tap("abc.1", 7)
    update["callback_query"]["message"]["chat"] = {"id": -1, "type": "group", "title": "x"}
    unusable(update)
    del update["callback_query"]["message"]
    unusable(update)


def test_replies(phone: TelegramPhone) -> None:
    assert receive(phone.reply("yes", 77)).reply_to == "5/77"


def test_a_message_in_a_topic_is_no_reply(phone: TelegramPhone) -> None:
    update = phone.reply("yes", 77)
    topic = {"name": "Topic", "icon_color": 7322096}
    update["message"]["reply_to_message"]["forum_topic_created"] = topic
    update["message"] |= {"message_thread_id": 77, "is_topic_message": True}
    assert receive(update).reply_to is None


def test_a_reply_within_a_topic_is_one(phone: TelegramPhone) -> None:
    update = phone.reply("yes", 78)
    update["message"] |= {"message_thread_id": 77, "is_topic_message": True}
    assert receive(update).reply_to == "5/78"


def test_edits(phone: TelegramPhone) -> None:
    found = receive(phone.edit(55, "better"))
    assert (found.kind, found.text, found.id) == ("edit", "better", "5/55")


def test_blocked_and_unblocked(phone: TelegramPhone) -> None:
    assert receive(phone.block()).kind == "blocked"
    assert receive(phone.unblock()).kind == "unblocked"


def test_membership_in_a_group_says_nothing_of_a_person(phone: TelegramPhone) -> None:
    update = phone.block()
    update["my_chat_member"]["chat"] = {"id": -1, "type": "supergroup", "title": "x"}
    unusable(update)


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_groups(phone: TelegramPhone, kind: str) -> None:
    update = phone.say("hello all")
    update["message"]["chat"] = {"id": -100123, "type": kind, "title": "x"}
    found = receive(update)
    assert (found.kind, found.sender) == ("group", ("-100123",))
    update["edited_message"] = update.pop("message")
    assert receive(update).kind == "group", "an edit there is no edit of a person's"


def test_channel_posts_and_service_messages(phone: TelegramPhone) -> None:
    post = phone.say("x")["message"]
    post["chat"] = {"id": -100, "type": "channel", "title": "x"}
    unusable({"update_id": 1, "channel_post": post})
    nobody = phone.say("x")
    del nobody["message"]["from"]
    unusable(nobody)
    other_bot = phone.say("x")
    other_bot["message"]["from"] = other_bot["message"]["from"] | {"is_bot": True}
    unusable(other_bot)


OLD, NEW = -5, -100777


def moved(phone: TelegramPhone, *, told_in_new: bool) -> dict[str, Any]:
    update = phone.say("x")
    del update["message"]["text"]
    here, there = (NEW, OLD) if told_in_new else (OLD, NEW)
    name = "migrate_from_chat_id" if told_in_new else "migrate_to_chat_id"
    update["message"] |= {name: there, "chat": {"id": here, "type": "group", "title": "x"}}
    return update


@pytest.mark.parametrize("told_in_new", [False, True], ids=["old chat", "new chat"])
def test_a_group_that_became_a_supergroup(told_in_new: bool, phone: TelegramPhone) -> None:
    found = receive(moved(phone, told_in_new=told_in_new))
    assert (found.kind, found.sender, found.moved_to) == ("moved", (str(OLD),), str(NEW))


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 1, 0), (1, 1)])
def test_a_group_that_moved_keeps_its_one_address(
    order: tuple[int, ...], phone: TelegramPhone, database_url: str
) -> None:
    """Told in both chats, told again, in any order: rewritten once."""
    stage = Stage(database_url)
    channel = next(each for each in stage.app.channels if each.name == "telegram")

    async def take(inbound: Inbound) -> None:
        await stage.app.take(channel, [inbound])

    async def act() -> list[str]:
        spoken = phone.say("hello")
        spoken["message"]["chat"] = {"id": OLD, "type": "group", "title": "x"}
        await take(replace(receive(spoken), lane=channel.lane))
        for told_in_new in order:
            update = moved(phone, told_in_new=bool(told_in_new))
            await take(replace(receive(update), lane=channel.lane))
        sealed = select(models.addresses.c.sealed)
        found = stage.app.database.run_now(lambda db: list(db.execute(sealed).scalars()))
        count = stage.app.database.run_now(
            lambda db: (
                meeting.find_by_address(db, channel.lane, str(OLD))
                == meeting.find_by_address(db, channel.lane, str(NEW))
            )
        )
        assert count, "both names are one address"
        await stage.close()
        return found

    assert asyncio.run(act()) == [str(NEW)]


def test_a_group_that_nobody_knows_is_not_kept(phone: TelegramPhone, database_url: str) -> None:
    stage = Stage(database_url)
    channel = next(each for each in stage.app.channels if each.name == "telegram")

    async def act() -> int:
        await stage.app.take(channel, [receive(moved(phone, told_in_new=True))])
        found = select(models.addresses.c.id)
        count = stage.app.database.run_now(lambda db: len(db.execute(found).all()))
        await stage.close()
        return count

    assert asyncio.run(act()) == 0


@pytest.mark.parametrize("row", errors.ROWS, ids=lambda row: f"{row.kind.__name__}-{row.says}")
def test_each_row_of_the_table(row: errors.Row) -> None:
    means = {"gone": Gone, "rejected": Rejected, "unknown": Unknown, "fine": type(None)}
    with capture_logs() as said:
        found = errors.send_error(row.kind(row.says or "something new"))
    assert isinstance(found, means.get(row.means, TryLater))
    assert ("settings_refused" in [each["event"] for each in said]) == (row.means == "settings")
    assert getattr(found, "whole_lane", False) is (row.means == "settings")


def test_a_refusal_by_somebody_in_between_makes_nobody_unreachable() -> None:
    error, _wire = send((403, b"<html>Forbidden</html>"))
    assert isinstance(error, TryLater)


def test_only_plain_text_is_ever_sent() -> None:
    """So that nobody's words are taken for marks: Telegram never has anything to parse."""
    folder = Path(errors.__file__).parent
    assert not [each for each in folder.glob("*.py") if "parse_mode" in each.read_text()]


@pytest.mark.parametrize("kind", ["poll", "message_reaction", "inline_query", "new_in_2027"])
def test_kinds_that_are_not_ours(kind: str) -> None:
    assert unusable({"update_id": 9, kind: {"id": "1"}}).key == "9"


def test_forwards(phone: TelegramPhone) -> None:
    assert receive(phone.forward("old words")).forwarded
    legacy = phone.say("old words")
    legacy["message"] |= {"forward_date": 1, "forward_from": {"id": 1, "first_name": "x"}}
    assert receive(legacy).forwarded


def test_files(phone: TelegramPhone) -> None:
    voice = receive(phone.voice(file_id="F1", seconds=7)).files
    assert [(each.kind, each.reference, each.seconds) for each in voice] == [("voice", "F1", 7)]
    photo = receive(phone.photo("a caption", file_id="F2"))
    assert [(each.kind, each.reference) for each in photo.files] == [("photo", "F2")]
    assert photo.text == "a caption"
    assert [each.kind for each in receive(phone.sticker()).files] == ["sticker"]


@pytest.mark.parametrize(
    ("content", "kind", "reference"),
    [
        ({"location": {"latitude": 17.9, "longitude": 102.6}}, "location", "17.9,102.6"),
        ({"contact": {"phone_number": "+856", "first_name": "X"}}, "contact", "+856"),
        (
            {"document": {"file_id": "D", "file_unique_id": "u", "mime_type": "text/csv"}},
            "document",
            "D",
        ),
        ({"audio": {"file_id": "A", "file_unique_id": "u", "duration": 9}}, "voice", "A"),
        (
            {"video_note": {"file_id": "V", "file_unique_id": "u", "duration": 9, "length": 9}},
            "video",
            "V",
        ),
    ],
)
def test_other_files(
    phone: TelegramPhone, content: dict[str, Any], kind: str, reference: str
) -> None:
    update = {"update_id": 1, "message": phone.message(**content)}
    [file] = receive(update).files
    assert (file.kind, file.reference) == (kind, reference)


def test_a_group_hears_one_polite_sentence_once(database_url: str) -> None:
    async def play() -> None:
        stage = Stage(database_url)
        noy = stage.add("Noy", "telegram", "en")
        for text in ("hello all", "and again", "/ask"):
            update = noy.phone.say(text)
            update["message"]["chat"] = {"id": -100123, "type": "supergroup", "title": "x"}
            await stage.update(noy, update)
        said = [each["fields"] for each in stage.requests if each["method"] == "sendMessage"]
        await stage.close()
        assert [each["chat_id"] for each in said] == [-100123]
        assert "private" in said[0]["text"]
        assert "reply_markup" not in said[0]

    asyncio.run(play())


def test_a_block_makes_her_unreachable_until_she_unblocks(database_url: str) -> None:
    async def play() -> list[Any]:
        stage = Stage(database_url)
        noy = stage.add("Noy", "telegram", "en")
        await stage.say("Noy", "hello")
        seen = []
        for update in (noy.phone.block(), noy.phone.unblock()):
            await stage.update(noy, update)
            seen.append(stage.app.database.run_now(_unreachable_at))
        heard = len(noy.heard)
        await stage.close()
        return [each is None for each in seen] + [heard]

    blocked, unblocked, heard = asyncio.run(play())
    assert (blocked, unblocked) == (False, True)
    assert heard == 1, "a block is no message: nothing is answered"


def _unreachable_at(db: Any) -> Any:
    return db.exec_driver_sql("SELECT unreachable_at FROM addresses").scalar_one()


# Out --------------------------------------------------------------------------------------------


async def _send(outcome: Any, message: Any = SAID) -> tuple[Any, Wire]:
    wire = Wire(outcome)
    try:
        return await telegram(wire).send(message), wire
    except SendError as error:
        return error, wire


def send(outcome: Any, message: Any = SAID) -> tuple[Any, Wire]:
    return asyncio.run(_send(outcome, message))


def fields(wire: Wire) -> tuple[str, dict[str, Any]]:
    """(method, decoded fields) of the only request, held against the Bot API."""
    [asked] = wire.asked
    method = asked["url"].rpartition("/")[2]
    sent = contract.decode_telegram(method, dict(asked["data"]))
    assert contract.telegram_complaints(method, sent) == []
    return method, sent


def test_what_is_sent() -> None:
    buttons = (Button("ສົ່ງ", "abc.0"), Button("ຍົກເລີກ", "abc.1"))
    id_, wire = send(SENT, Say("5", "1 < 2 & *bold* _x_ [a](b)", "t", buttons, "5/33"))
    method, sent = fields(wire)
    assert (method, id_) == ("sendMessage", "5/7")
    assert (sent["chat_id"], sent["text"]) == (5, "1 < 2 & *bold* _x_ [a](b)")
    assert "parse_mode" not in sent
    assert sent["link_preview_options"] == {"is_disabled": True}
    rows = sent["reply_markup"]["inline_keyboard"]
    assert [[each["callback_data"] for each in row] for row in rows] == [["abc.0"], ["abc.1"]]
    assert sent["reply_parameters"]["message_id"] == 33
    assert sent["reply_parameters"]["allow_sending_without_reply"] is True


def test_a_plain_message_has_no_keyboard_and_no_quote() -> None:
    _method, sent = fields(send(SENT)[1])
    assert not {"reply_markup", "reply_parameters", "parse_mode"} & set(sent)
    assert sent["link_preview_options"] == {"is_disabled": True}


def test_the_menu_of_one_chat() -> None:
    done, wire = send(answer(200, ok=True, result=True), Menu("5", "t", "lo", (("help", "x"),)))
    method, sent = fields(wire)
    assert (done, method) == (None, "setMyCommands")
    assert sent["scope"] == {"type": "chat", "chat_id": 5}
    assert sent["commands"] == [{"command": "help", "description": "x"}]


def test_prepare_registers_commands_and_the_webhook() -> None:
    wire = Wire(answer(200, ok=True, result=True))
    menu = [("help", "how"), ("stop", "silence")]
    asyncio.run(telegram(wire).prepare({"en": menu, "km": menu, "lo": menu}))
    calls = [(each["url"].rpartition("/")[2], dict(each["data"])) for each in wire.asked]
    codes = [sent.get("language_code", "") for name, sent in calls if name == "setMyCommands"]
    assert sorted(codes) == ["", "km", "lo"]
    [hook] = [sent for name, sent in calls if name == "setWebhook"]
    assert hook["url"] == f"{PUBLIC}/webhooks/telegram"
    assert hook["secret_token"] == SECRET
    assert json.loads(hook["allowed_updates"]) == UPDATES
    assert set(UPDATES) == {"message", "edited_message", "callback_query", "my_chat_member"}
    for name, sent in calls:
        assert contract.telegram_complaints(name, contract.decode_telegram(name, sent)) == []


def test_without_a_public_address_there_is_no_webhook() -> None:
    wire = Wire(answer(200, ok=True, result=True))
    channel = Telegram(TOKEN, SECRET, "https://api.telegram.org", None)
    channel._transport._session = wire  # type: ignore[assignment]
    asyncio.run(channel.prepare({"en": [("help", "x")]}))
    assert [each["url"].rpartition("/")[2] for each in wire.asked] == ["setMyCommands"]


def test_the_menu_of_the_real_talks_fits(database_url: str) -> None:
    stage = Stage(database_url)
    for language in ("en", "km", "lo"):
        for command, about in stage.app.conversations.menu(language):
            assert re.fullmatch(r"[a-z0-9_]{1,32}", command)
            assert 1 <= len(about) <= 256
    asyncio.run(stage.close())


def refusal(status: int, said: str, **parameters: Any) -> Any:
    more = {"parameters": parameters} if parameters else {}
    return answer(status, ok=False, error_code=status, description=said, **more)


# PLATFORMS 1.4
ERRORS: list[tuple[Any, type[SendError] | tuple[type[SendError], ...]]] = [
    (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
    (refusal(403, "Forbidden: user is deactivated"), Gone),
    (refusal(403, "Forbidden: bot was kicked from the group chat"), Gone),
    (refusal(403, "Forbidden: bot can't initiate conversation with a user"), Gone),
    (answer(403, ok=False, error_code=400, description="Bot domain invalid."), Rejected),
    (refusal(400, "Bad Request: chat not found"), Gone),
    (refusal(400, "Bad Request: private chat not found"), Gone),
    (refusal(400, "Bad Request: PEER_ID_INVALID"), Gone),
    (refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1001), Moved),
    (refusal(400, "Bad Request: message is too long"), Rejected),
    (refusal(400, "Bad Request: message text is empty"), Rejected),
    (refusal(400, "Bad Request: BUTTON_DATA_INVALID"), Rejected),
    (refusal(401, "Unauthorized"), TryLater),
    (refusal(404, "Not Found"), TryLater),
    (refusal(409, "Conflict: terminated by other getUpdates request"), (TryLater, Unknown)),
    (refusal(429, "Too Many Requests: retry after 3", retry_after=3), TryLater),
    (refusal(429, "Too Many Requests: retry after 30", retry_after=30), TryLater),
    (refusal(500, "Internal Server Error"), TryLater),
    ((502, b"<html>Bad Gateway</html>"), TryLater),
    ((504, b""), TryLater),
    (TimeoutError(), Unknown),
    (aiohttp.ServerDisconnectedError(), Unknown),
    (aiohttp.ClientPayloadError(), Unknown),
    (aiohttp.ClientConnectorError(None, OSError(111, "refused")), TryLater),  # type: ignore[arg-type]
    (aiohttp.ClientConnectorDNSError(None, OSError(-2, "unknown")), TryLater),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("outcome", "kind"), ERRORS, ids=[f"{n}" for n in range(len(ERRORS))])
def test_errors(outcome: Any, kind: Any) -> None:
    error, _wire = send(outcome)
    assert isinstance(error, kind), repr(error)


@pytest.mark.parametrize("seconds", [3, 30, 86400])
def test_retry_after_is_honoured(seconds: int) -> None:
    """Exactly; whether it is meant for the chat or for all of us, Telegram does not say."""
    error, _wire = send(refusal(429, "Too Many Requests", retry_after=seconds))
    assert error.after == timedelta(seconds=seconds)
    assert error.whole_lane is None


def test_a_refused_token_stops_the_whole_lane() -> None:
    error, _wire = send(refusal(401, "Unauthorized"))
    assert error.whole_lane
    assert error.after >= timedelta(seconds=30)


def test_a_429_without_a_time() -> None:
    """A proxy in between says it so; nothing was taken."""
    error, _wire = send((429, b"<html>Too Many Requests</html>"))
    assert isinstance(error, TryLater)


def test_an_acknowledgement_that_comes_too_late_is_no_harm(phone: TelegramPhone) -> None:
    tap = receive(phone.tap("abc.0", 7))
    too_old = refusal(400, "Bad Request: query is too old and response timeout expired")
    for outcome in (answer(200, ok=True, result=True), too_old, TimeoutError()):
        wire = Wire(outcome)
        asyncio.run(telegram(wire).acknowledge(tap))
        assert [each["url"].rpartition("/")[2] for each in wire.asked] == ["answerCallbackQuery"]


def test_polling_hands_on_what_it_cannot_use(phone: TelegramPhone) -> None:
    updates = [phone.say("one"), {"update_id": 2_000_000_001, "poll_answer_of_2027": {}}]
    wire = Wire(answer(200, ok=True, result=updates))

    async def listen() -> list[Any]:
        found: list[Any] = []
        async for raw, events in telegram(wire).listen():
            found.append((json.loads(raw), events))
            if len(found) == 2:
                return found
        return found

    wire.outcome = answer(200, ok=True, result=updates)
    first, second = asyncio.run(listen())
    assert first[1][0].text == "one"
    assert isinstance(second[1], Unusable)
    assert second[0]["update_id"] == 2_000_000_001
    asked = [each for each in wire.asked if each["url"].endswith("getUpdates")]
    assert json.loads(dict(asked[0]["data"])["allowed_updates"]) == UPDATES


def test_the_token_is_in_no_error() -> None:
    for outcome, _kind in ERRORS:
        error, _wire = send(outcome)
        assert TOKEN.partition(":")[2] not in repr(error)


# Pictures, and what is taken back ---------------------------------------------------------------

LINK = "https://t.me/linkline_bot?start=TEST-2222"
PICTURE = Media("5", LINK, "token", "photo", "qr.png", qr.png(LINK))
RETRACT = Retract("5", "token", ("5/7", "5/1295320000"))
DONE = answer(200, ok=True, result=True)


@pytest.fixture
def line() -> Line:
    """Somebody with the number 5 has written to the bot."""
    found = Line()
    found.provider.control({"wrote": [5]})
    return found


def calls(line: Line) -> list[Any]:
    """What Telegram took: (method, fields), each without a complaint."""
    found = line.provider.entries
    assert [each["complaints"] for each in found if each["complaints"]] == []
    return [(each["method"], each["fields"]) for each in found]


def test_a_picture_comes_with_its_caption(line: Line) -> None:
    id_ = asyncio.run(telegram(line).send(PICTURE))
    [(method, sent)] = calls(line)
    assert (method, id_) == ("sendPhoto", "5/1")
    assert (sent["chat_id"], sent["caption"]) == (5, LINK)
    assert "parse_mode" not in sent
    assert sent["photo"]["mime_type"] == "image/png"
    assert line.provider.files[sent["photo"]["file_id"]] == qr.png(LINK)


@pytest.mark.parametrize(
    "caption", ["ສະບາຍດີ ជម្រាបសួរ", "1 < 2 & *bold* [a](b)\r\n--x", "👩🏽‍🌾" * 40]
)
def test_a_caption_is_passed_on_as_it_is(caption: str, line: Line) -> None:
    asyncio.run(telegram(line).send(replace(PICTURE, text=caption)))
    [(_method, sent)] = calls(line)
    assert sent["caption"] == caption


@pytest.mark.parametrize(
    "says", ["x", LINK, "ຂໍ້ຄວາມ", "https://wa.me/14155238886?text=" + "Q" * 300]
)
def test_a_picture_of_any_length(says: str, line: Line) -> None:
    asyncio.run(telegram(line).send(replace(PICTURE, content=qr.png(says))))
    [drawn] = line.provider.files.values()
    assert drawn == qr.png(says)


def test_a_caption_that_is_too_long_is_rejected(line: Line) -> None:
    with pytest.raises(Rejected):
        asyncio.run(telegram(line).send(replace(PICTURE, text="x" * 1025)))


def test_bubbles_are_deleted_on_her_phone(line: Line) -> None:
    """Ours and hers; those that are gone already are no harm."""

    async def play() -> None:
        channel = telegram(line)
        ids = [await channel.send(Say("5", f"{n}", "t")) for n in range(3)]
        gone = Retract("5", "t", (str(ids[0]), str(ids[2]), "5/1295320000", "5/999"))
        for _ in range(2):
            assert await channel.send(gone) is None

    asyncio.run(play())
    *_said, (method, sent), _again = calls(line)
    assert method == "deleteMessages"
    assert sent == {"chat_id": 5, "message_ids": [1, 3, 1295320000, 999]}
    assert [each["text"] for each in line.provider.messages[5].values()] == ["1"]


@pytest.mark.parametrize("count", [1, 100])
def test_so_many_to_a_call(count: int, line: Line) -> None:
    asyncio.run(
        telegram(line).send(Retract("5", "t", tuple(f"5/{n}" for n in range(1, count + 1))))
    )
    [(_method, sent)] = calls(line)
    assert len(sent["message_ids"]) == count


@pytest.mark.parametrize("count", [0, 101])
def test_never_so_many(count: int, line: Line) -> None:
    with pytest.raises(SendError):
        asyncio.run(telegram(line).send(Retract("5", "t", tuple(f"5/{n}" for n in range(count)))))


def test_bubbles_of_a_chat_with_a_number_below_zero() -> None:
    _id, wire = send(DONE, Retract("-100123", "t", ("-100123/7",)))
    assert fields(wire)[1] == {"chat_id": -100123, "message_ids": [7]}


@pytest.mark.parametrize("message", [PICTURE, RETRACT], ids=["picture", "retract"])
def test_whoever_has_blocked_us_gets_neither(message: Any, line: Line) -> None:
    line.provider.control({"block": [5]})
    with pytest.raises(Gone):
        asyncio.run(telegram(line).send(message))


@pytest.mark.parametrize("message", [PICTURE, RETRACT], ids=["picture", "retract"])
@pytest.mark.parametrize(("outcome", "kind"), ERRORS, ids=[f"{n}" for n in range(len(ERRORS))])
def test_errors_of_pictures_and_retractions(outcome: Any, kind: Any, message: Any) -> None:
    error, _wire = send(outcome, message)
    assert isinstance(error, kind), repr(error)
    assert error.code


@pytest.mark.parametrize("message", [PICTURE, RETRACT], ids=["picture", "retract"])
def test_retry_after_of_pictures_and_retractions(message: Any) -> None:
    error, _wire = send(refusal(429, "Too Many Requests", retry_after=30), message)
    assert (error.after, error.whole_lane) == (timedelta(seconds=30), None)


def test_no_error_quotes_a_link() -> None:
    for outcome, _kind in ERRORS:
        error, _wire = send(outcome, PICTURE)
        assert "TEST-2222" not in repr(error)


def test_an_upload_may_take_longer_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a thin line: what was cut off would be sent again, and arrive twice."""
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.05)
    taken = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}}

    async def slow(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(0.2)
        return web.json_response({"ok": True, "result": taken})

    async def go() -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", slow)
        async with test_utils.TestServer(app) as server:
            channel = Telegram(TOKEN, None, str(server.make_url("")).rstrip("/"), None)
            voice = Media("5", "", "token", "voice", "voice.ogg", b"OggS")
            assert await channel.send(voice) == "5/7"
            with pytest.raises(Unknown):
                await channel.send(Say("5", "hello", "token"))
            await channel.close()

    asyncio.run(go())
