"""Phones that write at their own pace, answered or not: `-m tests.bench.pace`.

A line of JSON on standard input is one round: the pause before each update, in seconds. The answer
is when each was posted, by chat, on the clock that the fake provider reads too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

from tests.bench.cast import FIRST_USER
from tests.bench.load import HEADERS, update


async def post_all(session: aiohttp.ClientSession, wanted: dict[str, Any]) -> dict[int, float]:
    url = f"{wanted['url']}/webhooks/telegram"
    posting, posted = [], {}
    due = time.monotonic()
    for number, pause in enumerate(wanted["pauses"]):
        due += pause
        body = update(number, wanted["text"])
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        posted[FIRST_USER + number] = time.monotonic()
        posting.append(asyncio.create_task(_post(session, url, body)))
    await asyncio.gather(*posting)
    return posted


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    async with session.post(url, data=body, headers=HEADERS) as answer:
        await answer.read()
        answer.raise_for_status()


async def main() -> None:
    async with aiohttp.ClientSession() as session:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await post_all(session, json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
