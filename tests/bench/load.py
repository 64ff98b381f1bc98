"""The load generator: many phones write, never more than so many unanswered: `-m tests.bench.load`.

A line of JSON on standard input is one round; an update is answered when the reply has arrived at
the fake provider, whose own count of accepted calls is asked all the time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

from tests.bench.cast import FIRST_USER, LANGUAGES, SECRET
from tests.fakes.phones import TelegramPhone

LOOK = 0.002  # seconds between looks at the fake
PATIENCE = 20.0  # seconds without any reply
HEADERS = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET}


class Round:
    """`count` updates, each from another phone, with at most `concurrency` unanswered."""

    def __init__(self, session: aiohttp.ClientSession, wanted: dict[str, Any]) -> None:
        self._session = session
        self._webhook = f"{wanted['url']}/webhooks/telegram"
        self._health = f"{wanted['fake']}/_healthz"
        self._bodies = [update(number, wanted["text"]) for number in range(wanted["count"])]
        self._concurrency = int(wanted["concurrency"])
        self._posting: set[asyncio.Task[None]] = set()

    async def run(self) -> float:
        """Seconds until the last reply had arrived."""
        begun = last = time.monotonic()
        before, posted, replied = await self._accepted(), 0, 0
        while replied < len(self._bodies):
            while posted < len(self._bodies) and posted - replied < self._concurrency:
                self._post(self._bodies[posted])
                posted += 1
            await asyncio.sleep(LOOK)
            arrived = await self._accepted() - before
            last = time.monotonic() if arrived > replied else last
            replied = arrived
            self._complain(last)
        await asyncio.gather(*self._posting)
        return time.monotonic() - begun

    def _post(self, body: bytes) -> None:
        task = asyncio.create_task(self._post_one(body))
        self._posting.add(task)

    async def _post_one(self, body: bytes) -> None:
        async with self._session.post(self._webhook, data=body, headers=HEADERS) as answer:
            await answer.read()
            answer.raise_for_status()

    async def _accepted(self) -> int:
        async with self._session.get(self._health) as answer:
            return int((await answer.json())["accepted"])

    def _complain(self, last: float) -> None:
        for task in self._posting:
            if task.done():
                task.result()
        self._posting = {task for task in self._posting if not task.done()}
        if time.monotonic() - last > PATIENCE:
            raise TimeoutError("replies are missing")


def update(number: int, text: str) -> bytes:
    """What the phone of this number posts when it says so."""
    language = LANGUAGES[number % len(LANGUAGES)]
    phone = TelegramPhone(None, SECRET, FIRST_USER + number, f"Noy {number}", language)
    return json.dumps(phone.say(text)).encode()


async def main() -> None:
    async with aiohttp.ClientSession() as session:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds = await Round(session, json.loads(line)).run()
            print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
