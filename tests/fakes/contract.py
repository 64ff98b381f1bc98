"""Holds a request to Telegram or Twilio against tests/contracts and lists what is wrong."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Facts = dict[str, Any]
Fields = dict[str, Any]

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
TELEGRAM: Facts = json.loads((CONTRACTS / "telegram.json").read_text(encoding="utf-8"))
TWILIO: Facts = json.loads((CONTRACTS / "twilio.json").read_text(encoding="utf-8"))

# Telegram's own words, where a bot may want to tell these cases apart.
TOO_SHORT = {"text": "message text is empty", "callback_data": "BUTTON_DATA_INVALID"}
TOO_LONG = {
    "text": "message is too long",
    "caption": "message caption is too long",
    "callback_data": "BUTTON_DATA_INVALID",
}
MISSING = {"text": "message text is empty", "chat_id": "chat_id is empty"}

HTML_TAGS = frozenset(
    (
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "span",
        "tg-spoiler",
        "a",
        "code",
        "pre",
        "blockquote",
        "tg-emoji",
    )
)
CHAT_ACTIONS = frozenset(
    (
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    )
)
BUTTON_LOOKS = frozenset(("text", "style", "icon_custom_emoji_id"))


def utf16_length(text: str) -> int:
    """Telegram counts UTF-16 code units: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def decode_telegram(method: str, raw: Fields) -> Fields:
    """Forms carry everything as text; give each field the type the contract names."""
    known = TELEGRAM["methods"][method]["fields"]
    return {
        name: _decoded(value, known[name]["types"]) if name in known else value
        for name, value in raw.items()
    }


def _decoded(value: Any, types: list[str]) -> Any:
    if not isinstance(value, str):
        return value
    if "String" in types:
        is_number = "Integer" in types and re.fullmatch(r"-?\d+", value)
        return int(value) if is_number else value
    try:
        return json.loads(value)
    except ValueError:
        return value


def telegram_complaints(method: str, fields: Fields) -> list[str]:
    """What Telegram, read strictly, would not accept in these decoded fields."""
    try:
        shown = _with_visible_text(fields)
    except ValueError as problem:
        return [f"can't parse entities: {problem}"]
    complaints = _object_complaints(shown, TELEGRAM["methods"][method]["fields"], "")
    return complaints or METHOD_RULES.get(method, _no_rule)(shown)


def _object_complaints(value: Fields, facts: Facts, where: str) -> list[str]:
    complaints = [f"unknown field {where}{name}" for name in value if name not in facts]
    for name, fact in facts.items():
        if name in value:
            complaints += _field_complaints(name, value[name], fact, where)
        elif fact["required"]:
            own_words = f"{where}{name} is missing"
            complaints.append(own_words if where else MISSING.get(name, own_words))
    return complaints


def _field_complaints(name: str, value: Any, fact: Facts, where: str) -> list[str]:
    attempts = [_type_complaints(value, kind, where + name) for kind in fact["types"]]
    best = min(attempts, key=len)
    if best or "limit" not in fact or not isinstance(value, str):
        return best
    return _limit_complaints(name, value, fact["limit"])


def _limit_complaints(name: str, value: str, limit: str) -> list[str]:
    low, high, unit = re.findall(r"\d+|[a-z]+", limit)
    size = len(value.encode()) if unit == "bytes" else utf16_length(value)
    if size < int(low):
        return [TOO_SHORT.get(name) or f"{name} is shorter than {low} {unit}"]
    if size > int(high):
        return [TOO_LONG.get(name) or f"{name} is longer than {high} {unit}"]
    return []


def _type_complaints(value: Any, kind: str, where: str) -> list[str]:
    if kind.startswith("Array of "):
        return _array_complaints(value, kind.removeprefix("Array of "), where)
    if kind in SCALARS:
        return [] if SCALARS[kind](value) else [f"{where} is not {kind}"]
    if not isinstance(value, dict):
        return [f"{where} is not {kind}"]
    return _named_object_complaints(value, kind, where)


def _array_complaints(value: Any, kind: str, where: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{where} is not a list of {kind}"]
    complaints: list[str] = []
    for index, item in enumerate(value):
        complaints += _type_complaints(item, kind, f"{where}[{index}]")
    return complaints


def _named_object_complaints(value: Fields, kind: str, where: str) -> list[str]:
    if kind == "InputFile":
        return [] if "file_name" in value else [f"{where} is not an uploaded file"]
    if kind == "BotCommandScope":
        words = str(value.get("type")).split("_")
        kind += "".join(word.capitalize() for word in words)
    if kind not in TELEGRAM["types"]:
        return [f"{where} is an unknown {kind}"]
    complaints = _object_complaints(value, TELEGRAM["types"][kind], where + ".")
    return complaints or OBJECT_RULES.get(kind, _no_rule)(value)


SCALARS: dict[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "String": lambda value: isinstance(value, str),
}


def _no_rule(_fields: Fields) -> list[str]:
    return []


def _with_visible_text(fields: Fields) -> Fields:
    """Lengths are counted after the markup is read and outer blanks are cut off."""
    shown = dict(fields)
    for name in ("text", "caption"):
        if isinstance(fields.get(name), str):
            shown[name] = visible_text(fields[name], fields.get("parse_mode"))
    return shown


def visible_text(source: str, parse_mode: object = None) -> str:
    """The text a person sees; ValueError where Telegram would refuse the markup."""
    if parse_mode and str(parse_mode).lower() == "html":
        source = _read_html(source)
    return source.strip()


def _read_html(source: str) -> str:
    open_tags: list[str] = []
    pieces: list[str] = []
    end = 0
    for tag in re.finditer(r"<(/?)([^\s<>]*)([^<>]*)(>?)", source):
        pieces.append(source[end : tag.start()])
        end = tag.end()
        _follow_tag(tag, open_tags, len(source[: tag.start()].encode()))
    if open_tags:
        raise ValueError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"')
    pieces.append(source[end:])
    # Only these four names are known to Telegram; others stay as they are written.
    known_reference = r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);"
    return re.sub(known_reference, lambda found: html.unescape(found[0]), "".join(pieces))


def _follow_tag(tag: re.Match[str], open_tags: list[str], offset: int) -> None:
    closing, name, _attributes, end = tag.groups()
    name = name.lower()
    if not end:
        raise ValueError(f"Unclosed start tag at byte offset {offset}")
    if closing and (not open_tags or open_tags.pop() != name):
        raise ValueError(f'Unmatched end tag at byte offset {offset}, found "</{name}>"')
    if not closing and name not in HTML_TAGS:
        raise ValueError(f'Unsupported start tag "{name}" at byte offset {offset}')
    if not closing:
        open_tags.append(name)


def _button_rule(button: Fields) -> list[str]:
    if not button["text"].strip():
        return ["button text is empty"]
    if len(button.keys() - BUTTON_LOOKS) != 1:
        return ["a button needs exactly one action"]
    return []


def _command_rule(command: Fields) -> list[str]:
    return [] if re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) else ["BOT_COMMAND_INVALID"]


def _message_rule(fields: Fields) -> list[str]:
    mode = fields.get("parse_mode")
    if mode and mode.lower() not in ("html", "markdown", "markdownv2"):
        return ["unsupported parse_mode"]
    return []


def _edit_rule(fields: Fields) -> list[str]:
    if "inline_message_id" not in fields and not {"chat_id", "message_id"} <= fields.keys():
        return ["message identifier is not specified"]
    return _message_rule(fields)


def _edit_text_rule(fields: Fields) -> list[str]:
    if not {"text", "rich_message"} & fields.keys():
        return [MISSING["text"]]
    return _edit_rule(fields)


def _commands_rule(fields: Fields) -> list[str]:
    complaints = _language_rule(fields)
    if len(fields.get("commands", ())) > 100:
        complaints.append("BOT_COMMANDS_TOO_MUCH")
    return complaints


def _language_rule(fields: Fields) -> list[str]:
    is_known = re.fullmatch(r"([a-z]{2})?", fields.get("language_code", ""))
    return [] if is_known else ["invalid language code specified"]


def _action_rule(fields: Fields) -> list[str]:
    return [] if fields["action"] in CHAT_ACTIONS else ["wrong parameter action in request"]


def _webhook_rule(fields: Fields) -> list[str]:
    complaints = []
    if fields["url"] and not fields["url"].startswith("https://"):
        complaints.append("bad webhook: An HTTPS URL must be provided for webhook")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", fields.get("secret_token", "")):
        complaints.append("secret token contains unallowed characters")
    if not 1 <= fields.get("max_connections", 40) <= 100:
        complaints.append("max_connections is not between 1 and 100")
    return complaints


OBJECT_RULES = {"InlineKeyboardButton": _button_rule, "BotCommand": _command_rule}
METHOD_RULES: dict[str, Callable[[Fields], list[str]]] = {
    "sendMessage": _message_rule,
    "sendVoice": _message_rule,
    "sendPhoto": _message_rule,
    "sendDocument": _message_rule,
    "editMessageText": _edit_text_rule,
    "editMessageReplyMarkup": _edit_rule,
    "sendChatAction": _action_rule,
    "setMyCommands": _commands_rule,
    "deleteMyCommands": _commands_rule,
    "getMyCommands": _commands_rule,
    "setMyDescription": _language_rule,
    "setMyShortDescription": _language_rule,
    "setWebhook": _webhook_rule,
}


class TwilioComplaint(NamedTuple):
    """Twilio's error code and its words."""

    code: int
    text: str


MESSAGES_PATH = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
MESSAGE_PATH = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
FORM_VALUES: dict[str, str] = {
    "integer": r"-?\d+",
    "number": r"-?\d+(\.\d+)?",
    "boolean": r"(?i:true|false)",
}
PERSON = re.compile(r"whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.\w+)")
SENDER = re.compile(r"whatsapp:\+[1-9]\d{6,14}")
# The code Twilio gives when this field does not look right; 20001 for all others.
INVALID_FIELD = {"ContentSid": 21655, "MessagingServiceSid": 21703}


def twilio_complaints(path: str, verb: str, form: dict[str, list[str]]) -> list[TwilioComplaint]:
    """What Twilio, read strictly, would not accept in this form (each name with all its values)."""
    facts = TWILIO["paths"][path][verb.lower()]["fields"]
    complaints = [
        TwilioComplaint(20001, f"Unknown parameter {name}") for name in form if name not in facts
    ]
    for name, fact in facts.items():
        if name in form and not _form_values_fit(form[name], fact):
            code = INVALID_FIELD.get(name, 20001)
            complaints.append(TwilioComplaint(code, f"Invalid parameter {name}"))
    if not complaints and path == MESSAGES_PATH and verb == "POST":
        complaints = _new_message_complaints({name: values[0] for name, values in form.items()})
    return complaints


def _form_values_fit(values: list[str], fact: Facts) -> bool:
    if len(values) > 1 and fact["type"] != "array":
        return False
    pattern = fact.get("pattern") or FORM_VALUES.get(fact["type"], r"(?s:.*)")
    choices = fact.get("enum")
    return all(re.fullmatch(pattern, v) and (not choices or v in choices) for v in values)


def _new_message_complaints(form: dict[str, str]) -> list[TwilioComplaint]:
    rules = (
        _address_problem,
        _content_problem,
        _variables_problem,
        _url_problem,
        _schedule_problem,
    )
    return [problem for rule in rules if (problem := rule(form))]


def _address_problem(form: dict[str, str]) -> TwilioComplaint | None:
    to, sender = form.get("To", ""), form.get("From", "")
    if not to:
        return TwilioComplaint(21604, "A 'To' phone number is required.")
    if not sender and "MessagingServiceSid" not in form:
        return TwilioComplaint(21603, "A 'From' phone number is required.")
    if sender and to.startswith("whatsapp:") != sender.startswith("whatsapp:"):
        return TwilioComplaint(21910, "Invalid From and To pair. They must be of one channel")
    if not PERSON.fullmatch(to):
        return TwilioComplaint(21211, f"Invalid 'To' Phone Number: {to}")
    if sender and not SENDER.fullmatch(sender):
        return TwilioComplaint(21212, f"Invalid From Number (caller ID): {sender}")
    return None


def _content_problem(form: dict[str, str]) -> TwilioComplaint | None:
    if not any(form.get(name) for name in ("Body", "MediaUrl", "ContentSid")):
        return TwilioComplaint(21602, "Message body is required.")
    if len(form.get("Body", "")) > 1600:
        text = "The concatenated message body exceeds the 1600 character limit"
        return TwilioComplaint(21617, text)
    return None


def _variables_problem(form: dict[str, str]) -> TwilioComplaint | None:
    try:
        variables = json.loads(form.get("ContentVariables") or "{}")
        fits = len(variables) <= 100 and all(
            len(name) <= 16 and len(value) <= 1600 for name, value in variables.items()
        )
    except (ValueError, TypeError, AttributeError):
        fits = False
    return None if fits else TwilioComplaint(21656, "The ContentVariables Parameter is Invalid")


def _url_problem(form: dict[str, str]) -> TwilioComplaint | None:
    if "MediaUrl" in form and not _is_public_url(form["MediaUrl"]):
        return TwilioComplaint(21620, "Invalid media URL(s)")
    callback = form.get("StatusCallback", "")
    if callback and (not _is_public_url(callback) or "_" in (urlsplit(callback).hostname or "")):
        return TwilioComplaint(21609, f"The StatusCallback URL {callback} is not a valid URL")
    return None


def _is_public_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _schedule_problem(form: dict[str, str]) -> TwilioComplaint | None:
    if "ValidityPeriod" in form and not 1 <= int(form["ValidityPeriod"] or 0) <= 36000:
        return TwilioComplaint(20001, "Invalid parameter ValidityPeriod")
    if "SendAt" in form and not {"ScheduleType", "MessagingServiceSid"} <= form.keys():
        return TwilioComplaint(35118, "SendAt needs ScheduleType and MessagingServiceSid")
    return None
