"""The peer: an echo bot in memory on python-telegram-bot's Application and ConversationHandler.

The webhook puts updates into its queue as in the library's custom webhook example; the default
transport sends one message with an inline keyboard for each.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, ConversationHandler, MessageHandler, filters

from tests.bench.cast import TOKEN
from tests.fakes.process import AnnouncingServer

WAITING = 1
KEYBOARD = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("A new question", callback_data="question")],
        [InlineKeyboardButton("Nothing of these", callback_data="nothing")],
    ]
)


async def echo(update: Update, _context: Any) -> int:
    assert update.message is not None
    await update.message.reply_text(update.message.text or "", reply_markup=KEYBOARD)
    return WAITING


def application(fake: str) -> Any:
    made = Application.builder().token(TOKEN).base_url(f"{fake}/bot").updater(None).build()
    text = MessageHandler(filters.TEXT, echo)
    made.add_handler(ConversationHandler([text], {WAITING: [text]}, []))
    return made


def web(application: Any) -> Starlette:
    async def receive(request: Request) -> Response:
        update = Update.de_json(await request.json(), application.bot)
        await application.update_queue.put(update)
        return Response()

    return Starlette(routes=[Route("/webhooks/telegram", receive, methods=["POST"])])


async def main(fake: str) -> None:
    made = application(fake)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(web(made), log_level="warning", access_log=False)
    async with made:
        await made.start()
        await AnnouncingServer(config).serve(sockets=[listener])
        await made.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
