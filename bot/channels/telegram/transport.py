"""How requests travel to Telegram, and what its refusals mean to us."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.error import Forbidden as Refused
from telegram.request import BaseRequest, RequestData

from bot.channels import Gone, Rejected, SendError, TryLater, Unknown

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0

# Bad Requests that mean the chat, not the message.
_GONE = ("chat not found", "user not found", "peer_id_invalid", "bot can't initiate")


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


class Overloaded(NetworkError):
    """Telegram answered that it could not: an outage, and nothing may be lost in it."""


class NotConnected(NetworkError):
    """The request never left this machine."""


def _body(request_data: RequestData) -> dict[str, str] | aiohttp.FormData:
    """Fields, and files where there are some."""
    fields = request_data.json_parameters
    if not request_data.contains_files:
        return fields
    form = aiohttp.FormData(fields)
    for name, (filename, content, kind) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return form


def send_error(error: TelegramError) -> SendError:
    """Telegram's errors in our closed list; BadRequest is a NetworkError and comes first."""
    if isinstance(error, RetryAfter):
        wait = error._retry_after
        return TryLater("429", wait, whole_lane=wait > timedelta(seconds=5))
    if isinstance(error, ChatMigrated):
        return Gone("migrated")
    if isinstance(error, Refused):
        return Gone("403")
    if isinstance(error, BadRequest):
        said = error.message.lower()
        return Gone("400") if any(words in said for words in _GONE) else Rejected("400")
    if isinstance(error, InvalidToken):
        return TryLater("401", timedelta(seconds=60), whole_lane=True)
    if isinstance(error, NotConnected | Overloaded):
        return TryLater(type(error).__name__, timedelta(seconds=2))
    if isinstance(error, NetworkError):
        return Unknown("network")
    return Unknown(type(error).__name__)
