"""How the providers hand in what people say, and how they insist: each in its own way."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import aiohttp

from tests.processes import Packet

# Telegram: of one chat one after the other; again at once, then after 2, 4, 8 ... seconds, or as
# Retry-After says; at most 40 connections. (No more than 10 s here, so that a soak has an end.)
CONNECTIONS = 40
LONGEST = 10.0
# Twilio, with #rc=5&rp=all: five times more, in 15 seconds altogether; then it is over.
RETRIES = 5
WITHIN = 15.0
ANSWER = 15.0


@dataclass
class Post:
    """One thing that somebody said."""

    person: str
    packet: Packet
    statuses: list[int] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        return any(200 <= status < 300 for status in self.statuses)


class Poster:
    """Both providers, in one loop; `posts` holds what became of each."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: list[Post] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._chats: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._connections = asyncio.Semaphore(CONNECTIONS)

    async def __aenter__(self) -> Poster:
        limits = aiohttp.TCPConnector(limit=200)
        self._http = aiohttp.ClientSession(
            connector=limits, timeout=aiohttp.ClientTimeout(total=ANSWER)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    def telegram(self, person: str, packet: Packet) -> None:
        self._begin(self._from_telegram, Post(person, packet))

    def twilio(self, person: str, packet: Packet) -> None:
        self._begin(self._from_twilio, Post(person, packet))

    async def end(self, seconds: float) -> None:
        """Wait until nobody insists any more."""
        if self._tasks:
            _done, left = await asyncio.wait(self._tasks, timeout=seconds)
            if left:
                raise TimeoutError(f"{len(left)} posts are not taken after {seconds:.0f} s")

    def _begin(self, how, post: Post) -> None:  # type: ignore[no-untyped-def]
        self.posts.append(post)
        task = asyncio.create_task(how(post))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _from_telegram(self, post: Post) -> None:
        async with self._chats[post.person]:
            wait = 0.0
            while not post.taken:
                async with self._connections:
                    told = await self._post(post)
                if not post.taken:
                    await asyncio.sleep(told or wait)
                    wait = min(LONGEST, max(2.0, wait * 2))

    async def _from_twilio(self, post: Post) -> None:
        end = asyncio.get_running_loop().time() + WITHIN
        for number in range(1 + RETRIES):
            await self._post(post)
            left = end - asyncio.get_running_loop().time()
            if post.taken or left <= 0:
                return
            # How long it waits between them is not told; as if it spread them over its time.
            await asyncio.sleep(min(left, 0.5 * 2**number))

    async def _post(self, post: Post) -> float:
        """What Retry-After said."""
        path, headers, body = post.packet
        try:
            async with self._http.post(self.url + path, data=body, headers=headers) as answer:
                await answer.read()
                post.statuses.append(answer.status)
                return float(answer.headers.get("Retry-After", 0))
        except (aiohttp.ClientError, TimeoutError):
            post.statuses.append(0)
            return 0.0
