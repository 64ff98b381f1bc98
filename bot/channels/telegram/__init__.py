"""Telegram, through python-telegram-bot's Bot as client; the only file that knows Telegram."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
    Update,
)
from telegram.error import TelegramError

from bot import logs
from bot.channels import Commands, Forbidden, Rejected, Unknown, Unusable
from bot.channels.telegram import reading
from bot.channels.telegram.errors import fetch_error, send_error
from bot.channels.telegram.transport import Transport
from bot.downloads import Downloads
from bot.messages import (
    Inbound,
    Limits,
    Media,
    Menu,
    Nudge,
    Outbound,
    Rate,
    Receipt,
    Retract,
    Say,
)
from bot.settings import Settings

UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105
FREE_RATE = 30  # messages a second, to all together
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_FILE = re.compile(r"\w[\w./-]{0,200}", re.ASCII)

log = logs.get("telegram")


class Telegram:
    """A bot on Telegram. Facts: core.telegram.org/bots/api, Bot API 10."""

    name = "telegram"
    limits = Limits(
        text=4096,
        buttons=12,
        label=40,
        commands=True,
        retract=timedelta(hours=47, minutes=55),
        rate=Rate(FREE_RATE, 1),
        chat_rate=Rate(5, 5),  # one a second, in short bursts
        group_rate=Rate(20, 60),
        groups="-",
    )

    def __init__(
        self,
        token: str,
        secret: str | None,
        api_url: str,
        public_url: str | None,
        rate: int = FREE_RATE,
    ) -> None:
        self.limits = replace(type(self).limits, rate=Rate(rate, 1))
        self._pays = True if rate > FREE_RATE else None  # for what is over the free rate
        self.lane = f"telegram/{token.partition(':')[0]}"
        self.public_url = public_url
        self._secret = secret
        self._transport = Transport()
        self._downloads = Downloads(api_url)
        self._files = f"{api_url}/file/bot{token}/"
        self.bot = Bot(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=self._transport,
            get_updates_request=self._transport,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> list[Self]:
        token = settings.telegram_bot_token
        if token is None:
            return []
        secret, public = settings.telegram_webhook_secret, settings.public_url
        rate = settings.telegram_rate
        return [cls(token, secret, settings.telegram_api_url, public, rate)]

    async def close(self) -> None:
        await self._transport.shutdown()
        await self._downloads.close()

    # In

    def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> list[Inbound | Receipt]:
        given = headers.get(SECRET_HEADER, "")
        if not self._secret or not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise Forbidden
        try:
            data = json.loads(body)
            key = str(data["update_id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Unusable(body.decode(errors="replace"), "no_update") from None
        return self._read(key, data)

    def _read(self, key: str, data: dict[str, Any]) -> list[Inbound | Receipt]:
        try:
            update = Update.de_json(data, self.bot)
            inbound = reading.read(self.lane, key, update)
        except Exception as error:  # whatever the library trips over
            raise Unusable(key, type(error).__name__) from None
        if inbound is None:
            raise Unusable(key, "not_for_us")
        return [inbound]

    async def listen(self) -> AsyncIterator[tuple[str, list[Inbound | Receipt] | Unusable]]:
        """Long polling: (raw update, what it holds); it is confirmed when the next one is asked."""
        await self.bot.delete_webhook()
        offset = 0
        while True:
            for update in await self._updates(offset):
                offset = update.update_id + 1
                data = update.to_dict()
                try:
                    yield json.dumps(data), self._read(str(update.update_id), data)
                except Unusable as error:
                    yield json.dumps(data), error

    async def _updates(self, offset: int) -> tuple[Update, ...]:
        try:
            return await self.bot.get_updates(
                offset, timeout=25, read_timeout=35, allowed_updates=UPDATES
            )
        except TelegramError as error:
            log.warning("polling_failed", lane=self.lane, error=type(error).__name__)
            await asyncio.sleep(3)
            return ()

    async def fetch(self, reference: str, most: int) -> bytes:
        """The address it has holds our token: it is never written down."""
        try:
            found = await self.bot.get_file(reference)
        except TelegramError as error:
            raise fetch_error(error) from None
        if (found.file_size or 0) > most:
            raise Rejected("too_big")
        url = found.file_path or ""
        path = url.removeprefix(self._files)
        if path == url or not _FILE.fullmatch(path) or ".." in path:  # also one on our own disk
            raise Rejected("path")
        return await self._downloads.get(url, most)

    # Out

    async def prepare(self, commands: Mapping[str, Commands]) -> None:
        """Register the command menus and, with a public address, the webhook."""
        for language, menu in commands.items():
            code = "" if language == "en" else language
            await self.bot.set_my_commands(_commands(menu), language_code=code)
        if self.public_url:
            await self.bot.set_webhook(
                f"{self.public_url}/webhooks/telegram",
                secret_token=self._secret,
                allowed_updates=UPDATES,
            )

    async def invite_link(self, code: str) -> str | None:
        try:
            return f"https://t.me/{(await self.bot.get_me()).username}?start={code}"
        except TelegramError:
            return None

    async def check(self) -> tuple[bool, str]:
        try:
            return True, f"Telegram: the bot is @{(await self.bot.get_me()).username}"
        except TelegramError:
            return False, "Telegram: TELEGRAM_BOT_TOKEN is refused, or Telegram does not answer"

    def paste(self) -> list[str]:
        if self.public_url:
            return ["Telegram: nothing to paste, the webhook is set when the bot starts."]
        return ["Telegram: nothing to paste, without PUBLIC_URL the bot polls."]

    async def acknowledge(self, inbound: Inbound) -> None:
        """Stop the spinner of a button; too late is no harm."""
        if inbound.receipt is not None:
            try:
                await self.bot.answer_callback_query(inbound.receipt)
            except TelegramError as error:
                log.info("not_acknowledged", lane=self.lane, error=type(error).__name__)

    async def send(self, message: Outbound) -> str | None:
        try:
            return await self._send(message)
        except TelegramError as error:
            told = send_error(error)
            if told is None:
                return None
            raise told from None
        except Exception as error:  # an answer that is none
            raise Unknown(type(error).__name__) from None

    async def _send(self, message: Outbound) -> str | None:
        if isinstance(message, Menu):
            await self.bot.set_my_commands(
                _commands(message.commands), scope=BotCommandScopeChat(int(message.to))
            )
            return None
        if isinstance(message, Retract):
            await self._delete(message.to, message.ids)
            return None
        if isinstance(message, Nudge):
            raise Rejected("not_here")  # here no window closes
        if isinstance(message, Media):
            uploaded = await self._upload(message)
            return f"{message.to}/{uploaded.message_id}"
        sent = await self.bot.send_message(
            int(message.to),
            message.text,
            reply_markup=_keyboard(message),
            reply_parameters=_quote(message),
            link_preview_options=NO_PREVIEW,
            allow_paid_broadcast=self._pays,
        )
        return f"{message.to}/{sent.message_id}"

    async def _upload(self, message: Media) -> Message:
        """By its bytes: what is sent by an address arrives as a file, if at all."""
        chat, content = int(message.to), message.content
        about: dict[str, Any] = {
            "caption": message.text or None,
            "filename": message.name,
            "allow_paid_broadcast": self._pays,
        }
        if message.kind == "voice":
            return await self.bot.send_voice(chat, content, **about)
        if message.kind == "video":
            return await self.bot.send_video(chat, content, **about)
        if message.kind == "photo":
            return await self.bot.send_photo(chat, content, **about)
        return await self.bot.send_document(chat, content, **about)

    async def _delete(self, to: str, ids: Sequence[str]) -> None:
        numbers = [int(each.rpartition("/")[2]) for each in ids]
        await self.bot.delete_messages(int(to), numbers)

    async def erase(self, to: str, ids: Sequence[str]) -> None:
        """Of the chat; what Telegram will not delete any more is no reason to ask again."""
        try:
            await self._delete(to or ids[0].partition("/")[0], ids)
        except TelegramError as error:
            told = send_error(error)
            if told is not None and not isinstance(told, Rejected):
                raise told from None


def _keyboard(message: Say) -> InlineKeyboardMarkup | None:
    if not message.buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(each.label, callback_data=each.data)] for each in message.buttons]
    )


def _quote(message: Say) -> ReplyParameters | None:
    if message.reply_to is None:
        return None
    number = int(message.reply_to.rpartition("/")[2])
    return ReplyParameters(number, allow_sending_without_reply=True)


def _commands(menu: Commands) -> list[BotCommand]:
    return [BotCommand(command, about) for command, about in menu]
