"""A strict stand-in for the Telegram Bot API: `python -m tests.fakes.telegram [--port 0]`."""

import argparse
import asyncio
import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.contract import (
    TELEGRAM,
    Fields,
    decode_telegram,
    telegram_complaints,
    visible_text,
)
from tests.fakes.process import Answer, Call, Failure, FakeProvider, options_parser, run

TOKEN = re.compile(r"\d+:[\w-]{5,}")
EDIT_MARKS = ("text", "reply_markup")
HTTP_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
}
POLLING_WITH_WEBHOOK = (
    "can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)
SECOND_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
STALE_QUERY = "query is too old and response timeout expired or query ID is invalid"


class RefusedError(Exception):
    """The method fails; Telegram's status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def refusal(status: int, words: str = "", retry_after: int = 0) -> Answer:
    title = HTTP_WORDS.get(status, "Error")
    if retry_after:
        words = words or f"retry after {retry_after}"
    description = f"{title}: {words}" if words else title
    body: Fields = {"ok": False, "error_code": status, "description": description}
    if retry_after:
        body["parameters"] = {"retry_after": retry_after}
    return Answer(status, body)


async def read_fields(request: Request) -> tuple[Fields, dict[str, bytes]]:
    """The fields as sent, with files described in place, and the bytes of each file by its id."""
    fields: Fields = dict(request.query_params)
    body = await request.body()
    kind = request.headers.get("content-type", "")
    if not body:
        return fields, {}
    if kind.startswith("application/json"):
        return fields | json.loads(body), {}
    if kind.startswith("multipart/form-data"):
        return _read_multipart(kind, body)
    return fields | dict(parse_qsl(body.decode(), keep_blank_values=True)), {}


def _read_multipart(kind: str, body: bytes) -> tuple[Fields, dict[str, bytes]]:
    boundary = kind.split("boundary=", 1)[1].strip('"').encode()
    fields: Fields = {}
    files: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        described = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode()))
        if "filename" not in described:
            fields[described["name"]] = content.decode()
            continue
        file = _describe_file(described["filename"], head.decode(), content)
        fields[described["name"]] = file
        files[file["file_id"]] = content
    return _attach(fields), files


def _describe_file(name: str, head: str, content: bytes) -> Fields:
    kind = re.search(r"(?i)content-type:\s*(\S+)", head)
    digest = hashlib.sha256(content).hexdigest()
    return {
        "file_name": name,
        "mime_type": kind[1] if kind else "application/octet-stream",
        "file_id": f"sent-{digest[:32]}",
        "file_unique_id": digest[:16],
        "file_size": len(content),
    }


def _attach(fields: Fields) -> Fields:
    """A field may say `attach://part` and the file come under that part's name."""
    for name, value in list(fields.items()):
        part = value.removeprefix("attach://") if isinstance(value, str) else None
        if part in fields and part != value:
            fields[name] = fields.pop(part)
    return fields


def chat_key(chat_id: Any) -> int | str:
    text = str(chat_id)
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if not text.startswith("@"):
        raise RefusedError(400, "chat not found")
    return text


def chat_object(chat: int | str) -> Fields:
    if isinstance(chat, str):
        return {"id": -1001, "type": "channel", "title": chat, "username": chat[1:]}
    if chat > 0:
        return {"id": chat, "type": "private", "first_name": f"Person {chat}"}
    kind = "supergroup" if str(chat).startswith("-100") else "group"
    return {"id": chat, "type": kind, "title": f"Group {chat}"}


class FakeTelegram(FakeProvider):
    """One bot's view of Telegram; chats, messages and menus are kept until it ends."""

    # `callback_queries`: the only ids answerCallbackQuery knows; none = every id is good.
    defaults: ClassVar[Fields] = FakeProvider.defaults | {
        "any_chat": True,
        "callback_queries": None,
    }

    def __init__(self, options: argparse.Namespace) -> None:
        self.token: str | None = options.token
        super().__init__(options)

    def reset(self) -> None:
        super().reset()
        self.bot_id = 0
        self.wrote: set[int] = set()
        self.blocked: set[int] = set()
        self.last_ids: dict[int | str, int] = {}
        self.messages: dict[int | str, dict[int, Fields]] = {}
        self.commands: dict[tuple[str, str], list[Fields]] = {}
        self.webhook: Fields = {}
        self.allowed_updates: list[str] = []
        self.updates: list[Fields] = []
        self.news = asyncio.Event()
        self.polls = itertools.count(1)
        self.newest_poll = 0
        self.files: dict[str, bytes] = {}

    def actions(self) -> dict[str, Callable[[Any], None]]:
        return super().actions() | {
            "wrote": self.wrote.update,
            "block": self.blocked.update,
            "unblock": self.blocked.difference_update,
            "updates": self._queue_updates,
            "files": self._keep_files,
        }

    def _queue_updates(self, updates: list[Fields]) -> None:
        for update in updates:
            kind = next(name for name in update if name != "update_id")
            if self.allowed_updates and kind not in self.allowed_updates:
                continue
            self.updates.append(update)
            self.wrote.add(update[kind].get("from", {}).get("id"))
        self.news.set()

    def _keep_files(self, files: dict[str, str]) -> None:
        self.files |= {file_id: base64.b64decode(text) for file_id, text in files.items()}

    def failure_answer(self, failure: Failure) -> Answer:
        answer = refusal(failure.status, retry_after=failure.retry_after)
        return Answer(answer.status, failure.body or answer.body)

    def routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self.serve_method, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self.serve_file),
            Route("/_chats/{chat_id}", self.serve_chat),
        ]

    async def serve_method(self, request: Request) -> Response:
        token, method = request.path_params["token"], request.path_params["method"]
        try:
            fields, files = await read_fields(request)
        except (ValueError, LookupError):
            call = Call(method, "/" + method, "", {}, ["can't read the request"])
            return self.record(call, refusal(400, call.complaints[0])).response()
        call = Call(method, "/" + method, str(fields.get("chat_id", "")), fields)
        if not self._knows(token):
            return self.record(call, refusal(401)).response()
        if method not in METHODS:
            return self.record(call, refusal(404)).response()
        self.bot_id = int(token.split(":")[0])
        if not self.fast or method != "sendMessage":
            call.fields = decode_telegram(method, fields)
            self.files |= files
        if not self.fast:
            call.complaints = telegram_complaints(method, call.fields)
        if call.complaints:
            return self.record(call, refusal(400, call.complaints[0])).response()
        return await self.answer(request, call, self._accept)

    def _knows(self, token: str) -> bool:
        return token == self.token if self.token else bool(TOKEN.fullmatch(token))

    async def _accept(self, call: Call) -> Answer:
        try:
            if call.method == "getUpdates":
                result: Any = await self._get_updates(call.fields)
            else:
                result = METHODS[call.method](self, call.fields)
        except RefusedError as refused:
            return refusal(refused.status, str(refused))
        return Answer(200, {"ok": True, "result": result})

    async def serve_file(self, request: Request) -> Response:
        content = self.files.get(request.path_params["path"].removeprefix("files/"))
        if content is None or not self._knows(request.path_params["token"]):
            return refusal(404).response()
        return Response(content, media_type="application/octet-stream")

    async def serve_chat(self, request: Request) -> Response:
        """The bot's messages as the person sees them now, edits and deletions done."""
        chat = self.messages.get(chat_key(request.path_params["chat_id"]), {})
        return Answer(200, list(chat.values())).response()

    # The methods.

    def _get_me(self, _fields: Fields) -> Fields:
        return self._bot() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def _bot(self) -> Fields:
        return {
            "id": self.bot_id,
            "is_bot": True,
            "first_name": "Linkline",
            "username": "linkline_bot",
        }

    def _send_message(self, fields: Fields) -> Fields:
        return self._send(fields, {"text": visible_text(fields["text"], fields.get("parse_mode"))})

    def _send_voice(self, fields: Fields) -> Fields:
        voice = self._sent_file(fields["voice"]) | {"duration": fields.get("duration", 1)}
        return self._send_captioned(fields, "voice", voice)

    def _send_photo(self, fields: Fields) -> Fields:
        photo = self._sent_file(fields["photo"]) | {"width": 90, "height": 60}
        return self._send_captioned(fields, "photo", [photo])

    def _send_document(self, fields: Fields) -> Fields:
        return self._send_captioned(fields, "document", self._sent_file(fields["document"]))

    def _send_captioned(self, fields: Fields, name: str, content: Any) -> Fields:
        shown: Fields = {name: content}
        if fields.get("caption"):
            shown["caption"] = visible_text(fields["caption"], fields.get("parse_mode"))
        return self._send(fields, shown)

    def _sent_file(self, value: Any) -> Fields:
        """An upload, or the id or address of a file that Telegram already has or fetches."""
        if isinstance(value, dict):
            return dict(value)
        if not value.startswith(("http://", "https://")) and value not in self.files:
            raise RefusedError(400, "wrong file identifier/HTTP URL specified")
        return {"file_id": value, "file_unique_id": hashlib.sha256(value.encode()).hexdigest()[:16]}

    def _send(self, fields: Fields, content: Fields) -> Fields:
        chat = self._reachable_chat(fields)
        message = {"from": self._bot(), "chat": chat_object(chat), "date": int(self.now())}
        message |= content
        if not self.fast:
            message |= self._reply(chat, fields.get("reply_parameters"))
            message |= _shown_buttons(fields)
        number = self.last_ids.get(chat, 0) + 1
        self.last_ids[chat] = number
        message = {"message_id": number, **message}
        if not self.fast:
            self.messages.setdefault(chat, {})[number] = message
        return message

    def _reachable_chat(self, fields: Fields) -> int | str:
        chat = chat_key(fields["chat_id"])
        if chat in self.blocked:
            raise RefusedError(403, "bot was blocked by the user")
        if not self.flags["any_chat"] and chat not in self.wrote:
            raise RefusedError(400, "chat not found")
        return chat

    def _reply(self, chat: int | str, parameters: Fields | None) -> Fields:
        """Ids above the bot's last one are the person's own messages, which are not known here."""
        if not parameters:
            return {}
        number = parameters["message_id"]
        known = self.messages.get(chat, {}).get(number)
        if known:
            return {"reply_to_message": {k: v for k, v in known.items() if k != "reply_to_message"}}
        if number > self.last_ids.get(chat, 0):
            replied = {"message_id": number, "chat": chat_object(chat), "date": int(self.now())}
            return {"reply_to_message": replied}
        if parameters.get("allow_sending_without_reply"):
            return {}
        raise RefusedError(400, "message to be replied not found")

    def _edit(self, fields: Fields) -> Fields | bool:
        if self.fast or "inline_message_id" in fields:
            return True
        message = self.messages.get(self._reachable_chat(fields), {}).get(fields["message_id"])
        if message is None:
            raise RefusedError(400, "message to edit not found")
        changed = {name: value for name, value in message.items() if name != "reply_markup"}
        changed |= _shown_buttons(fields)
        if "text" in fields:
            changed["text"] = visible_text(fields["text"], fields.get("parse_mode"))
        if all(changed.get(name) == message.get(name) for name in EDIT_MARKS):
            words = "message is not modified: specified new message content and reply markup are"
            words += " exactly the same as a current content and reply markup of the message"
            raise RefusedError(400, words)
        changed["edit_date"] = int(self.now())
        self.messages[message["chat"]["id"]][message["message_id"]] = changed
        return changed

    def _delete_message(self, fields: Fields) -> bool:
        chat = self._reachable_chat(fields)
        number = int(fields["message_id"])
        is_bots_own = number <= self.last_ids.get(chat, 0)
        deleted = self.messages.get(chat, {}).pop(number, None)
        if is_bots_own and deleted is None and not self.fast:
            raise RefusedError(400, "message to delete not found")
        return True

    def _delete_messages(self, fields: Fields) -> bool:
        """Those that are not there are skipped."""
        chat, numbers = self._reachable_chat(fields), fields["message_ids"]
        if not 1 <= len(numbers) <= 100:
            raise RefusedError(400, "message identifiers must be 1 to 100")
        for number in numbers:
            self.messages.get(chat, {}).pop(int(number), None)
        return True

    def _send_chat_action(self, fields: Fields) -> bool:
        self._reachable_chat(fields)
        return True

    def _answer_callback_query(self, fields: Fields) -> bool:
        known = self.flags["callback_queries"]
        if known is not None and fields["callback_query_id"] not in known:
            raise RefusedError(400, STALE_QUERY)
        return True

    def _set_my_commands(self, fields: Fields) -> bool:
        self.commands[_menu_key(fields)] = fields["commands"]
        return True

    def _delete_my_commands(self, fields: Fields) -> bool:
        self.commands.pop(_menu_key(fields), None)
        return True

    def _get_my_commands(self, fields: Fields) -> list[Fields]:
        return self.commands.get(_menu_key(fields), [])

    def _accept_only(self, _fields: Fields) -> bool:
        return True

    def _get_file(self, fields: Fields) -> Fields:
        file_id = fields["file_id"]
        if file_id not in self.files:
            raise RefusedError(400, "wrong file_id or the file is temporarily unavailable")
        content = self.files[file_id]
        unique = hashlib.sha256(content).hexdigest()[:16]
        file = {"file_id": file_id, "file_unique_id": unique, "file_size": len(content)}
        return file | {"file_path": f"files/{file_id}"}

    def _set_webhook(self, fields: Fields) -> bool:
        self.webhook = fields if fields["url"] else {}
        self._remember_allowed(fields)
        if fields.get("drop_pending_updates"):
            self.updates.clear()
        self._end_other_polls()
        return True

    def _delete_webhook(self, fields: Fields) -> bool:
        return self._set_webhook(fields | {"url": ""})

    def _get_webhook_info(self, _fields: Fields) -> Fields:
        info: Fields = {
            "url": self.webhook.get("url", ""),
            "has_custom_certificate": "certificate" in self.webhook,
            "pending_update_count": len(self.updates),
        }
        if self.webhook:
            info["max_connections"] = self.webhook.get("max_connections", 40)
        if self.allowed_updates:
            info["allowed_updates"] = self.allowed_updates
        return info

    def _remember_allowed(self, fields: Fields) -> None:
        """Left out, the previous choice stays."""
        self.allowed_updates = fields.get("allowed_updates", self.allowed_updates)

    async def _get_updates(self, fields: Fields) -> list[Fields]:
        self._remember_allowed(fields)
        offset, limit = int(fields.get("offset", 0)), int(fields.get("limit", 100))
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        poll = self._end_other_polls()
        end = asyncio.get_running_loop().time() + int(fields.get("timeout", 0))
        while not self.updates and (left := end - asyncio.get_running_loop().time()) > 0:
            self.news.clear()
            await _wait_at_most(self.news, left)
            if poll != self.newest_poll and not self.webhook:
                raise RefusedError(409, SECOND_POLLER)
        if self.webhook:
            raise RefusedError(409, POLLING_WITH_WEBHOOK)
        return self.updates[:limit]

    def _end_other_polls(self) -> int:
        self.newest_poll = next(self.polls)
        self.news.set()
        return self.newest_poll


async def _wait_at_most(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _shown_buttons(fields: Fields) -> Fields:
    """Only inline keyboards stay with a message."""
    markup = fields.get("reply_markup") or {}
    return {"reply_markup": markup} if markup.get("inline_keyboard") else {}


def _menu_key(fields: Fields) -> tuple[str, str]:
    scope = fields.get("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), fields.get("language_code", "")


METHODS: dict[str, Callable[[FakeTelegram, Fields], Any]] = {
    "getMe": FakeTelegram._get_me,
    "getUpdates": FakeTelegram._accept_only,
    "setWebhook": FakeTelegram._set_webhook,
    "deleteWebhook": FakeTelegram._delete_webhook,
    "getWebhookInfo": FakeTelegram._get_webhook_info,
    "sendMessage": FakeTelegram._send_message,
    "sendVoice": FakeTelegram._send_voice,
    "sendPhoto": FakeTelegram._send_photo,
    "sendDocument": FakeTelegram._send_document,
    "sendChatAction": FakeTelegram._send_chat_action,
    "editMessageText": FakeTelegram._edit,
    "editMessageReplyMarkup": FakeTelegram._edit,
    "deleteMessage": FakeTelegram._delete_message,
    "deleteMessages": FakeTelegram._delete_messages,
    "answerCallbackQuery": FakeTelegram._answer_callback_query,
    "setMyCommands": FakeTelegram._set_my_commands,
    "deleteMyCommands": FakeTelegram._delete_my_commands,
    "getMyCommands": FakeTelegram._get_my_commands,
    "getFile": FakeTelegram._get_file,
    "setMyDescription": FakeTelegram._accept_only,
    "setMyShortDescription": FakeTelegram._accept_only,
}
assert METHODS.keys() == TELEGRAM["methods"].keys()


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--token", help="the only token known; otherwise every well-formed one")
    options = parser.parse_args()
    run(FakeTelegram(options), options)


if __name__ == "__main__":
    main()
