"""Both ends of a fake's process: history and failures inside it, starting and stopping outside."""

import argparse
import asyncio
import json
import math
import os
import random
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tests.child import PATIENCE, Child

READY = "listening on "


@dataclass(slots=True)
class Call:
    """One request to a provider."""

    method: str
    path: str
    to: str
    fields: dict[str, Any]
    complaints: list[str] = field(default_factory=list)
    came: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Answer:
    """What the provider says to it; status 0 is a connection closed without a word."""

    status: int
    body: Any = None
    headers: dict[str, str] | None = None
    retry_after: float = 0  # seconds in which nothing more is wanted ...
    whole: bool = False  # ... by this account at all, not only to this person

    def response(self) -> Response:
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        return JSONResponse(self.body, self.status, self.headers)


Accept = Callable[[Call], Awaitable[Answer]]


@dataclass(slots=True)
class Failure:
    """One line of the failure script; `times` -1 is for ever, `share` hits some of what fits."""

    match: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    status: int = 0
    body: Any = None
    retry_after: int = 0
    delay: float = 0
    after_accept: bool = False
    drop_connection: bool = False
    share: float = 1.0
    whole: bool = False  # nothing is taken from anybody before retry_after is over

    def fits(self, call: Call) -> bool:
        facts: dict[str, Any] = {name.lower(): value for name, value in call.fields.items()}
        facts |= {"method": call.method, "path": call.path, "to": call.to}
        return self.times != 0 and all(
            str(facts.get(name.lower())) == str(value) for name, value in self.match.items()
        )


class FakeProvider:
    """What both providers share: flags, the failure script and the history of every request."""

    # `latency`: seconds until an answer, from and to; `seed` decides about it and about shares.
    defaults: ClassVar[dict[str, Any]] = {"clock_offset": 0, "latency": [0, 0], "seed": 0}

    def __init__(self, options: argparse.Namespace) -> None:
        self.fast: bool = options.fast
        # Open for as long as the process lives.
        self._file = open(options.history, "a", encoding="utf-8") if options.history else None  # noqa: SIM115
        self._requests = 0
        self._accepted = 0
        self.reset()

    def reset(self) -> None:
        """As if freshly started; the history file and its numbering go on."""
        self.flags = dict(self.defaults)
        self.failures: list[Failure] = []
        self.chance = random.Random(0)
        self.closed_until = 0.0
        self.entries: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def failure_answer(self, failure: Failure) -> Answer:
        raise NotImplementedError

    def actions(self) -> dict[str, Callable[[Any], None]]:
        """Controls that do something once instead of setting a flag."""
        return {"fail": self._script_failures, "seed": self._sow}

    def _sow(self, seed: int) -> None:
        self.flags["seed"] = seed
        self.chance = random.Random(seed)

    def now(self) -> float:
        return time.time() + float(self.flags["clock_offset"])

    def control(self, wanted: dict[str, Any]) -> None:
        if wanted.pop("reset", False):
            self.reset()
        actions = self.actions()
        for name, value in wanted.items():
            if name in actions:
                actions[name](value)
            elif name in self.flags:
                self.flags[name] = value
            else:
                raise ValueError(f"unknown control {name}")

    def _script_failures(self, rules: list[dict[str, Any]]) -> None:
        self.failures = [Failure(**rule) for rule in rules]

    async def answer(self, request: Request, call: Call, accept: Accept) -> Response:
        """Accept the call or fail it as scripted, and write it down."""
        if max(self.flags["latency"]) > 0:
            await asyncio.sleep(self.chance.uniform(*self.flags["latency"]))
        if (left := self.closed_until - time.monotonic()) > 0:
            wait = Failure(status=429, retry_after=math.ceil(left), whole=True)
            return await self._fail(request, call, wait, accept)
        for failure in self.failures:
            if failure.fits(call) and self.chance.random() < failure.share:
                failure.times -= 1
                return await self._fail(request, call, failure, accept)
        return self.record(call, await accept(call)).response()

    async def _fail(
        self, request: Request, call: Call, failure: Failure, accept: Accept
    ) -> Response:
        if failure.after_accept:
            self.record(call, await accept(call), lost=True)
        await asyncio.sleep(failure.delay)
        if failure.drop_connection or (failure.after_accept and not failure.status):
            if not failure.after_accept:
                self.record(call, Answer(0), lost=True)
            return await drop_connection(request)
        answer = self.failure_answer(failure) if failure.status else await accept(call)
        if failure.retry_after:
            answer.retry_after, answer.whole = failure.retry_after, failure.whole
        if failure.whole and failure.retry_after and time.monotonic() >= self.closed_until:
            self.closed_until = time.monotonic() + failure.retry_after
        if not failure.after_accept:
            self.record(call, answer)
        return answer.response()

    def record(self, call: Call, answer: Answer, lost: bool = False) -> Answer:
        """`lost` tells that the client never saw this answer."""
        self._requests += 1
        self._accepted += 200 <= answer.status < 300
        entry = {
            "n": self._requests,
            "came": call.came,
            "at": time.monotonic(),
            "method": call.method,
            "path": call.path,
            "to": call.to,
            "status": answer.status,
            "lost": lost,
        }
        if answer.retry_after:
            entry |= {"retry_after": answer.retry_after, "whole": answer.whole}
        if not self.fast:
            entry |= {"fields": call.fields, "complaints": call.complaints, "answer": answer.body}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
        return answer

    def clear(self) -> None:
        self.entries.clear()

    async def serve_history(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.clear()
            return Response(status_code=204)
        since = int(request.query_params.get("since", 0))
        return JSONResponse([entry for entry in self.entries if entry["n"] > since])

    async def serve_control(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                self.control(await request.json())
        except (ValueError, TypeError, KeyError) as problem:
            return JSONResponse({"error": str(problem)}, 400)
        return JSONResponse(self.flags)

    async def serve_health(self, _request: Request) -> Response:
        return JSONResponse({"requests": self._requests, "accepted": self._accepted})

    async def serve_unknown(self, request: Request) -> Response:
        """Calls to what is not faked leave a trace too."""
        call = Call(request.method, request.url.path, "", {})
        return self.record(call, self.failure_answer(Failure(status=404))).response()

    def app(self) -> Starlette:
        own = [
            Route("/_history", self.serve_history, methods=["GET", "DELETE"]),
            Route("/_control", self.serve_control, methods=["GET", "POST"]),
            Route("/_healthz", self.serve_health),
            Route("/{path:path}", self.serve_unknown, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        return Starlette(routes=self.routes() + own)


OPEN_CONNECTIONS: dict[Any, asyncio.Transport] = {}


class NamedConnection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Keeps the transport of each client, since an ASGI app alone cannot hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        OPEN_CONNECTIONS[transport.get_extra_info("peername")] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        OPEN_CONNECTIONS.pop(self.transport.get_extra_info("peername"), None)
        super().connection_lost(exc)


async def drop_connection(request: Request) -> Response:
    """Hang up; the response returned is never sent."""
    connection = OPEN_CONNECTIONS.get(request.scope["client"])
    if connection is not None:  # the client may have hung up first
        connection.abort()
    await asyncio.sleep(0.01)
    return Response()


class AnnouncingServer(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or ():
            print(f"{READY}http://127.0.0.1:{one.getsockname()[1]}", flush=True)


def options_parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--history", help="also append every request to this file, a line each")
    parser.add_argument("--fast", action="store_true", help="no contract checks, no bodies kept")
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when stdin is closed")
    return parser


def run(provider: FakeProvider, options: argparse.Namespace) -> None:
    if options.exit_with_stdin:
        threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    config = uvicorn.Config(
        provider.app(),
        http=NamedConnection,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
    )
    AnnouncingServer(config).run(sockets=[listener])


def _exit_at_end_of_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


class Fake(Child):
    """Runs `python -m tests.fakes.<name>`; it ends with this process, even if that is killed."""

    def __init__(self, name: str, *options: str) -> None:
        super().__init__(name, f"tests.fakes.{name}", "--exit-with-stdin", *options)
        # Never through a proxy: the fake listens on this machine only.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def history(self, since: int = 0) -> list[dict[str, Any]]:
        """Every request, accepted or refused, whose number `n` is above `since`."""
        entries: list[dict[str, Any]] = self.get(f"/_history?since={since}")
        return entries

    def accepted(self, method: str | None = None) -> list[dict[str, Any]]:
        """The requests the provider took, perhaps of one method only."""
        return [
            entry
            for entry in self.history()
            if 200 <= entry["status"] < 300 and method in (None, entry["method"])
        ]

    def control(self, **flags: Any) -> dict[str, Any]:
        """Set flags; answers all of them."""
        now_set: dict[str, Any] = self._request("POST", "/_control", json.dumps(flags).encode())
        return now_set

    def clear(self) -> None:
        """Forget the history."""
        self._request("DELETE", "/_history")

    def reset(self) -> None:
        """Forget everything, as if freshly started."""
        self.control(reset=True)

    def wait_for(self, count: int, method: str | None = None, seconds: float = PATIENCE) -> None:
        """Until `count` requests were accepted."""
        end = time.monotonic() + seconds
        while len(self.accepted(method)) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.url}: not {count} accepted requests ({method or 'any'})")
            time.sleep(0.02)

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def _request(self, verb: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.url + path, body, method=verb)
        with self._opener.open(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None
