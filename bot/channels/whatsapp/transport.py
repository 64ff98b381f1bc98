"""How requests travel to Twilio: its own client, with the base address taken from the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

ANSWER_SECONDS = 20.0
CONNECT_SECONDS = 5.0

# It never left this machine.
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def connect(sid: str, token: str, api_url: str) -> Client:
    """Made in the running loop, which aiohttp needs."""
    return Client(sid, token, http_client=_HttpClient(api_url))


class _HttpClient(AsyncTwilioHttpClient):
    def __init__(self, api_url: str) -> None:
        super().__init__(pool_connections=False)
        self._base = urlsplit(api_url)
        # The library passes no time-out of its own, so that of the session counts.
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        self.session = aiohttp.ClientSession(timeout=timeout)

    async def request(
        self,
        method: str,
        uri: str,
        params: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        *args: Any,
        **options: Any,
    ) -> Any:
        asked = urlsplit(uri)
        asked = asked._replace(scheme=self._base.scheme, netloc=self._place(asked.hostname or ""))
        if (headers or {}).get("Content-Type") == "application/json":  # it forgets to write it so
            data = json.dumps(_without_none(data))
        url = urlunsplit(asked)
        return await super().request(method, url, params, data, headers, *args, **options)

    def _place(self, host: str) -> str:
        """Which of Twilio's servers; another region or edge has all of them, a fake is all."""
        here = self._base.netloc
        known = here.startswith("api.") and here.endswith(".twilio.com")
        return host.partition(".")[0] + here.removeprefix("api") if known else here


def _without_none(value: Any) -> Any:
    """What was left out, the library's nouns name as None."""
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value


@contextmanager
def gone_is_fine() -> Iterator[None]:
    try:
        yield
    except TwilioRestException as error:
        if error.status != 404:
            raise
