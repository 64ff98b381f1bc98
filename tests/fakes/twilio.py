"""A strict stand-in for Twilio's Messages API: `python -m tests.fakes.twilio [--port 0]`."""

import argparse
import asyncio
import base64
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.fakes.content import (
    approval_facts,
    body_of,
    content_complaints,
    content_facts,
    new_content,
    submission_complaints,
    variables_problem,
)
from tests.fakes.contract import MESSAGE_PATH, MESSAGES_PATH, TWILIO, twilio_complaints
from tests.fakes.process import Answer, Call, Failure, FakeProvider, options_parser, run

Fields = dict[str, Any]
LISTS = {
    name
    for name, fact in TWILIO["paths"][MESSAGES_PATH]["post"]["fields"].items()
    if fact["type"] == "array"
}
WINDOW_SECONDS = 24 * 3600
WINDOW_CLOSED = 63016
NOT_APPROVED = {"rejected": 63040, "paused": 63041, "disabled": 63042}
ON_ITS_WAY = ("accepted", "scheduled", "queued", "sending", "receiving")
ERROR_CODES = {401: 20003, 404: 20404, 429: 20429}
ERROR_WORDS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
}


def refusal(status: int, code: int, words: str = "") -> Answer:
    body = {
        "code": code,
        "message": words or ERROR_WORDS.get(code, "Error"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Answer(status, body)


NOT_FOUND = refusal(404, 20404)


def read_form(body: bytes) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        form.setdefault(name, []).append(value)
    return form


def plain_fields(form: dict[str, list[str]]) -> Fields:
    return {name: values if name in LISTS else values[0] for name, values in form.items()}


class FakeTwilio(FakeProvider):
    """The WhatsApp messages of every account that asks."""

    defaults: ClassVar[Fields] = FakeProvider.defaults | {
        "auth_token": "",
        "window": False,
        "templates": {},
        # What becomes of a submitted template, until the control `approve` tells otherwise.
        "approval": "pending",
        "balance": ["12.50", "USD"],
        "statuses": ["sent", "delivered", "read"],
        "deliver_callbacks_to": None,
        "callback_delay": 0,
        "callback_repeat": 1,
        "callback_shuffle": False,
        "callbacks_first": False,
    }

    def __init__(self, options: argparse.Namespace) -> None:
        self.fixed_token: str = options.auth_token
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(options)

    def reset(self) -> None:
        super().reset()
        self.flags["auth_token"] = self.fixed_token
        # Of the Basic user; Twilio signs with the account's token, which is the usual password.
        self.seen_token = ""
        self.messages: dict[str, Fields] = {}
        self.media: dict[str, Fields] = {}
        self.last_inbound: dict[tuple[str, str], float] = {}
        self.late_failures: list[Fields] = []
        self.callbacks: list[Fields] = []
        self.contents: dict[str, Fields] = {}

    def clear(self) -> None:
        super().clear()
        self.callbacks.clear()

    def actions(self) -> dict[str, Callable[[Any], None]]:
        return super().actions() | {
            "inbound": self._keep_inbound,
            "media": self.media.update,
            "fail_later": self._script_late_failures,
            "approve": self._set_approvals,
        }

    def _set_approvals(self, changes: dict[str, Any]) -> None:
        """{sid: status, or [status, rejection_reason]}, as Meta's people decide."""
        for sid, told in changes.items():
            status, reason = (told, "") if isinstance(told, str) else told
            approval = self.contents[sid]["approval"]
            approval |= {"status": status, "rejection_reason": reason}

    def _keep_inbound(self, messages: list[Fields]) -> None:
        """People who wrote: {from, to} and, to be found later, {sid, account_sid, body}."""
        for one in messages:
            age = one.get("seconds_ago", 0)
            self.last_inbound[one["to"], one["from"]] = self.now() - age
            if "sid" in one:
                form = {"To": one["to"], "From": one["from"], "Body": one.get("body", "")}
                message = self._resource(one["account_sid"], one["sid"], form)
                message |= {"direction": "inbound", "status": "received"}
                message["num_media"] = str(one.get("num_media", 0))
                came = format_datetime(datetime.fromtimestamp(self.now() - age, UTC))
                message |= dict.fromkeys(("date_created", "date_sent", "date_updated"), came)
                self.messages[one["sid"]] = message

    def _script_late_failures(self, rules: list[Fields]) -> None:
        usual = {"match": {}, "times": 1, "status": "failed", "error_code": 63024}
        self.late_failures = [usual | rule for rule in rules]

    def failure_answer(self, failure: Failure) -> Answer:
        code = ERROR_CODES.get(failure.status, 20500)
        answer = refusal(failure.status, code)
        wait = {"Retry-After": str(failure.retry_after)} if failure.retry_after else None
        return Answer(failure.status, failure.body or answer.body, wait)

    def routes(self) -> list[Route]:
        account = "/2010-04-01/Accounts/{account}"
        message = account + "/Messages/{sid}"
        every = ["GET", "POST", "DELETE"]
        return [
            Route(account + "/Messages.json", self.serve_messages, methods=["GET", "POST"]),
            Route(message + ".json", self.serve_message, methods=every),
            Route(message + "/Media.json", self.serve_media_list),
            Route(message + "/Media/{media}.json", self.serve_media, methods=["GET", "DELETE"]),
            Route(message + "/Media/{media}", self.serve_media_content),
            Route("/_cdn/{media}", self.serve_cdn),
            Route(account + "/Balance.json", self.serve_balance),
            Route("/v1/Content", self.serve_contents, methods=["GET", "POST"]),
            Route("/v1/Content/{sid}", self.serve_content, methods=["GET", "DELETE"]),
            Route("/v1/Content/{sid}/ApprovalRequests", self.serve_approval),
            Route(
                "/v1/Content/{sid}/ApprovalRequests/whatsapp",
                self.serve_submission,
                methods=["POST"],
            ),
            Route("/v1/ContentAndApprovals", self.serve_contents_and_approvals),
            Route("/_callbacks", self.serve_callbacks),
        ]

    async def serve_messages(self, request: Request) -> Response:
        if request.method == "GET":
            query = dict(request.query_params)
            call = Call("GET", request.url.path, query.get("To", ""), query)
            return await self._guarded(request, call, self._list_messages)
        form = read_form(await request.body())
        call = Call("POST", request.url.path, form.get("To", [""])[0], plain_fields(form))
        refused = self._check(call, MESSAGES_PATH, form)
        return await self._guarded(request, call, self._create_message, refused)

    async def serve_message(self, request: Request) -> Response:
        form = read_form(await request.body())
        sid = request.path_params["sid"]
        call = Call(request.method, request.url.path, "", plain_fields(form))
        refused = self._check(call, MESSAGE_PATH, form)

        async def accept(_call: Call) -> Answer:
            return self._change_message(request.method, sid, call.fields)

        return await self._guarded(request, call, accept, refused)

    def _check(self, call: Call, path: str, form: dict[str, list[str]]) -> Answer | None:
        problems = [] if self.fast else twilio_complaints(path, call.method, form)
        call.complaints = [f"{one.code}: {one.text}" for one in problems]
        return refusal(400, problems[0].code, problems[0].text) if problems else None

    async def _guarded(
        self,
        request: Request,
        call: Call,
        accept: Callable[[Call], Any],
        refused: Answer | None = None,
    ) -> Response:
        """Who asks comes before what is asked."""
        if not self._is_allowed(request):
            refused = refusal(401, 20003)
        if refused:
            return self.record(call, refused).response()
        return await self.answer(request, call, accept)

    def _is_allowed(self, request: Request) -> bool:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        user, _, password = _decoded(secret).partition(":")
        # The address of the Content API names no account.
        is_account = user == request.path_params.get("account", user) and user.startswith("AC")
        if scheme != "Basic" or not password or not (is_account or user.startswith("SK")):
            return False
        if is_account:
            self.seen_token = password
        return not (is_account and self.fixed_token) or password == self.fixed_token

    async def _create_message(self, call: Call) -> Answer:
        fields = call.fields
        template = fields.get("ContentSid")
        known = self.flags["templates"].keys() | self.contents.keys()
        if template and known and template not in known:
            return refusal(400, 21655, "The ContentSid is Invalid")
        if template in self.contents:
            problem = variables_problem(self.contents[template], fields)
            if problem:
                return refusal(400, 21656, problem)
        kind = "MM" if "MediaUrl" in fields else "SM"
        account = call.path.split("/")[3]
        message = self._resource(account, kind + uuid.uuid4().hex, fields)
        if not self.fast:
            self.messages[message["sid"]] = message
        answer = Answer(201, dict(message))
        if not self.fast or "StatusCallback" in fields:
            await self._start_report(message, fields)
        return answer

    async def _start_report(self, message: Fields, fields: Fields) -> None:
        task = asyncio.create_task(self._report(message, fields))
        # A task nobody holds may be thrown away unfinished.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.flags["callbacks_first"]:
            await task

    def _resource(self, account: str, sid: str, fields: Fields) -> Fields:
        date = format_datetime(datetime.fromtimestamp(self.now(), UTC))
        uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        body = self._body(fields)
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": date,
            "date_sent": None,
            "date_updated": date,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": fields.get("From"),
            "messaging_service_sid": fields.get("MessagingServiceSid"),
            "num_media": str(len(fields.get("MediaUrl", ()))),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "accepted" if "MessagingServiceSid" in fields else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": fields["To"],
            "uri": f"{uri}.json",
        }

    def _body(self, fields: Fields) -> str:
        sid = fields.get("ContentSid")
        if sid in self.contents:
            text: str = body_of(self.contents[sid])
        else:
            text = self.flags["templates"].get(sid, fields.get("Body", ""))
        if "ContentSid" in fields:
            for name, value in json.loads(fields.get("ContentVariables") or "{}").items():
                text = text.replace("{{" + name + "}}", str(value))
        return text

    async def _list_messages(self, call: Call) -> Answer:
        query = call.fields
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        newest_first = reversed(self.messages.values())
        found = [one for one in newest_first if _is_wanted(one, query)]
        start = page * size
        following = f"{call.path}?{_query(query | {'Page': page + 1, 'PageSize': size})}"
        body = {
            "messages": found[start : start + size],
            "page": page,
            "page_size": size,
            "start": start,
            "end": min(start + size, len(found)) - 1,
            "uri": f"{call.path}?{_query(query)}",
            "first_page_uri": f"{call.path}?{_query(query | {'Page': 0, 'PageSize': size})}",
            "next_page_uri": following if start + size < len(found) else None,
            "previous_page_uri": None,
        }
        return Answer(200, body)

    def _change_message(self, verb: str, sid: str, fields: Fields) -> Answer:
        message = self.messages.get(sid)
        if message is None:
            return NOT_FOUND
        if verb == "DELETE":
            if message["status"] in ON_ITS_WAY:
                return refusal(409, 20009, "Cannot delete message, delivery is not complete")
            del self.messages[sid]
            return Answer(204)
        if fields.get("Body"):
            return refusal(400, 20001, "Body can only be emptied")
        if "Body" in fields:
            message["body"] = ""
        if "Status" in fields:
            message["status"] = fields["Status"]
        return Answer(200, message)

    # Media of messages that people sent, told by the control:
    # {media sid: {content_type, base64, message_sid?}}.

    async def serve_media_list(self, request: Request) -> Response:
        parent = request.path_params["sid"]

        async def accept(_call: Call) -> Answer:
            mine = [
                self._media_facts(request, sid)
                for sid, file in self.media.items()
                if file.get("message_sid", parent) == parent
            ]
            return Answer(200, {"media_list": mine})

        call = Call("GET", request.url.path, "", {})
        return await self._guarded(request, call, accept)

    async def serve_media(self, request: Request) -> Response:
        sid = request.path_params["media"]

        async def accept(call: Call) -> Answer:
            if sid not in self.media:
                return NOT_FOUND
            if call.method == "DELETE":
                del self.media[sid]
                return Answer(204)
            return Answer(200, self._media_facts(request, sid))

        call = Call(request.method, request.url.path, "", {})
        return await self._guarded(request, call, accept)

    async def serve_media_content(self, request: Request) -> Response:
        """Sends on to the file server, as Twilio does."""
        call = Call("GET", request.url.path, "", {})
        if not self._is_allowed(request):
            return self.record(call, refusal(401, 20003)).response()
        sid = request.path_params["media"]
        if sid not in self.media:
            return self.record(call, NOT_FOUND).response()
        self.record(call, Answer(307))
        return RedirectResponse(f"/_cdn/{sid}")

    async def serve_cdn(self, request: Request) -> Response:
        file = self.media.get(request.path_params["media"])
        if file is None:
            return NOT_FOUND.response()
        return Response(base64.b64decode(file["base64"]), media_type=file["content_type"])

    def _media_facts(self, request: Request, sid: str) -> Fields:
        account, parent = request.path_params["account"], request.path_params["sid"]
        return {
            "sid": sid,
            "account_sid": account,
            "parent_sid": parent,
            "content_type": self.media[sid]["content_type"],
            "date_created": format_datetime(datetime.fromtimestamp(self.now(), UTC)),
            "date_updated": format_datetime(datetime.fromtimestamp(self.now(), UTC)),
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{parent}/Media/{sid}.json",
        }

    # What is left of the account, and its templates.

    async def serve_balance(self, request: Request) -> Response:
        async def accept(_call: Call) -> Answer:
            balance, currency = self.flags["balance"]
            account = request.path_params["account"]
            body = {"account_sid": account, "balance": balance, "currency": currency}
            return Answer(200, body)

        return await self._guarded(request, Call("GET", request.url.path, "", {}), accept)

    async def serve_contents(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._serve_page(request, "contents", content_facts)
        try:
            fields = json.loads(await request.body())
        except ValueError:
            fields = {}
        call = Call("POST", request.url.path, "", fields)
        call.complaints = content_complaints(fields)
        refused = refusal(400, 92005, call.complaints[0]) if call.complaints else None

        async def accept(_call: Call) -> Answer:
            account = _decoded(request.headers["authorization"].split()[1]).split(":")[0]
            content = new_content(account, fields, self.now())
            self.contents[content["sid"]] = content
            return Answer(201, content_facts(content))

        return await self._guarded(request, call, accept, refused)

    async def serve_content(self, request: Request) -> Response:
        sid = request.path_params["sid"]

        async def accept(call: Call) -> Answer:
            if sid not in self.contents:
                return NOT_FOUND
            if call.method == "DELETE":
                del self.contents[sid]
                return Answer(204)
            return Answer(200, content_facts(self.contents[sid]))

        return await self._guarded(request, Call(request.method, request.url.path, "", {}), accept)

    async def serve_approval(self, request: Request) -> Response:
        sid = request.path_params["sid"]

        async def accept(_call: Call) -> Answer:
            if sid not in self.contents:
                return NOT_FOUND
            return Answer(200, approval_facts(self.contents[sid]))

        return await self._guarded(request, Call("GET", request.url.path, "", {}), accept)

    async def serve_submission(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        try:
            fields = json.loads(await request.body())
        except ValueError:
            fields = {}
        call = Call("POST", request.url.path, "", fields)
        content = self.contents.get(sid)
        call.complaints = submission_complaints(content, fields) if content else []
        refused = refusal(400, 92002, call.complaints[0]) if call.complaints else None

        async def accept(_call: Call) -> Answer:
            if content is None:
                return NOT_FOUND
            if content["approval"]:
                return refusal(409, 92004, "It was submitted before")
            content["approval"] = {
                "name": fields["name"],
                "category": fields["category"],
                "content_type": next(iter(content["types"])),
                "status": self.flags["approval"],
                "rejection_reason": "",
                "allow_category_change": True,
            }
            return Answer(201, content["approval"])

        return await self._guarded(request, call, accept, refused)

    async def serve_contents_and_approvals(self, request: Request) -> Response:
        def facts(content: Fields) -> Fields:
            approval = content["approval"] or {"status": "unsubmitted", "rejection_reason": ""}
            plain = {name: value for name, value in content_facts(content).items()}
            return plain | {"approval_requests": approval}

        return await self._serve_page(request, "contents", facts)

    async def _serve_page(
        self, request: Request, key: str, facts: Callable[[Fields], Fields]
    ) -> Response:
        query = dict(request.query_params)
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))

        async def accept(call: Call) -> Answer:
            found = list(self.contents.values())
            start = page * size
            base = str(request.base_url).rstrip("/") + call.path
            following = f"{base}?{_query({'PageSize': size, 'Page': page + 1})}"
            meta = {
                "key": key,
                "page": page,
                "page_size": size,
                "url": f"{base}?{_query({'PageSize': size, 'Page': page})}",
                "first_page_url": f"{base}?{_query({'PageSize': size, 'Page': 0})}",
                "previous_page_url": None,
                "next_page_url": following if start + size < len(found) else None,
            }
            rows = [facts(each) for each in found[start : start + size]]
            return Answer(200, {key: rows, "meta": meta})

        return await self._guarded(request, Call("GET", request.url.path, "", query), accept)

    # Status callbacks.

    async def _report(self, message: Fields, fields: Fields) -> None:
        """What becomes of a message after Twilio took it."""
        statuses, error = self._outcome(message, fields)
        for status in self._in_order(statuses):
            await asyncio.sleep(self.flags["callback_delay"])
            if message["status"] != statuses[-1]:
                self._set_status(message, status, error)
            if "StatusCallback" in fields:
                await self._call_back(fields["StatusCallback"], message, status, error)

    def _outcome(self, message: Fields, fields: Fields) -> tuple[list[str], int | None]:
        for rule in self.late_failures:
            to_match = {"to": message["to"], "from": message["from"], "body": message["body"]}
            if rule["times"] and all(to_match.get(k) == v for k, v in rule["match"].items()):
                rule["times"] -= 1
                return [rule["status"]], rule["error_code"]
        if self.flags["window"] and not self._is_open(message):
            refused = self._refused_outside(fields)
            if refused:
                return ["failed"], refused
        return list(self.flags["statuses"]), None

    def _refused_outside(self, fields: Fields) -> int | None:
        """Outside her window only what was approved passes."""
        sid = fields.get("ContentSid")
        if sid is None:
            return WINDOW_CLOSED
        if sid not in self.contents:
            return None
        status = (self.contents[sid]["approval"] or {}).get("status")
        return None if status == "approved" else NOT_APPROVED.get(status, WINDOW_CLOSED)

    def _is_open(self, message: Fields) -> bool:
        """A message through a service has no sender yet: any sender's window will do."""
        times = [
            last
            for (sender, person), last in self.last_inbound.items()
            if person == message["to"] and message["from"] in (None, sender)
        ]
        return self.now() - max(times, default=0.0) < WINDOW_SECONDS

    def _in_order(self, statuses: list[str]) -> Iterator[str]:
        repeated = [one for one in statuses for _ in range(self.flags["callback_repeat"])]
        if self.flags["callback_shuffle"]:
            # The same disorder every time, so that a failing test fails again.
            random.Random(len(repeated)).shuffle(repeated)
            if repeated == sorted(repeated, key=statuses.index):
                repeated.reverse()
        return iter(repeated)

    def _set_status(self, message: Fields, status: str, error: int | None) -> None:
        date = format_datetime(datetime.fromtimestamp(self.now(), UTC))
        message |= {"status": status, "date_updated": date, "error_code": error}
        message["date_sent"] = message["date_sent"] or date

    async def _call_back(self, url: str, message: Fields, status: str, error: int | None) -> None:
        form = _callback_form(message, status, error)
        # Twilio signs the address without its fragment, which only sets time-outs and retries.
        signed_url = url.partition("#")[0]
        token = self.flags["auth_token"] or self.seen_token
        signature = RequestValidator(token).compute_signature(signed_url, form)
        record = {"url": url, "fields": form, "signature": signature, "at": time.monotonic()}
        self.callbacks.append(record)
        if self.flags["deliver_callbacks_to"]:
            record["answered"] = await self._post(signed_url, form, signature)

    async def _post(self, signed_url: str, form: dict[str, str], signature: str) -> int:
        """The status answered, 0 for none."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        parts = urlsplit(signed_url)
        target = self.flags["deliver_callbacks_to"] + parts.path
        target += f"?{parts.query}" if parts.query else ""
        headers = {"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"}
        headers["I-Twilio-Idempotency-Token"] = str(uuid.uuid4())
        try:
            async with self._http.post(target, data=form, headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def serve_callbacks(self, _request: Request) -> Response:
        return Answer(200, self.callbacks).response()


def _decoded(secret: str) -> str:
    try:
        return base64.b64decode(secret).decode()
    except ValueError:
        return ""


def _callback_form(message: Fields, status: str, error: int | None) -> dict[str, str]:
    form = {
        "ChannelPrefix": "whatsapp",
        "ApiVersion": "2010-04-01",
        "MessageStatus": status,
        "SmsSid": message["sid"],
        "SmsStatus": status,
        "ChannelInstallSid": "XE" + message["account_sid"][2:],
        "To": message["to"],
        "From": message["from"] or "",
        "MessageSid": message["sid"],
        "AccountSid": message["account_sid"],
        "ChannelToAddress": message["to"].removeprefix("whatsapp:"),
        "StructuredMessage": "false",
    }
    if message["messaging_service_sid"]:
        form["MessagingServiceSid"] = message["messaging_service_sid"]
    if status in ("delivered", "read"):
        form["EventType"] = status.upper()
    if error:
        form |= {"ErrorCode": str(error), "ChannelStatusMessage": ""}
    return form


def _is_wanted(message: Fields, query: Fields) -> bool:
    if query.get("To") not in (None, message["to"]):
        return False
    if query.get("From") not in (None, message["from"]):
        return False
    sent = parsedate_to_datetime(message["date_sent"] or message["date_created"])
    if "DateSent" in query:
        return sent.date() == _moment(query["DateSent"]).date()
    # The sign is a part of the name: `DateSent>=2026-01-01` is the field `DateSent>`.
    if "DateSent>" in query and sent < _moment(query["DateSent>"]):
        return False
    return "DateSent<" not in query or sent <= _moment(query["DateSent<"])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _query(query: Fields) -> str:
    return "&".join(f"{quote(name)}={quote(str(value))}" for name, value in query.items())


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument(
        "--auth-token", default="", help="the only password known, and the signer's"
    )
    options = parser.parse_args()
    run(FakeTwilio(options), options)


if __name__ == "__main__":
    main()
