"""The bare limit of the sender: aiohttp on uvloop posts the same bodies, 64 at a time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator

import aiohttp
import uvloop

from tests.bench.cast import FIRST_USER, NEWS, TOKEN

IN_FLIGHT = 64


async def post_all(session: aiohttp.ClientSession, url: str, count: int) -> None:
    chats = iter(range(FIRST_USER, FIRST_USER + count))
    await asyncio.gather(*(_post_some(session, url, chats) for _ in range(IN_FLIGHT)))


async def _post_some(session: aiohttp.ClientSession, url: str, chats: Iterator[int]) -> None:
    for chat in chats:
        form = {
            "chat_id": str(chat),
            "text": NEWS,
            "link_preview_options": json.dumps({"is_disabled": True}),
        }
        async with session.post(url, data=form) as answer:
            assert json.loads(await answer.read())["ok"]


async def main(fake: str) -> None:
    async with aiohttp.ClientSession() as session:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            await post_all(session, f"{fake}/bot{TOKEN}/sendMessage", json.loads(line)["count"])
            print("{}", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
