"""Real `linkline` processes, the providers beside them, and the people who write to them."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from bot import clock, programme, seals
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.db import Database
from bot.settings import Settings
from bot.store import communities, meeting, secrets
from tests.child import PATIENCE, Child
from tests.fakes.phones import TelegramPhone, WhatsAppPhone, post
from tests.fakes.process import Fake

PUBLIC = "https://bot.example.org"
SECRET = "a-long-random-word"
TOKEN = "123456:AAsecret-part-of-the-token"
ACCOUNT = "AC" + "0" * 32
AUTH = "the-auth-token-of-twilio"
SENDER = "whatsapp:+14155238886"
LANES = {
    "telegram": Telegram(TOKEN, SECRET, "https://api.telegram.org", PUBLIC).lane,
    "whatsapp": WhatsApp(ACCOUNT, AUTH, SENDER, "https://api.twilio.com", PUBLIC).lane,
}
PROGRAMME = {
    "programme": {
        "slug": "test",
        "names": {"en": "Test", "lo": "ທົດສອບ", "km": "សាកល្បង"},
        "contact": "help@example.org",
    },
    "communities": [
        {
            "slug": "crafts",
            "names": {"en": "Crafts", "lo": "ຫັດຖະກຳ", "km": "សិប្បកម្ម"},
            "language": "lo",
            "timezone": "Asia/Vientiane",
        }
    ],
}


def until(
    what: str, look: Callable[[], Any], seconds: float = PATIENCE, every: float = 0.02
) -> Any:
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)
    return found


# Processes --------------------------------------------------------------------------------------


class Nursery(Child):
    """Starts real `linkline` processes quickly; see tests/killable.py."""

    def __init__(self) -> None:
        super().__init__("nursery", "tests.killable")

    def start_one(self, order: dict[str, Any]) -> int:
        pid: int = self.ask(**order)
        return pid

    def ended(self, pid: int) -> int | None:
        code: int | None = self.ask(ended=pid)
        return code


class Linkline:
    """One `linkline` process after the other, with the same settings and log files."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        env: dict[str, str],
        *args: str,
        changes: Sequence[str] = (),
    ) -> None:
        name = f"{args[0]}{next(self._numbers)}"
        self.args, self.env, self.changes = args, dict(env), list(changes)
        self.stdout, self.stderr = folder / f"{name}.out", folder / f"{name}.err"
        self.code: int | None = None
        self.pid = 0
        self._nursery = nursery
        self._seen = 0  # how much of its output belongs to earlier lives

    def start(self, die_at: tuple[str, int, str] | None = None, *changes: str) -> Self:
        """`die_at` is (point, n-th pass, the file that must exist): see tests/killable.py."""
        self._seen = len(self.printed())
        order = {
            "args": self.args,
            "env": self.env,
            "stdout": str(self.stdout),
            "stderr": str(self.stderr),
            "changes": [*self.changes, *changes],
            "die_at": die_at,
        }
        self.code, self.pid = None, self._nursery.start_one(order)
        return self

    def ready(self) -> bool:
        """It listens, or works. It may also have died on the way: see `alive`."""
        line = self.printed()[self._seen :]
        if "http://" in line and line.endswith("\n"):
            port = line.strip().rpartition(":")[2]
            self.env["PORT"] = port  # the next life listens there too
        return line.endswith("\n")

    def wait_ready(self) -> Self:
        def look() -> bool:
            if not self.alive():
                raise RuntimeError(f"linkline {self.args} ended with {self.code}:\n{self.errors()}")
            return self.ready()

        until(f"linkline {self.args}", look)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['PORT']}"

    def alive(self) -> bool:
        if self.code is None and self.pid:
            self.code = self._nursery.ended(self.pid)
        return self.code is None and self.pid > 0

    def signal(self, number: int) -> None:
        if self.alive():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As kill -9 does; returns when it is dead."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        until(f"the end of linkline {self.args}", lambda: not self.alive(), seconds)
        assert self.code is not None
        return self.code

    def printed(self) -> str:
        return self.stdout.read_text(encoding="utf-8") if self.stdout.exists() else ""

    def errors(self) -> str:
        return self.stderr.read_text(encoding="utf-8") if self.stderr.exists() else ""


# People -----------------------------------------------------------------------------------------


class Packet(NamedTuple):
    """One webhook call as the provider makes it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Bubble:
    """What came to a phone."""

    id: str  # the provider's
    text: str
    buttons: list[str] = field(default_factory=list)  # their data


@dataclass
class Person:
    """Somebody with one phone; what she does is built here and posted by the town."""

    name: str
    channel: str
    language: str
    address: str  # as the provider's API names her
    phone: Any
    heard: list[Bubble] = field(default_factory=list)

    def says(self, text: str) -> Packet:
        return self._packet(self.phone.say(text))

    def quotes(self, bubble: Bubble, text: str) -> Packet:
        if self.channel == "telegram":
            return self._packet(self.phone.reply(text, int(bubble.id), bubble.text))
        return self._packet(self.phone.reply(text, bubble.id))

    def chooses(self, bubble: Bubble, index: int) -> Packet:
        """A tap; on WhatsApp she quotes the list and types a number."""
        if self.channel == "telegram":
            return self._packet(self.phone.tap(bubble.buttons[index], int(bubble.id)))
        return self.quotes(bubble, str(index + 1))

    def _packet(self, content: Any) -> Packet:
        return telegram(content) if self.channel == "telegram" else whatsapp(self.phone, content)

    def with_words(self, words: str) -> list[Bubble]:
        return [bubble for bubble in self.heard if words in bubble.text]


def telegram(update: Any, secret: str | None = SECRET) -> Packet:
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    return Packet("/webhooks/telegram", headers, json.dumps(update).encode())


def whatsapp(phone: WhatsAppPhone, form: list[tuple[str, str]]) -> Packet:
    return Packet("/webhooks/whatsapp", phone.headers(form), urlencode(form).encode())


def deliver(url: str, packet: Packet) -> int:
    """The status answered; 0 if nobody answered."""
    try:
        return post(url + packet.path, packet.body, packet.headers)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return 0


def insist(urls: Sequence[str], packet: Packet, seconds: float = PATIENCE) -> int:
    """Post until it is taken, as both providers do; how often that was."""
    tries = itertools.count(1)
    turns = itertools.cycle(urls)
    until("a 2xx", lambda: 200 <= deliver(next(turns), packet) < 300 or not next(tries), seconds)
    return next(tries)


# The town ---------------------------------------------------------------------------------------


class Town:
    """A store, both providers, and people who are members of one community."""

    def __init__(
        self, database_url: str, folder: Path, nursery: Nursery, fakes: tuple[Fake, Fake]
    ) -> None:
        self.folder, self.nursery, self.key = folder, nursery, seals.new_key()
        self.media = folder / "media"
        self.telegram, self.twilio = fakes
        self.database_url = database_url
        self.people: dict[str, Person] = {}
        self.entries: list[dict[str, Any]] = []  # every request to a provider
        self._by_address: dict[str, Person] = {}
        self._files = [(folder / f"{name}.jsonl").open("rb") for name in ("telegram", "twilio")]
        self._reading = threading.Lock()
        self.processes: list[Linkline] = []
        self.store = self._open()

    def _open(self) -> Database:
        seals.use(seals.Keyring([self.key]))
        store = Database(self.database_url)
        found = programme.Programme.model_validate(PROGRAMME)
        store.run_now(secrets.open_store)
        store.run_now(lambda db: programme.load(db, found, LANES, clock.now()))
        return store

    def env(self, **more: str) -> dict[str, str]:
        settings = {
            "LINKLINE_ENV": "production",
            "LINKLINE_KEYS": self.key,
            "LINKLINE_DISK": "kept",  # wherever tests run
            "DATABASE_URL": self.database_url,
            "MEDIA_URL": str(self.media),
            "PORT": "0",
            "PUBLIC_URL": PUBLIC,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "TELEGRAM_API_URL": self.telegram.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": AUTH,
            "TWILIO_WHATSAPP_FROM": SENDER,
            "TWILIO_API_URL": self.twilio.url,
        }
        return clean_env() | settings | more

    def linkline(self, *args: str, changes: Sequence[str] = ("hurry",), **env: str) -> Linkline:
        """A process of this town, not started yet."""
        process = Linkline(self.nursery, self.folder, self.env(**env), *args, changes=changes)
        self.processes.append(process)
        return process

    def settle_three(self, *languages: str) -> None:
        """Noy on WhatsApp, Dara and Alex on Telegram, with the language of each."""
        noy, dara, alex = languages
        self.settle("Noyzebra", "whatsapp", noy)
        self.settle("Darazebra", "telegram", dara)
        self.settle("Alexzebra", "telegram", alex)

    def settle(self, name: str, channel: str, language: str) -> Person:
        """A member from before the beginning."""
        number = len(self.people) + 1
        if channel == "telegram":
            address = str(770_001_000 + number)
            phone: Any = TelegramPhone(None, SECRET, int(address), name, language)
        else:
            called = f"+85620771234{number:02}"
            address = f"whatsapp:{called}"
            url = f"{PUBLIC}/webhooks/whatsapp"
            phone = WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, called, profile_name=name)
        person = Person(name, channel, language, address, phone)
        self.people[name] = self._by_address[address] = person
        self.store.run_now(lambda db: self._join(db, person))
        return person

    def _join(self, db: Any, person: Person) -> None:
        member_id, _address_id = meeting.add_ready(
            db,
            LANES[person.channel],
            person.address,
            clock.now(),
            name=person.name,
            language=person.language,
            consent_at=clock.now(),
            consent_version="test",
        )
        found = communities.find(db, "crafts")
        assert found is not None
        communities.join(db, member_id, found.id, "member", "active", clock.now())

    def read_mail(self) -> None:
        """Give everybody what the providers have taken since the last time."""
        with self._reading:
            for file in self._files:
                while line := file.readline():
                    if not line.endswith(b"\n"):  # half written
                        file.seek(-len(line), os.SEEK_CUR)
                        break
                    self._sort(json.loads(line))

    def _sort(self, entry: dict[str, Any]) -> None:
        self.entries.append(entry)
        person = self._by_address.get(entry["to"])
        if person is None or not 200 <= entry["status"] < 300:
            return
        if entry["method"] == "sendMessage":
            rows = (entry["fields"].get("reply_markup") or {}).get("inline_keyboard", [])
            buttons = [each["callback_data"] for row in rows for each in row]
            number = str(entry["answer"]["result"]["message_id"])
            person.heard.append(Bubble(number, entry["fields"]["text"], buttons))
        elif entry["method"] == "POST":
            person.heard.append(Bubble(entry["answer"]["sid"], entry["fields"]["Body"]))

    def hears(self, name: str, words: str, seconds: float = PATIENCE) -> Bubble:
        """Wait until she has a bubble with these words; the latest one."""

        def look() -> list[Bubble]:
            self.read_mail()
            return self.people[name].with_words(words)

        found: list[Bubble] = until(f"{name} to hear {words!r}", look, seconds)
        return found[-1]

    def complaints(self) -> list[Any]:
        self.read_mail()
        return [each["complaints"] for each in self.entries if each.get("complaints")]

    def leaks(self) -> list[str]:
        """What of people and secrets stands in the logs of the processes."""
        private = [TOKEN.partition(":")[2], SECRET, AUTH, self.key, ACCOUNT, "+14155238886"]
        for person in self.people.values():
            private += [person.name, person.address.removeprefix("whatsapp:+")]
        private += ["zebra", "Traceback"]  # each text in these tests holds this word
        logs = "\n".join(each.errors() + each.printed() for each in self.processes)
        return [each for each in private if each in logs]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        self.store.close()
        for file in self._files:
            file.close()


def clean_env() -> dict[str, str]:
    """The environment without any setting of ours."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours}


@contextmanager
def town(database_url: str, folder: Path, nursery: Nursery) -> Iterator[Town]:
    """Everything but linkline itself, started and ended."""
    paths = [folder / f"{name}.jsonl" for name in ("telegram", "twilio")]
    for path in paths:
        path.touch()
    with (
        Fake("telegram", "--token", TOKEN, "--history", str(paths[0])) as telegram_fake,
        Fake("twilio", "--auth-token", AUTH, "--history", str(paths[1])) as twilio_fake,
    ):
        place = Town(database_url, folder, nursery, (telegram_fake, twilio_fake))
        try:
            yield place
        finally:
            place.close()
