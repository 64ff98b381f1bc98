"""Templates as Twilio's Content API keeps them, read strictly."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Fields = dict[str, Any]

# Meta's list as far as this project may need it; Khmer and Burmese are not on it.
LANGUAGES = {"en", "en_US", "en_GB", "lo", "th", "vi", "id", "fr", "zh_CN"}
LIMITS = {  # content type: (texts and how long they may be, what lists, how many)
    "twilio/text": ({"body": 1600}, None, 0),
    "twilio/quick-reply": ({"body": 1024}, "actions", 10),
    "twilio/list-picker": ({"body": 1024, "button": 20}, "items", 10),
}
LABELS = {"actions": ("title", 20), "items": ("item", 24)}
CATEGORIES = {"UTILITY", "MARKETING", "AUTHENTICATION"}
VARIABLE = re.compile(r"\{\{(\w+)\}\}")
ID = 200


def new_content(account: str, fields: Fields, now: float) -> Fields:
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {name: fields.get(name) for name in ("friendly_name", "language", "types")}
    about = {"sid": "HX" + uuid.uuid4().hex, "account_sid": account, "approval": None}
    dates = {"date_created": date, "date_updated": date}
    return known | about | dates | {"variables": fields.get("variables") or {}}


def content_facts(content: Fields) -> Fields:
    url = f"https://content.twilio.com/v1/Content/{content['sid']}"
    links = {
        "approval_create": f"{url}/ApprovalRequests/whatsapp",
        "approval_fetch": f"{url}/ApprovalRequests",
    }
    plain = {name: value for name, value in content.items() if name != "approval"}
    return plain | {"url": url, "links": links}


def approval_facts(content: Fields) -> Fields:
    url = f"https://content.twilio.com/v1/Content/{content['sid']}/ApprovalRequests"
    told = content["approval"] or {"status": "unsubmitted", "rejection_reason": ""}
    return {
        "sid": content["sid"],
        "account_sid": content["account_sid"],
        "whatsapp": told | {"type": "whatsapp"},
        "url": url,
    }


def body_of(content: Fields) -> str:
    return str(next(iter(content["types"].values()))["body"])


def content_complaints(fields: Fields) -> list[str]:
    """What Twilio, read strictly, would not accept as a new template."""
    known = {"friendly_name", "language", "variables", "types"}
    if not isinstance(fields, dict) or not fields:
        return ["Invalid JSON"]
    complaints = [f"Unknown field {name}" for name in fields if name not in known]
    complaints += [f"{name} is missing" for name in ("language", "types") if not fields.get(name)]
    for kind, value in (fields.get("types") or {}).items():
        if kind not in LIMITS:
            complaints.append(f"Unsupported content type {kind}")
        elif not isinstance(value, dict):
            complaints.append(f"{kind} is empty")
        else:
            complaints += _type_complaints(kind, value)
    used = set(VARIABLE.findall(json.dumps(fields.get("types"))))
    missing = used - set(fields.get("variables") or {})
    return complaints + [f"no sample for variable {name}" for name in sorted(missing)]


def _type_complaints(kind: str, value: Fields) -> Iterator[str]:
    texts, listed, most = LIMITS[kind]
    for name, longest in texts.items():
        if not 1 <= len(value.get(name) or "") <= longest:
            yield f"{name} must have 1 to {longest} characters"
    if listed is None:
        return
    rows = value.get(listed) or []
    label, longest = LABELS[listed]
    if not 1 <= len(rows) <= most:
        yield f"1 to {most} {listed}"
    for row in rows:
        if not 1 <= len(row.get(label) or "") <= longest:
            yield f"{label} must have 1 to {longest} characters"
        if not 1 <= len(row.get("id") or "") <= ID:
            yield "id is missing or too long"
    for name in (label, "id"):
        if len({row.get(name) for row in rows}) < len(rows):
            yield f"{name} must be unique"


def submission_complaints(content: Fields, fields: Fields) -> list[str]:
    """What Meta would send back at once."""
    complaints = []
    if not re.fullmatch(r"[a-z0-9_]{1,512}", str(fields.get("name", ""))):
        complaints.append("name may hold small letters, digits and _ only")
    if fields.get("category") not in CATEGORIES:
        complaints.append("category is unknown")
    if content["language"] not in LANGUAGES:
        complaints.append(f"language {content['language']} is not supported")
    if "twilio/list-picker" in content["types"]:
        complaints.append("twilio/list-picker cannot be submitted")
    body = body_of(content)
    if re.search(r"^\W*\{\{|\}\}\W*$", body) or re.search(r"\}\}\s*\{\{", body):
        complaints.append("variables at the start, at the end or beside each other")
    if len(body) > 1024:
        complaints.append("body is longer than 1024")
    return complaints


def variables_problem(content: Fields, fields: Fields) -> str | None:
    """What a send does not fill in, or fills in so that WhatsApp will not show it."""
    given = {**content["variables"], **json.loads(fields.get("ContentVariables") or "{}")}
    filled = VARIABLE.sub(
        lambda found: json.dumps(str(given.get(found[1], "")))[1:-1], json.dumps(content["types"])
    )
    for kind, value in json.loads(filled).items():
        problem = next(_type_complaints(kind, value), None)
        if problem:
            return problem
        if kind == "twilio/quick-reply" and not content["approval"] and len(value["actions"]) > 3:
            return "only three buttons without approval"
    return None
