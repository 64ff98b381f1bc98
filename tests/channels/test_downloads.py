"""Files from providers: only from where they keep them, within limits, never from inside."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import downloads
from bot.channels import Gone, Rejected, SendError, TryLater
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.downloads import is_outside
from bot.rehearsal import samples
from tests.channels import ACCOUNT, AUTH, PUBLIC, SECRET, SENDER, TOKEN
from tests.fakes.process import Fake

MOST = 1 << 20
MESSAGE, MEDIA = "MM" + "1" * 32, "ME" + "2" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{MESSAGE}/Media/{MEDIA}"
TWILIO = "https://api.twilio.com"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{AUTH}".encode()).decode()


@dataclass
class Server:
    """Answers by path, in plain bytes, and remembers who asked."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    pause: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        path = first.split()[1]
        self.asked.append((path, {name.lower(): value for name, value in headers.items()}))
        writer.write(self.answers[path])
        await writer.drain()
        await asyncio.sleep(self.pause)
        writer.close()


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        listening.close()


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "Connection: close"]
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        headers["Content_Length"] = str(len(body))
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def refused(work: Awaitable[bytes]) -> SendError:
    with pytest.raises(SendError) as told:
        await work
    return told.value


def with_server(story: Callable[[Server, WhatsApp], Awaitable[None]]) -> None:
    async def go() -> None:
        async with server() as there:
            channel = WhatsApp(ACCOUNT, AUTH, SENDER, there.url, PUBLIC)
            try:
                await story(there, channel)
            finally:
                await channel.close()

    asyncio.run(go())


# Where from ---------------------------------------------------------------------------------------

OTHER = PATH.replace(ACCOUNT, "AC" + "9" * 32)


@pytest.mark.parametrize(
    "reference",
    [
        TWILIO + OTHER,
        "https://169.254.169.254" + PATH,
        "https://127.0.0.1" + PATH,
        "http://api.twilio.com" + PATH,
        "https://api.twilio.com@169.254.169.254" + PATH,
        f"https://169.254.169.254{PATH}#{TWILIO}",
        "https://api.twilio.com.example.org" + PATH,
        "https://example.org/?u=https://api.twilio.com" + PATH,
        "https://api.twilio.com:8443" + PATH,
        TWILIO + PATH + "/../../../../Accounts.json",
        TWILIO + PATH + "?x=1",
        TWILIO + PATH + ".json",
        TWILIO + PATH + "\n",
        TWILIO + PATH.replace(MEDIA, "..%2f..%2fBalance"),
        TWILIO + "/2010-04-01/Accounts.json",
        PATH,
        "//169.254.169.254" + PATH,
        "file:///etc/passwd",
        "vault 0",
        "",
    ],
)
def test_other_addresses_are_not_even_connected_to(reference: str) -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        assert isinstance(await refused(channel.fetch(reference, MOST)), Rejected)
        assert there.connections == 0 and not channel._downloads._sessions

    with_server(story)


@pytest.mark.parametrize("host", [TWILIO, "https://api.dublin.ie1.twilio.com", "own"])
def test_only_the_path_of_what_was_told_is_used(host: str) -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        there.answers[PATH] = response(200, b"a voice")
        place = there.url if host == "own" else host
        assert await channel.fetch(place + PATH, MOST) == b"a voice"
        [(path, headers)] = there.asked
        assert (path, headers["authorization"]) == (PATH, BASIC)

    with_server(story)


def test_one_redirect_is_followed_without_who_we_are() -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        there.answers[PATH] = response(307, Location="/cdn/1")
        there.answers["/cdn/1"] = response(200, b"a voice")
        assert await channel.fetch(TWILIO + PATH, MOST) == b"a voice"
        assert [path for path, _headers in there.asked] == [PATH, "/cdn/1"]
        assert ["authorization" in headers for _path, headers in there.asked] == [True, False]
        there.answers["/cdn/1"] = response(302, Location="/cdn/2")
        assert isinstance(await refused(channel.fetch(TWILIO + PATH, MOST)), Rejected)
        assert there.connections == 4

    with_server(story)


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://rebound.example.org:{port}/",
        "https://user:word@127.0.0.1:{port}/",
        "https://rebound.example.org@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/",
        "http://example.org/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1:{port}/",
        "https://100.64.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_redirect_leads_nowhere_inside(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a name that stands for an address in our own network when it is connected to."""
    known = socket.getaddrinfo
    connected: list[Any] = []

    def rebound(host: Any, *more: Any, **options: Any) -> Any:
        named = host in ("rebound.example.org", b"rebound.example.org")
        return known("127.0.0.1" if named else host, *more, **options)

    async def story(there: Server, channel: WhatsApp) -> None:
        async with server() as inside:
            place = target.format(port=inside.port)
            there.answers[PATH] = response(302, Location=place)
            loop = asyncio.get_running_loop()
            connect = loop.sock_connect

            async def noted(sock: socket.socket, address: Any) -> None:
                connected.append(address[:2])
                await connect(sock, address)

            monkeypatch.setattr(loop, "sock_connect", noted)
            assert isinstance(await refused(channel.fetch(TWILIO + PATH, MOST)), Rejected)
            assert inside.connections == 0
            assert set(connected) <= {("127.0.0.1", there.port)}

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with_server(story)


def test_a_provider_whose_name_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with server() as inside:
            known = socket.getaddrinfo

            def rebound(_host: Any, _port: Any, *more: Any, **options: Any) -> Any:
                return known("127.0.0.1", inside.port, *more, **options)

            monkeypatch.setattr(socket, "getaddrinfo", rebound)
            channel = WhatsApp(ACCOUNT, AUTH, SENDER, TWILIO, PUBLIC)
            assert isinstance(await refused(channel.fetch(TWILIO + PATH, MOST)), Rejected)
            await channel.close()
            assert inside.connections == 0

    asyncio.run(go())


def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        async with server() as proxy:
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            there.answers[PATH] = response(200, b"a voice")
            assert await channel.fetch(TWILIO + PATH, MOST) == b"a voice"
            assert proxy.connections == 0

    with_server(story)


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False), ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("240.0.0.1", False),
        ("192.0.2.1", False), ("198.18.0.1", False), ("::", False), ("::1", False),
        ("::ffff:8.8.8.8", False), ("::ffff:127.0.0.1", False), ("fe80::1%eth0", False),
        ("fc00::1", False), ("fd00:ec2::254", False), ("ff02::1", False), ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False), ("2001:0:7f00:1::", False), ("2001:db8::1", False),
        ("64:ff9b:1::1", False), ("fec0::1", False), ("::7f00:1", False),
        ("::ffff:0:127.0.0.1", False), ("5f00::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_outside(address: str, outside: bool) -> None:
    assert is_outside(address) is outside


# How much, how long -------------------------------------------------------------------------------


def _chunked(pieces: int) -> bytes:
    piece = b"10000\r\n" + b"\0" * 0x10000 + b"\r\n"
    return response(200, piece * pieces + b"0\r\n\r\n", Transfer_Encoding="chunked")


@pytest.mark.parametrize(
    "answered",
    [
        response(200, b"\0" * (MOST + 1)),
        response(200, b"x", Content_Length=str(50 << 20)),
        _chunked(17),
    ],
)
def test_more_than_may_be_is_not_read(answered: bytes) -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        there.answers[PATH] = answered
        told = await refused(channel.fetch(TWILIO + PATH, MOST))
        assert isinstance(told, Rejected) and told.code == "too_big"

    with_server(story)


@pytest.mark.parametrize(
    ("answered", "kind"),
    [
        (response(404), Gone),
        (response(410), Gone),
        (response(401), TryLater),
        (response(429, Retry_After="77"), TryLater),
        (response(500), TryLater),
        (response(503, Retry_After="soon"), TryLater),
        (response(400), Rejected),
        (response(204), Rejected),
        (response(200, b"half", Content_Length="99"), TryLater),
        (b"SSH-2.0 hello\r\n\r\n", TryLater),
    ],
)
def test_what_answers_mean(answered: bytes, kind: type[SendError]) -> None:
    async def story(there: Server, channel: WhatsApp) -> None:
        there.answers[PATH] = answered
        told = await refused(channel.fetch(TWILIO + PATH, MOST))
        assert type(told) is kind
        if b"77" in answered:
            assert isinstance(told, TryLater) and told.after.total_seconds() == 77

    with_server(story)


def test_who_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "SILENT_SECONDS", 0.2)

    async def story(there: Server, channel: WhatsApp) -> None:
        there.pause = 2.0
        there.answers[PATH] = response(200, b"half", Content_Length="99")
        assert isinstance(await refused(channel.fetch(TWILIO + PATH, MOST)), TryLater)

    with_server(story)


# Telegram -----------------------------------------------------------------------------------------


def _get_file(**more: Any) -> bytes:
    about = ", ".join(f'"{name}": "{value}"' for name, value in more.items())
    body = f'{{"ok": true, "result": {{"file_id": "F", "file_unique_id": "U", {about}}}}}'
    return response(200, body.encode(), Content_Type="application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "../../etc/passwd",
        "voice/../../../bot1:other/getMe",
        "http://169.254.169.254/latest",
        "//169.254.169.254/x",
        "voice/a?b=c",
        "voice/a%2e%2e/b",
        "@169.254.169.254/x",
        "",
    ],
)
def test_telegram_files_of_other_places(path: str) -> None:
    async def go() -> None:
        async with server() as there:
            there.answers[f"/bot{TOKEN}/getFile"] = _get_file(file_path=path)
            channel = Telegram(TOKEN, SECRET, there.url, PUBLIC)
            assert isinstance(await refused(channel.fetch("F", MOST)), Rejected)
            assert there.connections == 1 and not channel._downloads._sessions
            await channel.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "Bad Request: file is too big", Rejected),
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", TryLater),
        (400, "Bad Request: invalid file_id", Gone),
        (401, "Unauthorized", TryLater),
        (429, "Too Many Requests: retry after 9", TryLater),
        (502, "Bad Gateway", TryLater),
    ],
)
def test_what_telegram_says_of_a_file(status: int, words: str, kind: type[SendError]) -> None:
    async def go() -> None:
        async with server() as there:
            more = ', "parameters": {"retry_after": 9}' if status == 429 else ""
            body = f'{{"ok": false, "error_code": {status}, "description": "{words}"{more}}}'
            there.answers[f"/bot{TOKEN}/getFile"] = response(status, body.encode())
            channel = Telegram(TOKEN, SECRET, there.url, PUBLIC)
            told = await refused(channel.fetch("F", MOST))
            await channel.close()
            assert type(told) is kind
            if status == 429:
                assert isinstance(told, TryLater) and told.after.total_seconds() == 9

    asyncio.run(go())


def test_from_both_providers_as_they_are() -> None:
    """Through the strict stand-ins, whole; the address with our token is in no log and error."""
    voice = samples.read("voice")
    told = base64.b64encode(voice).decode()

    async def from_telegram(url: str) -> None:
        channel = Telegram(TOKEN, SECRET, url, PUBLIC)
        assert await channel.fetch("AwACAgUAAx-voice", MOST) == voice
        failed = await refused(channel.fetch("AwACAgUAAx-other", MOST))
        assert TOKEN.partition(":")[2] not in repr(failed) + str(failed.__cause__)
        await channel.close()

    async def from_twilio(url: str) -> None:
        channel = WhatsApp(ACCOUNT, AUTH, SENDER, url, PUBLIC)
        assert await channel.fetch(TWILIO + PATH, MOST) == voice
        assert isinstance(await refused(channel.fetch(TWILIO + PATH[:-1] + "3", MOST)), Gone)
        await channel.close()

    with capture_logs() as logged:
        with Fake("telegram") as telegram:
            telegram.control(files={"AwACAgUAAx-voice": told})
            asyncio.run(from_telegram(telegram.url))
        with Fake("twilio") as twilio:
            twilio.control(media={MEDIA: {"content_type": "audio/ogg", "base64": told}})
            asyncio.run(from_twilio(twilio.url))
    assert TOKEN.partition(":")[2] not in str(logged) and AUTH not in str(logged)
