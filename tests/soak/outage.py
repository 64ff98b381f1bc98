"""(d) The database is away for a while, and people go on writing."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

from sqlalchemy import Connection, select

from bot import seals
from bot.models import inbox
from tests.processes import LANES, Nursery, Town, town
from tests.soak import ground
from tests.soak.figures import Figures
from tests.soak.posting import Poster

A_SECOND = 20  # messages of each channel
PEOPLE = 240  # nobody says more than there is room for in a minute
CHANNELS = ("telegram", "whatsapp")


@contextmanager
def _place(
    store: str, folder: Path, exits: ExitStack
) -> Iterator[tuple[Town, Callable[[float], None]]]:
    """The town, and what takes its database away for so many seconds."""
    if store == "sqlite":
        url = ground.migrated(f"sqlite:///{folder / 'soak.db'}")
    else:
        server = exits.enter_context(ground.postgres())
        url = server.database()
    nursery = exits.enter_context(Nursery())
    with town(url, folder, nursery) as place:

        def lock(seconds: float) -> None:
            """Another process holds the file."""
            with place.store.engine.begin() as db:
                db.exec_driver_sql("BEGIN IMMEDIATE")
                time.sleep(seconds)

        def stop(seconds: float) -> None:
            """The server ends, and begins again."""
            place.store.engine.dispose()
            server.stop()
            time.sleep(seconds)
            server.start()

        yield place, lock if store == "sqlite" else stop


def run(store: str, seed: int, *, away: float, quick: bool = False) -> Figures:
    figures, begun = Figures("d", store, seed), time.monotonic()
    with ExitStack() as exits:
        folder = Path(exits.enter_context(ground.folder()))
        place, take_away = exits.enter_context(_place(store, folder, exits))
        crowd = ground.settle(place, PEOPLE)
        changes = ["soak quickly"] if quick else []
        # SQLite waits for ten seconds each time; in a short run it gives up sooner.
        changes += ["give up soon"] if quick and store == "sqlite" else []
        server = place.linkline("run", changes=changes).start().wait_ready()
        place.twilio.control(deliver_callbacks_to=server.url)
        poster = asyncio.run(_write(place, crowd, server.url, away, take_away))
        ground.wait_quiet(place, 120)
        _count(place, figures, poster, away)
        if not server.alive():
            figures.unexpect("the server did not live through it")
    figures.notes.append(f"took {time.monotonic() - begun:.0f} s")
    return figures


async def _write(
    place: Town, crowd: ground.Crowd, url: str, away: float, take_away: Callable[[float], None]
) -> Poster:
    """A while before, all the time, and a while after."""
    people = [ground.voice(place, crowd, n) for n in range(len(crowd))]
    voices = {name: [each for each in people if each.channel == name] for name in CHANNELS}
    calm = min(3.0, away / 2)
    outage = threading.Timer(calm, take_away, [away])
    outage.start()
    said: Counter[str] = Counter()
    try:
        async with Poster(url) as poster:
            begun = time.monotonic()
            for number in range(int((away + 2 * calm) * A_SECOND)):
                for channel, post in (("telegram", poster.telegram), ("whatsapp", poster.twilio)):
                    person = voices[channel][number % len(voices[channel])]
                    words = ("/ask", "/cancel")[said[person.address] % 2]
                    said[person.address] += 1
                    post(person.address, person.says(words))
                await asyncio.sleep(max(0, begun + (number + 1) / A_SECOND - time.monotonic()))
            await poster.end(60 + away)
            return poster
    finally:
        outage.join(away + 60)


# Counting ---------------------------------------------------------------------------------------


def _count(place: Town, figures: Figures, poster: Poster, away: float) -> None:
    there = place.store.run_now(held)
    counts: Counter[str] = Counter()
    for post in poster.posts:
        channel = "telegram" if "telegram" in post.packet.path else "whatsapp"
        is_held = key(channel, post.packet.body) in there
        counts["refused"] += post.taken and len(post.statuses) > 1
        if post.taken and not is_held:
            figures.lose(f"something was taken on {channel} and is not in the store")
        if not post.taken and channel == "telegram":
            figures.lose("Telegram gave up")
        if not post.taken and channel == "whatsapp":
            counts["missed"] += 1
            counts["saved anyway"] += is_held
        others = set(post.statuses) - {0, 200, 503}
        figures.unexpect(f"answered with {others}", len(others))
    figures.unexpect("more in the store than was said", max(0, len(there) - len(poster.posts)))
    figures.recovered = counts["refused"]
    figures.notes.append(
        f"{counts['missed']} on WhatsApp outlasted Twilio's tries (of them"
        f" {counts['saved anyway']} were saved all the same): for `linkline whatsapp reconcile`"
    )
    for (state, reason), count in ground.states(place).items():
        if state not in ground.SETTLED:
            figures.unexpect(f"{count} deliveries {state} ({reason})", count)
    _count_answers(place, figures, len(there))
    figures.what = f"{away:.0f} s without a database, {len(poster.posts):,} words"


def _count_answers(place: Town, figures: Figures, there: int) -> None:
    """Each word that is in the store was answered, and once."""
    came: Counter[str] = Counter()
    for address, texts in ground.taken(place).items():
        came["whatsapp" if address.startswith("whatsapp") else "telegram"] += texts.total()
    figures.lose("answers", max(0, there - came.total()))
    figures.allowed = max(0, came.total() - there)
    unheard = sum(1 for each in place.entries if each["lost"])
    figures.repeat("answers", max(0, figures.allowed - unheard))


def held(db: Connection) -> set[bytes]:
    return {bytes(key) for key in db.execute(select(inbox.c.key)).scalars()}


def key(channel: str, body: bytes) -> bytes:
    return seals.lookup("inbox.key", LANES[channel], _name(channel, body))


def _name(channel: str, body: bytes) -> str:
    """What the provider calls it, for ever."""
    if channel == "telegram":
        return str(json.loads(body)["update_id"])
    return dict(parse_qsl(body.decode()))["MessageSid"]
