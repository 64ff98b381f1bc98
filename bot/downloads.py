"""Downloads: a file from a provider, within limits, and from no address inside our own network.

Whom a name stands for may change between two looks, so the address is checked when it is connected
to, and nowhere else.
"""

from __future__ import annotations

import ipaddress
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from bot.channels import Gone, Rejected, TryLater

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 20.0
ALL_SECONDS = 90.0
CHUNK = 1 << 16  # bytes
SOON = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# Whose names are checked like all others; any other host in the settings may be in our network.
PUBLIC_HOSTS = (".twilio.com", ".telegram.org")
_REDIRECTS = (301, 302, 303, 307, 308)


class Downloads:
    """From one provider, whose address stands in the settings."""

    def __init__(self, api_url: str) -> None:
        self._origin = _origin(urlsplit(api_url))
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def get(
        self, url: str, most: int, *, auth: tuple[str, str] | None = None, redirects: int = 0
    ) -> bytes:
        """At most so many bytes; `auth` is for this address alone, not for where it leads.

        Raises Gone, Rejected (too_big, address), TryLater.
        """
        try:
            return await self._get(url, most, auth, redirects)
        except ValueError:  # no address at all
            raise Rejected("address") from None
        except (TimeoutError, aiohttp.ClientError) as error:
            if isinstance(getattr(error, "os_error", None), Inside):
                raise Rejected("address") from None
            raise TryLater(type(error).__name__, SOON) from None

    async def _get(
        self, url: str, most: int, auth: tuple[str, str] | None, redirects: int
    ) -> bytes:
        session = self._session(urlsplit(url))
        given = None if auth is None else aiohttp.encode_basic_auth(*auth)
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": given} if given else {})
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status not in _REDIRECTS:
                _check(answer)
                return await _read(answer, most)
            target = urljoin(url, answer.headers.get("Location", ""))
        if redirects == 0 or not self._may_lead_to(urlsplit(target)):
            raise Rejected("address")
        return await self._get(target, most, None, redirects - 1)

    def _may_lead_to(self, target: SplitResult) -> bool:
        if target.username is not None or target.password is not None:
            return False
        return target.scheme == "https" or _origin(target) == self._origin

    def _session(self, url: SplitResult) -> aiohttp.ClientSession:
        """Made here: aiohttp needs the running loop."""
        host = url.hostname or ""
        ours = _origin(url) == self._origin and not f".{host}".endswith(PUBLIC_HOSTS)
        if ours not in self._sessions:
            timeout = aiohttp.ClientTimeout(
                total=ALL_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS
            )
            connector = aiohttp.TCPConnector(socket_factory=None if ours else outside_only)
            self._sessions[ours] = aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[ours]


class Inside(OSError):
    """An address that is not on the public internet."""


def outside_only(address: Any) -> socket.socket:
    """A socket for an address that is about to be connected to. Raises Inside."""
    family, kind, protocol, _name, place = address
    if not is_outside(place[0]):
        raise Inside("not a public address")
    return socket.socket(family, kind, protocol)


def is_outside(host: str) -> bool:
    """Whether an IP address is on the public internet, and is no other one in disguise."""
    found = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and (found not in _UNICAST or found.sixtofour):
        return False
    return found.is_global and not found.is_multicast


# All that was ever given out. Beside it stand sites of their own, and many ways to write IPv4.
_UNICAST = ipaddress.ip_network("2000::/3")


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    ports = {"https": 443, "http": 80}
    return url.scheme, url.hostname or "", url.port or ports.get(url.scheme)


def _check(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status in (404, 410):
        raise Gone(str(status))
    if status in (401, 403, 408, 425, 429) or status >= 500:
        raise TryLater(str(status), _pause(answer))
    if status != 200:
        raise Rejected(str(status))


def _pause(answer: aiohttp.ClientResponse) -> timedelta:
    asked = answer.headers.get("Retry-After", "")
    wanted = timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 7 else SOON
    return min(wanted, LONGEST_PAUSE)


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Stops where there is more than was told, and more than may be."""
    if (answer.content_length or 0) > most:
        raise Rejected("too_big")
    found = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        found += chunk
        if len(found) > most:
            raise Rejected("too_big")
    return bytes(found)
