"""(v) a voice note of a minute, from WhatsApp's webhook until Telegram has it: CPU time by stage.

Beside it the same sound decoded and encoded by PyAV alone, in the same run. What memory it takes is
looked at in a `linkline run` of its own, and in the cell that this starts.
"""

from __future__ import annotations

import asyncio
import base64
import io
import resource
import threading
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import wraps
from statistics import median
from typing import Any
from unittest import mock

import av

from bot import clock, parts
from bot.app import App
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.media import fetching
from bot.media.fetching import Fetcher
from bot.media.vault import Vault
from bot.settings import Settings
from bot.store import communities, meeting
from tests.bench.cast import TOKEN
from tests.bench.processes import Process
from tests.bench.rig import DATABASES, Rig, met
from tests.bench.stores import Store
from tests.fakes.phones import WhatsAppPhone
from tests.fakes.process import Fake
from tests.media import files
from tests.processes import ACCOUNT, AUTH, PUBLIC, SENDER, Packet, Person, insist, until, whatsapp

SECONDS = 60.0
MOST_MB = 200
CALLED = "+8562077123499"
STAGES: dict[str, tuple[Any, str]] = {
    "fetch": (Fetcher, "_bring"),
    "clean, in its cell": (fetching, "clean"),
    "seal and keep": (Vault, "put"),
    "take out and open": (parts, "fill"),
    "send": (Telegram, "_upload"),
}
Spent = Counter[str]  # CPU seconds by stage


def run(rig: Rig) -> None:
    voice = files.voice(SECONDS)
    print(f"(v) a voice of {SECONDS:.0f} s, {len(voice) / 1000:.0f} kB; CPU time")
    with (
        Fake("telegram", "--token", TOKEN) as telegram,
        Fake("twilio", "--auth-token", AUTH) as twilio,
    ):
        scene = Scene(rig, telegram, twilio, voice)
        for database in DATABASES:
            store = scene.store(database)
            rounds = asyncio.run(scene.play(store))
            clock.reset()
            _print(database, rounds, median(_alone(voice) for _round in rounds))
        of_cells: list[float] = []
        for database in DATABASES:
            before, most, of_cell = scene.measure(scene.store(database))
            of_cells.append(of_cell)
            print(
                f"  {database}, memory of the process at most: {most:.0f} MB"
                f" (aim {MOST_MB}: {met(most < MOST_MB)}), before that {before:.0f} MB"
            )
        print(f"  of a cell, which is the same for both: {max(of_cells):.0f} MB seen at most")


def _print(database: str, rounds: Sequence[Spent], alone: float) -> None:
    whole = median(each["all"] for each in rounds)
    print(
        f"  {database}: {whole:.2f} s from webhook to delivered,"
        f" {whole / alone:.2f} times decoding and encoding alone ({alone:.2f} s)"
    )
    for stage in (*STAGES, "turns, words and the store"):
        spent = median(each[stage] for each in rounds)
        print(f"    {stage:<28}{spent:6.3f} s {spent / alone:7.3f} times")


def _alone(voice: bytes) -> float:
    """The bare limit: the same sound through the same decoder and encoder."""
    begun, target = _cpu(), io.BytesIO()
    with av.open(io.BytesIO(voice)) as sound, av.open(target, "w", format="ogg") as ogg:
        options = {"application": "voip", "frame_duration": "20"}
        stream = ogg.add_stream("libopus", rate=files.RATE, layout="mono", options=options)
        stream.bit_rate = 24_000
        for frame in sound.decode(audio=0):
            ogg.mux(stream.encode(frame))
        ogg.mux(stream.encode(None))
    return _cpu() - begun


def _cpu() -> float:
    """Of this process, with all that it has started and that has ended."""
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + of_children.ru_utime + of_children.ru_stime


class Scene:
    """Noy on WhatsApp asks by voice, her only peer hears it in Telegram."""

    def __init__(self, rig: Rig, telegram: Fake, twilio: Fake, voice: bytes) -> None:
        self._rig, self._telegram, self._twilio = rig, telegram, twilio
        self._sound = {"content_type": "audio/ogg", "base64": base64.b64encode(voice).decode()}
        url = f"{PUBLIC}/webhooks/whatsapp"
        phone = WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, CALLED, profile_name="Noy")
        self._noy = Person("Noy", "whatsapp", "en", f"whatsapp:{CALLED}", phone)
        self._stores = 0

    def store(self, database: str) -> Store:
        self._stores += 1
        store = self._rig.store(database, f"voices_{self._stores}", 1)
        opened = store.open()
        opened.run_now(self._settle)
        opened.close()
        return store

    def _settle(self, db: Any) -> None:
        now = clock.now()
        lane = WhatsApp(ACCOUNT, AUTH, SENDER, self._twilio.url, PUBLIC).lane
        about = {"name": "Noy", "language": "en", "consent_at": now, "consent_version": "bench"}
        member_id, _address_id = meeting.add_ready(db, lane, self._noy.address, now, **about)
        found = communities.find(db, "health")
        assert found is not None
        communities.join(db, member_id, found.id, "member", "active", now)

    def _environment(self, store: Store) -> dict[str, str]:
        return store.environment(self._telegram.url) | {
            "MEDIA_URL": str(self._rig.folder / f"media_{self._stores}"),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": AUTH,
            "TWILIO_WHATSAPP_FROM": SENDER,
            "TWILIO_API_URL": self._twilio.url,
        }

    def _voice(self) -> Packet:
        sid = f"ME{uuid.uuid4().hex}"
        self._twilio.control(media={sid: self._sound})
        return whatsapp(self._noy.phone, self._noy.phone.voice(sid))

    def _count_heard(self) -> int:
        return len(self._telegram.accepted("sendVoice"))

    # In this process, stage by stage

    async def play(self, store: Store) -> list[Spent]:
        found = {name.lower(): value for name, value in self._environment(store).items()}
        known = {name: found[name] for name in Settings.model_fields if name in found}
        app = App(Settings(_env_file=None, **known))  # type: ignore[call-arg,arg-type]
        try:
            return [await self._ask(app) for _round in range(self._rig.size.rounds)]
        finally:
            await app.stop()

    async def _ask(self, app: App) -> Spent:
        await self._take(app, self._noy.says("ask"))
        voice, heard, spent = self._voice(), self._count_heard(), Counter[str]()
        with ExitStack() as watched:
            for stage, (place, name) in STAGES.items():
                wrapper = _over(stage, getattr(place, name), spent)
                watched.enter_context(mock.patch.object(place, name, wrapper))
            begun = _cpu()
            await self._take(app, voice)
            await self._take(app, self._noy.says("1"))  # Send
            spent["all"] = _cpu() - begun
        assert self._count_heard() == heard + 1, "nobody has heard it"
        spent["turns, words and the store"] = spent["all"] - sum(spent[each] for each in STAGES)
        return spent

    async def _take(self, app: App, packet: Packet) -> None:
        [channel] = [each for each in app.channels if isinstance(each, WhatsApp)]
        headers = {name.lower(): value for name, value in packet.headers.items()}
        await app.take(channel, channel.receive(packet.path, headers, packet.body))
        await app.drain()
        clock.move(timedelta(seconds=5))  # a preview waits for more bubbles
        await app.drain()

    # In a process of its own

    def measure(self, store: Store) -> tuple[float, float, float]:
        """The most memory: of the process before and with the voice, of a cell."""
        environment, log = self._environment(store), self._rig.folder / "log"
        over, of_cells = threading.Event(), [0.0]
        with Process("linkline run", "bot", "run", env=environment, log=log) as process:
            self._say(process, self._noy.says("ask"), "What would you like to ask")
            before = process.most_mb()

            def look() -> None:
                while not over.wait(0.005):
                    of_cells.append(process.most_of_children_mb())

            looking = threading.Thread(target=look)
            looking.start()
            try:
                self._say(process, self._voice(), "1. Send")
                heard = self._count_heard()
                insist([process.url], self._noy.says("1"))
                until("to be heard", lambda: self._count_heard() == heard + 1)
            finally:
                over.set()
                looking.join()
            return before, process.most_mb(), max(of_cells)

    def _say(self, process: Process, packet: Packet, answer: str) -> None:
        """And hear the answer, which waits for more bubbles if it is about a question."""
        said = len(self._twilio.history())

        def has_heard() -> bool:
            new = self._twilio.history()[said:]
            return any(answer in str(each["fields"].get("Body")) for each in new)

        insist([process.url], packet)
        until(answer, has_heard)


def _over(
    stage: str, work: Callable[..., Awaitable[Any]], spent: Spent
) -> Callable[..., Awaitable[Any]]:
    """What is done one at a time can be told apart by the clock of the processor."""

    @wraps(work)
    async def counted(*given: Any, **named: Any) -> Any:
        begun = _cpu()
        try:
            return await work(*given, **named)
        finally:
            spent[stage] += _cpu() - begun

    return counted
