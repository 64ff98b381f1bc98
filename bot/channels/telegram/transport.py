"""How requests travel to Telegram: python-telegram-bot over aiohttp."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import aiohttp
from telegram.error import NetworkError, RetryAfter, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.channels.telegram.errors import NotConnected, Overloaded

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
UPLOAD_SECONDS = 150.0  # for 16 MB on a thin line: cut off, it would be sent again and again


class Transport(BaseRequest):
    """python-telegram-bot's requests over aiohttp: ten times the sends of its default transport."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return ANSWER_SECONDS

    async def initialize(self) -> None:
        """Nothing to do before the first request."""

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100))
        total = read_timeout if isinstance(read_timeout, int | float) else ANSWER_SECONDS
        if request_data is not None and request_data.contains_files:
            total = UPLOAD_SECONDS
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)
        data = None if request_data is None else _body(request_data)
        try:
            async with self._session.request(method, url, data=data, timeout=timeout) as answer:
                body = await answer.read()
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS and b"retry_after" not in body:
                    raise RetryAfter(5)  # a proxy in between
                if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise Overloaded(str(answer.status))
                return answer.status, body
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotConnected(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except aiohttp.ClientError as error:
            raise NetworkError(type(error).__name__) from None


def _body(request_data: RequestData) -> dict[str, str] | aiohttp.FormData:
    """Fields, and files where there are some."""
    fields = request_data.json_parameters
    if not request_data.contains_files:
        return fields
    form = aiohttp.FormData(fields)
    for name, (filename, content, kind) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return form
