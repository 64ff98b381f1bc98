"""Templates on WhatsApp: made, submitted, shown, filled in; against a strict Content API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from bot import cli, clock
from bot.app import App
from bot.channels import Rejected, SendError
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp.transport import connect
from bot.fitting import fit
from bot.messages import Button, Choice, Message, Nudge, Say, Template, Text
from bot.settings import Settings
from bot.store import templates as kept
from bot.templates import TemplateError, check, codes, provider_name, wanted
from tests.channels import ACCOUNT, AUTH, PUBLIC, SENDER, whatsapp
from tests.channels.test_whatsapp import inbound, play
from tests.fakes.process import Fake
from tests.stage import Person, Stage
from tests.test_cli import Shell, shell

T = TypeVar("T")
NOY = "whatsapp:+8562055512345"
__all__ = ["shell"]


@pytest.fixture(scope="module")
def one_twilio() -> Iterator[Fake]:
    with Fake("twilio", "--auth-token", AUTH) as fake:
        yield fake


@pytest.fixture
def twilio(one_twilio: Fake) -> Fake:
    one_twilio.reset()
    return one_twilio


@pytest.fixture
def line(shell: Shell, twilio: Fake, database_url: str) -> Shell:
    shell.set(
        DATABASE_URL=database_url,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=AUTH,
        TWILIO_WHATSAPP_FROM=SENDER,
        TWILIO_API_URL=twilio.url,
        PUBLIC_URL=PUBLIC,
    )
    return shell


def run(work: Callable[[WhatsApp], Awaitable[T]], fake: Fake) -> T:
    async def play() -> T:
        channel = WhatsApp(ACCOUNT, AUTH, SENDER, fake.url, PUBLIC)
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(play())


def ask(shell: Shell, *words: str) -> list[str]:
    ended = shell("whatsapp", "templates", *words)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out.splitlines()


def in_store(work: Any) -> Any:
    app = App(cli.read_settings(), [])
    try:
        return app.database.run_now(work)
    finally:
        app.database.close()


def made(fake: Fake) -> list[dict[str, Any]]:
    return [each for each in fake.accepted("POST") if each["path"] == "/v1/Content"]


def submitted(fake: Fake) -> list[dict[str, Any]]:
    return [each for each in fake.accepted("POST") if each["path"].endswith("/whatsapp")]


# The command


def test_all_are_made_and_only_those_that_must_be_are_submitted(line: Shell, twilio: Fake) -> None:
    lines = ask(line)
    assert len(lines) == 13
    assert [each.split()[:4] for each in lines[:3]] == [
        ["nudge", "en", "(as", "en)"], ["nudge", "km", "(as", "en)"], ["nudge", "lo", "(as", "lo)"],
    ]  # fmt: skip
    assert all("pending" in each for each in lines[:3])
    assert all("ready" in each for each in lines[3:])
    assert len(made(twilio)) == 13
    assert len(submitted(twilio)) == 3
    assert {each["fields"]["category"] for each in submitted(twilio)} == {"UTILITY"}
    assert not any(each["complaints"] for each in twilio.history())


def test_again_makes_nothing_new(line: Shell, twilio: Fake) -> None:
    first = ask(line)
    twilio.clear()
    assert ask(line) == first
    assert made(twilio) == submitted(twilio) == []


def test_what_was_made_before_a_crash_is_taken_up(line: Shell, twilio: Fake) -> None:
    """Twilio knew it before our note was saved: it is found by its name."""
    ask(line)
    lane = whatsapp().lane
    for each in in_store(lambda db: kept.list_of(db, lane)):
        in_store(lambda db, each=each: kept.remove(db, lane, each.name, each.language))
    twilio.clear()
    ask(line)
    assert made(twilio) == []
    assert len(in_store(lambda db: kept.list_of(db, lane))) == 13


def test_another_sentence_is_another_template(
    line: Shell, twilio: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ask(line, "--only", "nudge")
    monkeypatch.setattr("bot.templates.NUDGE_TEXT", Text("Something waits here. Tap to read it."))
    twilio.clear()
    after = ask(line, "--only", "nudge")
    assert len(made(twilio)) == 3
    assert not {each.split()[-1] for each in before} & {each.split()[-1] for each in after}


def test_states_are_shown_with_their_reason_and_kept(line: Shell, twilio: Fake) -> None:
    ask(line)
    lane = whatsapp().lane
    assert in_store(lambda db: kept.find_approved(db, lane, "nudge", "lo")) is None
    sids = {e.language: e.sid for e in in_store(lambda db: kept.list_of(db, lane)) if e.language}
    twilio.control(
        approve={
            sids["lo"]: "approved",
            sids["km"]: ["rejected", "TAG_CONTENT_MISMATCH"],
            sids["en"]: "paused",
        }
    )
    shown = ask(line, "--show")
    assert "paused" in shown[0]
    assert "rejected" in shown[1] and shown[1].endswith("TAG_CONTENT_MISMATCH")
    assert "approved" in shown[2]
    find = in_store(
        lambda db: [kept.find_approved(db, lane, "nudge", e) for e in ("lo", "km", "en")]
    )
    assert find == [sids["lo"], None, None]


def test_showing_makes_nothing(line: Shell, twilio: Fake) -> None:
    lines = ask(line, "--show")
    assert all("missing" in each for each in lines)
    assert made(twilio) == []


def test_khmer_stands_in_two_languages_under_the_code_of_one() -> None:
    found = {each.language: each for each in wanted("lo=lo,km=en,en=en")}
    assert found["km"].code == "en"
    assert found["en"].body in found["km"].body
    assert found["lo"].body.count("\n\n") == 0
    assert {each.buttons[0].data for each in found.values()} == {"say:open"}
    assert wanted("lo=lo,km=km,en=en")[1].body.count("\n\n") == 0


@pytest.mark.parametrize("only", ["lo=lo", "km=en,lo=lo", ""])
def test_a_language_without_a_code_has_none(only: str) -> None:
    assert {each.language for each in wanted(only)} == {w[:2] for w in only.split(",") if w}


def test_one_template_may_have_another_code() -> None:
    found = {each.language: each.code for each in wanted("lo=lo,km=en,en=en,nudge.km=th")}
    assert found["km"] == "th"


@pytest.mark.parametrize("setting", ["km", "xx=en", "km=", "km=EN", "nudge.xx=en", "km=en;lo=lo"])
def test_a_wrong_setting_is_one_line(setting: str, line: Shell) -> None:
    line.set(WHATSAPP_TEMPLATE_LANGUAGES=setting)
    said = line.fails("whatsapp", "templates")
    assert "WHATSAPP_TEMPLATE_LANGUAGES" in said
    with pytest.raises(TemplateError):
        codes(setting)


def test_an_unknown_template_is_one_line(line: Shell) -> None:
    assert "there are nudge, choices_1" in line.fails("whatsapp", "templates", "--only", "nugde")
    line.set(WHATSAPP_TEMPLATE_LANGUAGES="km=en,nugde.km=en")
    assert "'nugde'" in line.fails("whatsapp", "templates")


def test_a_language_that_whatsapp_does_not_have_is_one_line(line: Shell) -> None:
    line.set(WHATSAPP_TEMPLATE_LANGUAGES="km=km")
    assert "WHATSAPP_TEMPLATE_LANGUAGES" in line.fails("whatsapp", "templates")


def test_without_a_sender_it_is_one_line(shell: Shell, database_url: str) -> None:
    shell.set(DATABASE_URL=database_url)
    assert "TWILIO_WHATSAPP_FROM" in shell.fails("whatsapp", "templates")
    assert "TWILIO_WHATSAPP_FROM" in shell.fails("whatsapp", "reconcile")


def test_a_wrong_token_is_one_line(line: Shell) -> None:
    line.set(TWILIO_AUTH_TOKEN="another")
    said = line.fails("whatsapp", "templates")
    assert "TWILIO_AUTH_TOKEN" in said and "another" not in said


def test_nobody_there_is_one_line(line: Shell) -> None:
    line.set(TWILIO_API_URL="http://127.0.0.1:9")
    assert "does not answer" in line.fails("whatsapp", "templates")


@pytest.mark.parametrize(
    "body", ["{{1}} waits", "It is {{1}}.", "a {{1}} {{2}} b", "x" * 1025, "{{1}}"]
)
def test_what_meta_would_reject_is_never_submitted(body: str) -> None:
    with pytest.raises(TemplateError):
        check(Template("nudge", "en", "en", body))


# Sending


def nudge_sid(fake: Fake, state: str) -> str:
    async def make(channel: WhatsApp) -> str:
        [template] = wanted("en=en")
        name = provider_name(template)
        sid = await channel.create_template(template, name)
        await channel.submit_template(sid, name)
        return sid

    sid = run(make, fake)
    fake.control(approve={sid: state}, window=True)
    return sid


def callbacks(fake: Fake, sid: str) -> list[tuple[str, str]]:
    for _attempt in range(100):
        told = [each["fields"] for each in fake.get("/_callbacks")]
        told = [each for each in told if each["MessageSid"] == sid]
        if told and told[-1]["MessageStatus"] in ("read", "failed"):
            break
    return [(each["MessageStatus"], each.get("ErrorCode", "")) for each in told]


@pytest.mark.parametrize(
    ("state", "ends"), [("approved", ("read", "")), ("paused", ("failed", "63041"))]
)
def test_a_nudge_passes_a_closed_window_once_it_is_approved(
    state: str, ends: tuple[str, str], twilio: Fake
) -> None:
    sid = nudge_sid(twilio, state)
    sent = run(lambda channel: channel.send(Nudge(NOY, "token1", sid)), twilio)
    assert callbacks(twilio, str(sent))[-1] == ends
    [asked] = [each["fields"] for each in twilio.accepted("POST") if "To" in each["fields"]]
    assert "Body" not in asked
    assert asked["ContentSid"] == sid
    assert asked["StatusCallback"] == f"{PUBLIC}/webhooks/whatsapp?d=token1"


def test_an_unknown_nudge_is_found_by_what_it_says(twilio: Fake) -> None:
    sid = nudge_sid(twilio, "approved")
    since = clock.now() - timedelta(minutes=5)

    async def twice(channel: WhatsApp) -> Any:
        sent = await channel.send(Nudge(NOY, "token1", sid))
        await channel.send(Say(NOY, "something else", "token2"))
        return sent, await channel.find(Nudge(NOY, "token1", sid), since)

    sent, found = run(twice, twilio)
    assert found == [sent]


def own_sids(fake: Fake) -> dict[str, str]:
    async def make(channel: WhatsApp) -> dict[str, str]:
        all_ = channel.own_templates()
        return {e.name: await channel.create_template(e, provider_name(e)) for e in all_}

    return run(make, fake)


@pytest.mark.parametrize("language", ["en", "lo", "km"])
@pytest.mark.parametrize("count", range(1, 11))
def test_choices_as_the_strict_provider_takes_them(count: int, language: str, twilio: Fake) -> None:
    sids = own_sids(twilio)
    choices = tuple(Choice(f"a.b:{n}", Text(f"ເລືອກ “{n}” ក្រុម")) for n in range(count))
    message = Message((Text("Which?\n\nOf “these”"),), choices)
    fitted = fit(message, language, whatsapp().limits, lambda *_: "", templates=sids)
    [content] = fitted.contents
    assert content["template"] == sids[f"choices_{count}"]
    assert f"\n{count}. ເລືອກ" in content["text"], "the list stays for those who cannot tap"
    buttons = tuple(Button(*each) for each in content["buttons"])
    said = Say(NOY, content["text"], "t", buttons, None, content["template"], content["opens"])
    run(lambda channel: channel.send(said), twilio)
    [asked] = [each["fields"] for each in twilio.accepted("POST") if "To" in each["fields"]]
    assert "Body" not in asked
    assert len(asked["ContentVariables"]) < 1600
    since = clock.now() - timedelta(minutes=5)
    assert len(run(lambda channel: channel.find(said, since), twilio)) == 1


def test_what_has_no_room_is_numbered_as_ever() -> None:
    limits, sids = whatsapp().limits, {f"choices_{n}": f"HX{n}" for n in range(1, 11)}

    def fitted(text: str, *labels: str) -> dict[str, Any]:
        choices = tuple(Choice(f"a:{n}", Text(each)) for n, each in enumerate(labels))
        message = Message((Text(text),), choices)
        return fit(message, "en", limits, lambda *_: "", templates=sids).contents[-1]

    assert fitted("?", "a", "b")["template"] == "HX2"
    assert "template" not in fitted("x" * 1020, "a", "b")
    assert "template" not in fitted("?", "a" * 21, "b")
    assert fitted("?", "a" * 21, "b", "c", "d")["template"] == "HX4"
    assert "template" not in fitted("?", "a" * 25, "b", "c", "d")
    assert "template" not in fitted("?", "same", "same")
    assert "template" not in fitted("?", *[str(n) for n in range(11)])
    assert "template" not in fitted("no choice at all")


def test_without_set_up_nothing_changes() -> None:
    choices = (Choice("a:1", Text("Yes")), Choice("a:2", Text("No")))
    [content] = fit(Message((Text("?"),), choices), "en", whatsapp().limits, lambda *_: "").contents
    assert content == {"text": "?\n\n1. Yes\n2. No", "buttons": []}


def test_a_template_that_is_gone_is_said_in_plain_words(twilio: Fake) -> None:
    own_sids(twilio)
    said = Say(NOY, "?\n\n1. Yes", "t", (Button("Yes", "x.0"),), None, "HX" + "0" * 32, "Choose")
    assert run(lambda channel: channel.send(said), twilio)
    [asked] = [each["fields"] for each in twilio.accepted("POST") if "To" in each["fields"]]
    assert asked["Body"] == "?\n\n1. Yes"


def test_balance(twilio: Fake) -> None:
    assert run(lambda channel: channel.balance(), twilio) == (12.5, "USD")
    twilio.control(fail=[{"match": {"method": "GET"}, "status": 401}])
    assert run(lambda channel: channel.balance(), twilio) is None


def test_another_region_has_its_own_servers() -> None:
    async def places(base: str) -> list[str]:
        http: Any = connect(ACCOUNT, AUTH, base).http_client
        await http.close()
        return [http._place("api.twilio.com"), http._place("content.twilio.com")]

    def of(base: str) -> list[str]:
        return asyncio.run(places(base))

    assert of("https://api.twilio.com") == ["api.twilio.com", "content.twilio.com"]
    assert of("https://api.dublin.ie1.twilio.com")[1] == "content.dublin.ie1.twilio.com"
    assert of("http://127.0.0.1:7") == ["127.0.0.1:7"] * 2


# Answers


def test_the_button_of_a_nudge_is_a_word() -> None:
    found = inbound(ButtonPayload="say:open", ButtonText="ເປີດ", Body="ເປີດ")
    assert (found.text, found.tap) == ("open", None)


@pytest.mark.parametrize("talk", ["language", "settings"], ids=["buttons", "list"])
@pytest.mark.parametrize("how", ["tap", "copy", "number"])
def test_a_choice_comes_back_to_its_question(talk: str, how: str, database_url: str) -> None:
    """By a tap, in words from a copy or an old client, or as a number."""

    async def act(stage: Stage, noy: Person) -> None:
        lane = whatsapp().lane
        for number in range(1, 11):
            each = kept.Kept(
                lane, f"choices_{number}", "", "en", f"HX{number:032x}", "h", "unsubmitted", None,
                clock.now(),
            )  # fmt: skip
            stage.app.database.run_now(lambda db, each=each: kept.save(db, each))
        await stage.say("Noy", talk)
        shown = noy.heard[-1]
        assert len(shown.buttons) == 3 if talk == "language" else len(shown.buttons) > 3
        label, data = shown.buttons[1]
        if how == "tap" and data.startswith("choice-"):
            await stage.form(noy, noy.phone.button(label, data, shown.id))
        elif how == "tap":
            form = dict(noy.phone.say(label)) | {"ListId": data, "ListTitle": label}
            await stage.form(noy, list(form.items()))
        else:
            await stage.say("Noy", label if how == "copy" else "2")
        assert noy.heard[-1] is not shown
        assert not any("choose one of these" in str(each) for each in noy.heard)
        assert not stage.complaints()

    play(database_url, act)


def test_errors_of_templates_are_in_the_closed_list(twilio: Fake) -> None:
    bad = Template("nudge", "en", "en", "")

    async def make(channel: WhatsApp) -> SendError | None:
        try:
            await channel.create_template(bad, "x")
        except SendError as error:
            return error
        return None

    assert isinstance(run(make, twilio), Rejected)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert len(wanted(settings.whatsapp_template_languages)) == 3
