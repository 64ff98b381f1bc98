"""WhatsApp through Twilio: signatures, forms as they come, receipts in any order, its errors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot import clock, metrics, models
from bot.channels import Forbidden, Gone, Rejected, SendError, TryLater, Unknown, Unusable
from bot.channels import WindowClosed as Closed
from bot.channels.whatsapp import WhatsApp, errors
from bot.fitting import fit
from bot.i18n import graphemes, units
from bot.messages import (
    Choice,
    Inbound,
    Media,
    Menu,
    Message,
    Receipt,
    Retract,
    Say,
    Tap,
    Text,
)
from bot.store import audiences, meeting, receipts
from bot.store import messages as outbox
from bot.store.audiences import Audience
from tests.channels import (
    AUTH,
    HOOK,
    PUBLIC,
    SENDER,
    Wire,
    answer,
    form,
    on_wire,
    sign,
    whatsapp,
)
from tests.fakes import contract
from tests.stage import Person, Stage

PAYLOADS = Path(__file__).parents[1] / "contracts" / "payloads"
SAID = Say("whatsapp:+85620", "hello", "token1")
HELLO = {"MessageSid": "SM1", "From": "whatsapp:+85620", "Body": "hello", "NumMedia": "0"}


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["payload"]


def receive(fields: dict[str, str], url: str = HOOK) -> list[Inbound | Receipt]:
    body = form(fields)
    return whatsapp().receive(url, sign(body, url), body)


def inbound(**fields: str) -> Inbound:
    [found] = receive(HELLO | fields)
    assert isinstance(found, Inbound)
    return found


# Signatures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1])
def test_vectors_of_twilio_itself(number: int) -> None:
    vector = payload("twilio_signature_vectors")[number]
    public, path = vector["url"][:21], vector["url"][21:]
    channel = WhatsApp("AC", vector["auth_token"], SENDER, "https://api.twilio.com", public)
    body = form(vector.get("params") or vector["params_list"])
    headers = {"x-twilio-signature": vector["signature"]}
    with contextlib.suppress(Unusable):  # genuine, though not about WhatsApp
        channel.receive(path, headers, body)
    with pytest.raises(Forbidden):
        channel.receive(path + "&x", headers, body)


def test_every_field_is_signed() -> None:
    fields = HELLO | {"ProfileName": "", "Label": "ຂີດ"}
    headers = sign(form(fields))
    whatsapp().receive(HOOK, headers, form(fields))
    for name in fields:
        fewer = {key: value for key, value in fields.items() if key != name}
        with pytest.raises(Forbidden):
            whatsapp().receive(HOOK, headers, form(fewer))
        with pytest.raises(Forbidden):
            whatsapp().receive(HOOK, headers, form(fields | {name: "other"}))


def test_the_query_string_of_a_callback_is_signed() -> None:
    body = form({"MessageSid": "SM1", "MessageStatus": "sent"})
    signed = f"{HOOK}?d=token1"
    assert whatsapp().receive(signed, sign(body, signed), body)
    for url in (HOOK, f"{HOOK}?d=token2", f"{signed}&d=token2"):
        with pytest.raises(Forbidden):
            whatsapp().receive(url, sign(body, signed), body)


@pytest.mark.parametrize(("ours", "theirs"), [("", ":443"), (":443", "")])
def test_with_or_without_the_usual_port(ours: str, theirs: str) -> None:
    channel = WhatsApp("AC", AUTH, SENDER, "https://api.twilio.com", PUBLIC + ours)
    body = form(HELLO)
    fields = {key: value for key, value in HELLO.items()}
    signature = channel._validator.compute_signature(f"{PUBLIC}{theirs}{HOOK}", fields)
    assert channel.receive(HOOK, {"x-twilio-signature": signature}, body)


def test_another_token_is_refused() -> None:
    body = form(HELLO)
    with pytest.raises(Forbidden):
        whatsapp().receive(HOOK, sign(body, token="another"), body)


def test_a_body_that_is_no_form() -> None:
    for body in (b"\xff\xfe\x00", b"&".join([b"a=1"] * 600)):
        with pytest.raises(Forbidden):
            whatsapp().receive(HOOK, {"x-twilio-signature": "x"}, body)


def test_an_algorithm_nobody_knows() -> None:
    headers = {"x-twilio-webhooks-signature-settings": "key=a,algorithm=MD5"}
    with pytest.raises(Forbidden):
        whatsapp().receive(HOOK, sign(form(HELLO)) | headers, form(HELLO))


# Forms ------------------------------------------------------------------------------------------


def test_a_plain_message() -> None:
    found = inbound(ProfileName="Noy", WaId="85620", Mystery="new in 2027", Forwarded="false")
    assert (found.kind, found.text, found.name) == ("message", "hello", "Noy")
    assert (found.key, found.id, found.sender) == ("SM1", "SM1", ("whatsapp:+85620",))
    assert (found.tap, found.files, found.reply_to, found.forwarded) == (None, (), None, False)


@pytest.mark.parametrize(
    "name",
    ["twilio_cw_location", "twilio_cw_no_body", "twilio_cw_two_media", "twilio_cw_unicode_profile"],
)
def test_captured_forms(name: str) -> None:
    [found] = receive(payload(name))
    assert isinstance(found, Inbound)
    assert found.sender[0].startswith("whatsapp:+")
    assert found.key == "SMxx"


def test_no_body_at_all() -> None:
    [found] = receive({"MessageSid": "SM1", "From": "whatsapp:+85620"})
    assert isinstance(found, Inbound)
    assert found.text == ""


def test_nul_bytes_are_taken_out() -> None:
    found = inbound(Body="a\0b", ProfileName="N\0oy", MessageSid="SM\0" + "1")
    assert (found.text, found.name, found.key) == ("ab", "Noy", "SM1")


@pytest.mark.parametrize(
    ("mime", "kind"),
    [
        ("audio/ogg; codecs=opus", "voice"),
        ("AUDIO/AMR", "voice"),
        ("image/jpeg", "photo"),
        ("video/mp4", "video"),
        ("application/pdf", "document"),
        ("text/vcard", "document"),
        ("", "document"),
    ],
)
def test_media(mime: str, kind: str) -> None:
    url = "https://api.twilio.com/Media/ME1"
    [file] = inbound(NumMedia="1", MediaUrl0=url, MediaContentType0=mime, Body="").files
    assert (file.kind, file.reference) == (kind, url)


def test_two_media() -> None:
    [found] = receive(payload("twilio_cw_two_media"))
    assert isinstance(found, Inbound)
    assert [file.mime for file in found.files] == ["image/png", "image/jpeg"]
    assert found.text == "testing multiple media"


@pytest.mark.parametrize("count", ["", "x", "-1", "1e9", "3"])
def test_media_that_are_not_there(count: str) -> None:
    assert inbound(NumMedia=count).files == ()


def test_a_sticker_and_a_location() -> None:
    sticker = {"MediaUrl0": "https://x", "MediaContentType0": "image/webp", "NumMedia": "1"}
    assert inbound(MessageType="sticker", **sticker).files[0].kind == "sticker"
    [place] = inbound(Latitude="17.9", Longitude="102.6", Address="", Label="").files
    assert (place.kind, place.reference) == ("location", "17.9,102.6")


@pytest.mark.parametrize("name", ["ButtonPayload", "ListId"])
def test_button_and_list_answers(name: str) -> None:
    found = inbound(**{name: "abc_-9.2", "ButtonText": "Send", "Body": "Send"})
    assert found.tap == Tap("abc_-9", 2)


@pytest.mark.parametrize("data", ["", "yes", "2", ".2", "abc.", "abc.x", "abc.-1"])
def test_answers_that_are_not_ours(data: str) -> None:
    found = inbound(ButtonPayload=data, Body="")
    assert found.tap is None


def test_words_of_a_button_without_body() -> None:
    assert inbound(Body="", ButtonText="Send").text == "Send"
    assert inbound(Body="", ListTitle="Mango").text == "Mango"


def test_quotes_and_forwards() -> None:
    assert inbound(OriginalRepliedMessageSid="SM9").reply_to == "SM9"
    assert inbound(Forwarded="true").forwarded
    assert inbound(FrequentlyForwarded="true", Forwarded="false").forwarded
    assert not inbound(Forwarded="").forwarded


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"From": "+85620"}, ("whatsapp:+85620",)),
        ({"From": "whatsapp:LA.1234"}, ("whatsapp:LA.1234",)),
        ({"From": "whatsapp:LA.1234", "ExternalUserId": "LA.1234"}, ("whatsapp:LA.1234",)),
        ({"ExternalUserId": "whatsapp:LA.12"}, ("whatsapp:+85620", "whatsapp:LA.12")),
        ({"From": "", "ExternalUserId": "LA.12"}, ("whatsapp:LA.12",)),
    ],
)
def test_names_of_an_address(fields: dict[str, str], names: tuple[str, ...]) -> None:
    assert inbound(**fields).sender == names


def test_nobody_is_unusable() -> None:
    with pytest.raises(Unusable):
        inbound(From="")
    with pytest.raises(Unusable):
        inbound(MessageSid="")


def test_known_by_number_then_by_user_id_only(database_url: str) -> None:
    """WhatsApp may leave the number out one day: she is the same person."""
    stage = Stage(database_url)
    stage.app.database.run_now(lambda db: None)
    lane = whatsapp().lane

    def meet(*names: str) -> int:
        return stage.app.database.run_now(
            lambda db: meeting.meet(db, lane, names, clock.now())[0].member.id
        )

    by_number = meet("whatsapp:+85620")
    assert meet("whatsapp:+85620", "whatsapp:LA.12") == by_number
    assert meet("whatsapp:LA.12") == by_number
    assert meet("whatsapp:LA.13") != by_number
    asyncio.run(stage.close())


# Receipts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["huh", "queued", "accepted", "scheduled", "sending", ""])
def test_states_that_tell_nothing(status: str) -> None:
    assert receive({"MessageSid": "SM1", "MessageStatus": status}, f"{HOOK}?d=t") == []


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        ("sent", "", "sent"),
        ("delivered", "", "delivered"),
        ("read", "", "read"),
        ("undelivered", "63016", "window"),
        ("failed", "63016", "window"),
        ("undelivered", "63024", "gone"),
        ("failed", "21610", "gone"),
        ("failed", "30008", "failed"),
        ("failed", "", "failed"),
        ("failed", "x", "failed"),
        ("canceled", "", "failed"),
    ],
)
def test_states(status: str, code: str, state: str) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
    [found] = receive(fields, f"{HOOK}?d=token1")
    assert found == Receipt(whatsapp().lane, state, "token1", "SM1", code or None)


def test_a_captured_failure() -> None:
    [found] = receive(payload("twilio_cw_status_failed"))
    assert isinstance(found, Receipt)
    assert (found.state, found.token, found.error) == ("failed", None, "30008")


def play(database_url: str, act: Callable[[Stage, Person], Coroutine[Any, Any, None]]) -> None:
    """A member on WhatsApp whom the bot has told one thing."""

    async def run() -> None:
        clock.move(timedelta(0))
        stage = Stage(database_url)
        noy = stage.add("Noy", "whatsapp", "en")
        about = {
            "slug": "t",
            "names": {code: "T" for code in ("en", "lo", "km")},
            "contact": "help@example.org",
        }
        place = {"slug": "crafts", "names": about["names"], "language": "en", "timezone": "UTC"}
        stage.load({"programme": about, "communities": [place]})
        stage.settle(noy, "crafts")
        try:
            await act(stage, noy)
        finally:
            await stage.close()

    asyncio.run(run())


def tell(stage: Stage, text: str) -> int:
    def work(db: Any) -> int:
        wanted = select(models.members.c.id).order_by(models.members.c.id).limit(1)
        member_id = db.execute(wanted).scalar_one()
        added = outbox.add(db, f"t/{text}", "thread", Message((Text(text),)), clock.now())
        assert added is not None
        audiences.tell(db, added, "thread", Audience("member", member_id), clock.now())
        return added

    return stage.app.database.run_now(work)


def state(stage: Stage, message_id: int) -> str:
    row = select(models.deliveries.c.state).where(models.deliveries.c.message_id == message_id)
    return stage.app.database.run_now(lambda db: str(db.execute(row).scalar_one()))


async def call_back(stage: Stage, status: str, code: str = "", request: int = -1) -> None:
    """As Twilio calls back: to the address that we gave it."""
    address = stage.requests[request]["fields"]["StatusCallback"]
    body = form({"MessageSid": "SM77", "MessageStatus": status, "ErrorCode": code})
    url = address.removeprefix(PUBLIC)
    channel = next(each for each in stage.app.channels if each.name == "whatsapp")
    await stage.app.take(channel, channel.receive(url, sign(body, url), body))


def test_receipts_shuffled_and_repeated(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        for seed in range(6):
            id_ = tell(stage, f"news {seed}")
            await stage.deliver()
            steps = ["queued", "sent", "sent", "delivered", "delivered", "read", "huh"]
            random.Random(seed).shuffle(steps)
            furthest = 0
            for status in steps:
                await call_back(stage, status)
                order = ["sent", "delivered", "read"]
                furthest = max(furthest, order.index(status) if status in order else 0)
                assert state(stage, id_) == order[furthest]

    play(database_url, act)


def test_a_receipt_before_our_own_mark(database_url: str) -> None:
    """Twilio may call back before its answer has come."""

    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, "news")
        channel = next(each for each in stage.app.channels if each.name == "whatsapp")
        send = channel.send

        async def early(message: Any) -> str | None:
            sid = await send(message)
            await call_back(stage, "read")
            return sid

        channel.send = early  # type: ignore[method-assign]
        await stage.deliver()
        assert state(stage, id_) == "read"
        await call_back(stage, "delivered")
        assert state(stage, id_) == "read"

    play(database_url, act)


@pytest.mark.parametrize("early", [False, True], ids=["after", "before"])
def test_a_late_63016_is_held_until_she_writes(database_url: str, early: bool) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, "news")
        channel = next(each for each in stage.app.channels if each.name == "whatsapp")
        send = channel.send

        async def closed(message: Any) -> str | None:
            sid = await send(message)
            await call_back(stage, "undelivered", "63016")
            return sid

        if early:
            channel.send = closed  # type: ignore[method-assign]
        await stage.deliver()
        if early:
            channel.send = send  # type: ignore[method-assign]
        else:
            await call_back(stage, "undelivered", "63016")
        assert state(stage, id_) == "held"
        noy.unread.clear()
        clock.move(timedelta(hours=25))
        await stage.say("Noy", "menu")
        assert "news" in [str(each) for each in noy.unread]
        assert state(stage, id_) == "sent"

    play(database_url, act)


@pytest.mark.parametrize("late", [False, True], ids=["in the answer", "in a callback"])
def test_a_63016_earlier_than_we_count(database_url: str, late: bool) -> None:
    """By our clock the window was open: what is held must come out all the same."""

    async def act(stage: Stage, noy: Person) -> None:
        if not late:
            said = {"code": 63016, "message": "outside", "status": 400}
            stage.failing["Messages"] = [(400, said)]
        id_ = tell(stage, "news")
        await stage.deliver()
        if late:
            await call_back(stage, "undelivered", "63016")
        assert state(stage, id_) == "held"
        clock.move(timedelta(hours=1))
        noy.unread.clear()
        await stage.say("Noy", "menu")
        assert "news" in [str(each) for each in noy.unread]

    play(database_url, act)


@pytest.mark.parametrize("code", ["21610", "63024", "63014"])
def test_a_late_refusal_makes_her_unreachable_until_she_writes(
    database_url: str, code: str
) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        tell(stage, "one")
        await stage.deliver()
        await call_back(stage, "failed", code)
        two = tell(stage, "two")
        await stage.deliver()
        assert state(stage, two) == "failed"
        await stage.say("Noy", "menu")
        three = tell(stage, "three")
        await stage.deliver()
        assert state(stage, three) == "sent"

    play(database_url, act)


def test_a_failure_after_it_was_read_changes_nothing(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, "one")
        await stage.deliver()
        await call_back(stage, "read")
        await call_back(stage, "failed", "63024")
        assert state(stage, id_) == "read"
        row = select(models.addresses.c.unreachable_at)
        assert stage.app.database.run_now(lambda db: db.execute(row).scalar_one()) is None

    play(database_url, act)


def test_a_foreign_receipt_is_taken_and_forgotten(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        foreign = Receipt(whatsapp().lane, "read", "nobody's", "SM404")
        run = stage.app.database.run_now
        assert run(lambda db: receipts.apply(db, foreign, clock.now())) is False
        await stage.app.take(whatsapp(), [foreign])

    play(database_url, act)


# Out --------------------------------------------------------------------------------------------


def send(outcome: Any, message: Any = SAID) -> tuple[Any, Wire]:
    wire = Wire(outcome)

    async def run() -> Any:
        channel = await on_wire(whatsapp(), wire)
        try:
            return await channel.send(message)
        except SendError as error:
            return error

    return asyncio.run(run()), wire


def test_what_is_sent() -> None:
    sid, wire = send(answer(201, sid="SM5", status="queued"))
    assert sid == "SM5"
    [asked] = wire.asked
    assert asked["url"].endswith("/Messages.json")
    sent = {key: value for key, value in asked["data"].items() if value is not None}
    assert (sent["To"], sent["From"], sent["Body"]) == ("whatsapp:+85620", SENDER, "hello")
    assert sent["StatusCallback"] == f"{PUBLIC}{HOOK}?d=token1"


LINK = "https://wa.me/14155238886?text=TEST-2222"
PICTURE = Media("whatsapp:+8562055123456", LINK, "token1", "photo", "qr.png")


def test_a_picture_is_given_as_an_address_to_fetch() -> None:
    """It tells nothing but a token; receipts come home as those of words do."""
    sid, wire = send(answer(201, sid="SM5", status="queued"), PICTURE)
    assert sid == "SM5"
    [asked] = wire.asked
    sent = {key: value for key, value in asked["data"].items() if value is not None}
    assert sent["MediaUrl"] == [f"{PUBLIC}/files/token1/qr.png"]
    assert (sent["To"], sent["From"], sent["Body"]) == (PICTURE.to, SENDER, LINK)
    assert sent["StatusCallback"] == f"{PUBLIC}{HOOK}?d=token1"
    form_sent = {name: [value] if isinstance(value, str) else value for name, value in sent.items()}
    assert contract.twilio_complaints(contract.MESSAGES_PATH, "POST", form_sent) == []


def test_words_have_no_picture() -> None:
    _sid, wire = send(answer(201, sid="SM5", status="queued"))
    assert wire.asked[0]["data"].get("MediaUrl") is None


def test_nothing_is_taken_back() -> None:
    error, wire = send(answer(201, sid="x"), Retract("whatsapp:+85620", "t", ("SM1", "SM2")))
    assert isinstance(error, Rejected)
    assert wire.asked == []
    assert whatsapp().limits.retract is None, "so that nobody is told that it would be"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(400, 21610, Gone), (429, 20429, TryLater), (400, 63016, Closed), (400, 21620, Rejected)],
)
def test_errors_of_a_picture(status: int, code: int, kind: type[SendError]) -> None:
    error, _wire = send(answer(status, code=code, message="no", status=status), PICTURE)
    assert type(error) is kind


def test_a_picture_that_may_have_been_sent() -> None:
    error, _wire = send(TimeoutError(), PICTURE)
    assert isinstance(error, Unknown)


def test_an_unknown_picture_is_found_by_its_caption() -> None:
    async def run() -> list[str]:
        channel = await on_wire(whatsapp(), Wire(_page(("SM1", "other"), ("SM2", LINK))))
        return await channel.find(PICTURE, LATELY)

    assert asyncio.run(run()) == ["SM2"]


# The table, row by row: in the answer to a send, and in a status callback.
MEANS: dict[str, type[SendError]] = {
    "gone": Gone,
    "later": TryLater,
    "settings": TryLater,
    "window": Closed,
    "template": Rejected,
    "media": Rejected,
    "rejected": Rejected,
}
# PLATFORMS 2.9, as it was written down before the code.
WANTED: dict[str, set[int]] = {
    "gone": {21211, 21614, 21610, 63003, 63024, 63014, 63033, 63015},
    "later": {20429, 21611, 30001, 14107, 63010, 63012, 63017, 63018},
    "settings": {20003, 21408, 21606, 21703, 63007, 21609, 63001, 63038, 63051, 63112},
    "window": {63016},
    "template": {63040, 63041, 63042},
    "media": {63019},
    "rejected": {20404, 21617, 21620, 21655, 21656, 92007, 63005, 63013, 63021, 63027, 63028}
    | {63029, 63032, 63049},
}
ERRORS: list[tuple[int, int, type[SendError], bool]] = [
    *((400, row.code, MEANS[row.means], row.means == "settings") for row in errors.ROWS),
    (429, 20429, TryLater, False),
    (429, 429, TryLater, False),
    (401, 20003, TryLater, True),
    (401, 401, TryLater, True),
    (404, 20404, Rejected, False),
    (400, 99999, Rejected, False),
    (500, 20500, Unknown, False),
    (503, 503, Unknown, False),
]


def test_the_table_is_the_one_of_the_platform_notes() -> None:
    for means, codes in WANTED.items():
        assert {row.code for row in errors.ROWS if row.means == means} == codes
    assert len({row.code for row in errors.ROWS}) == len(errors.ROWS)


@pytest.mark.parametrize("row", errors.ROWS, ids=lambda row: str(row.code))
def test_each_row_in_a_callback(row: errors.Row) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": str(row.code)}
    [found] = receive(fields, f"{HOOK}?d=token1")
    state = "failed" if row.means == "rejected" else row.means
    assert found == Receipt(whatsapp().lane, state, "token1", "SM1", str(row.code), row.template)


@pytest.mark.parametrize("callback", [False, True])
def test_a_code_of_no_table_is_counted(callback: bool) -> None:
    counted = metrics.STRANGE.labels("whatsapp")._value
    before = counted.get()
    if callback:
        receive({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "98765"})
    else:
        send(answer(400, code=98765, message="no", status=400))
    assert counted.get() == before + 1


@pytest.mark.parametrize("code", [each.code for each in errors.ROWS if each.means == "settings"])
def test_what_somebody_must_mend_is_an_alarm(code: int) -> None:
    with capture_logs() as said:
        send(answer(400, code=code, message="no", status=400))
        receive({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": str(code)})
    alarms = [each for each in said if each["event"] == "settings_refused"]
    assert [(each["log_level"], each["code"]) for each in alarms] == [("error", str(code))] * 2


@pytest.mark.parametrize(("status", "code", "kind", "whole"), ERRORS)
def test_errors(status: int, code: int, kind: type[SendError], whole: bool) -> None:
    error, _wire = send(answer(status, code=code, message="no", status=status))
    assert type(error) is kind
    assert error.code == str(code if status < 500 else status)
    assert getattr(error, "whole_lane", False) is whole


def test_there_are_no_commands() -> None:
    error, wire = send(answer(201, sid="x"), Menu("whatsapp:+85620", "t", "lo", (("a", "b"),)))
    assert isinstance(error, Rejected)
    assert wire.asked == []


def test_what_cannot_be_sent_later_says_so_in_its_time() -> None:
    error, _wire = send(answer(429, code=20429))
    assert timedelta(0) < error.after < timedelta(minutes=1)


LATELY = datetime(2026, 11, 20, tzinfo=UTC)


def find(outcome: Any, text: str = "hello", since: datetime = LATELY) -> tuple[Any, Wire]:
    wire = Wire(outcome)

    async def run() -> Any:
        channel = await on_wire(whatsapp(), wire)
        try:
            return await channel.find(Say("whatsapp:+85620", text, "token1"), since)
        except SendError as error:
            return error

    return asyncio.run(run()), wire


def _page(*said: tuple[str, str]) -> Any:
    made = "Sat, 21 Nov 2026 10:00:00 +0000"
    about = {"date_created": made, "num_media": "1"}
    rows = [{"sid": sid, "body": body, **about} for sid, body in said]
    return answer(200, messages=rows, page=0, page_size=50, next_page_uri=None, uri="/x")


def test_find_an_unknown_send() -> None:
    page = _page(("SM1", "other"), ("SM2", "hello"))
    assert find(page)[0] == ["SM2"]
    assert find(page, since=LATELY + timedelta(days=3))[0] == []  # said before
    found, wire = find(page, "never said")
    assert found == []
    asked = wire.asked[0]["params"]
    assert (asked["To"], asked["From"]) == ("whatsapp:+85620", SENDER)
    assert any(name.startswith("DateSent") for name in asked)


@pytest.mark.parametrize("outcome", [(500, b"x"), TimeoutError(), answer(401, code=20003)])
def test_find_that_cannot_look(outcome: Any) -> None:
    assert isinstance(find(outcome)[0], Unknown)


# Fitting ----------------------------------------------------------------------------------------

KHMER = "កំពង់ធំ ស្ត្រី ក្រុមសិប្បកម្ម។ "


@pytest.mark.parametrize("words", [KHMER, "ກຸ່ມຫັດຖະກຳຢູ່ວຽງຈັນ ", "👩🏽‍🌾" * 3, "ក្រុ" * 7])
def test_long_text_is_cut_between_graphemes(words: str) -> None:
    text = (words * 400).strip()
    choices = tuple(Choice(key, Text(key)) for key in ("first", "second"))
    limits = whatsapp().limits
    parts = [
        part["text"]
        for part in fit(
            Message((Text("{t}", {"t": text}),), choices), "km", limits, lambda *_: ""
        ).contents
    ]
    assert len(parts) > 2
    assert max(units(part) for part in parts) <= 1600
    assert parts[-1].endswith("1. first\n2. second")
    assert not any("1. first" in part for part in parts[:-1])
    said = "".join("".join(part.split()) for part in parts)
    assert said == "".join(text.split()) + "1.first2.second"
    whole = sum(graphemes("".join(part.split())) for part in parts)
    assert whole == graphemes("".join(text.split())) + len("1.first2.second"), "no cluster is torn"


def test_a_settings_error_never_prints_the_token(caplog: pytest.LogCaptureFixture) -> None:
    error, _wire = send(answer(401, code=20003, message=f"bad {AUTH}"))
    assert AUTH not in repr(error) + caplog.text
