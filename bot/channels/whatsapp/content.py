"""Templates at Twilio: its Content API, and how a bubble fills one in."""

from __future__ import annotations

import json
from typing import Any

from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from bot.messages import Button, Say, Standing, Template

UNSUBMITTED = "unsubmitted"
CATEGORY = "UTILITY"
MOST = 1000  # templates of one account
BUTTONS = 3  # more choices are a list


async def create(client: Client, template: Template, name: str) -> str:
    asked = ContentList.ContentCreateRequest(
        {
            "friendly_name": name,
            "language": template.code,
            "variables": _samples(template),
            "types": _types(template),
        }
    )
    made = await client.content.v1.contents.create_async(asked)
    return str(made.sid)


async def submit(client: Client, sid: str, name: str) -> str:
    asked = ApprovalCreateList.ContentApprovalRequest({"name": name, "category": CATEGORY})
    told = await client.content.v1.contents(sid).approval_create.create_async(asked)
    return str(told.status or "received").lower()


async def list_all(client: Client) -> list[Standing]:
    found = await client.content.v1.content_and_approvals.list_async(limit=MOST)
    return [_standing(each) for each in found]


async def text_of(client: Client, sid: str) -> str:
    """The words of one that has nothing to fill in."""
    types = (await client.content.v1.contents(sid).fetch_async()).types or {}
    return next((str(each.get("body", "")) for each in types.values()), "")


def _standing(content: Any) -> Standing:
    told = content.approval_requests or {}
    state = str(told.get("status") or UNSUBMITTED).lower()
    reason = told.get("rejection_reason") or None
    return Standing(str(content.sid), str(content.friendly_name), state, reason)


def _types(template: Template) -> dict[str, Any]:
    if template.opens:
        items = [{"item": each.label, "id": each.data} for each in template.buttons]
        picker = {"body": template.body, "button": template.opens, "items": items}
        return {"twilio/list-picker": picker}
    if not template.buttons:
        return {"twilio/text": {"body": template.body}}
    actions = [
        {"type": "QUICK_REPLY", "title": each.label, "id": each.data} for each in template.buttons
    ]
    return {"twilio/quick-reply": {"body": template.body, "actions": actions}}


def _samples(template: Template) -> dict[str, str]:
    """Something for each variable, as Twilio wants it."""
    said = json.dumps(_types(template))
    count = next(n for n in range(101) if f"{{{{{n + 1}}}}}" not in said)
    return {str(n): f"sample {n}" for n in range(1, count + 1)}


# The bubbles that show choices: of their words and labels nothing is known beforehand. ----------


def generic(count: int, code: str) -> Template:
    """For so many choices: buttons up to three, then a list.

    Ids in a list may be filled in: they carry our own data. Those of buttons stay as they are, and
    a tap on one is known by its label and by the bubble that it quotes.
    """
    name = f"choices_{count}"
    if count <= BUTTONS:
        buttons = [Button(f"{{{{{n + 1}}}}}", f"choice-{n}") for n in range(1, count + 1)]
        return Template(name, "", code, "{{1}}", tuple(buttons), approved=False)
    rows = [Button(f"{{{{{2 * n + 1}}}}}", f"{{{{{2 * n + 2}}}}}") for n in range(1, count + 1)]
    return Template(name, "", code, "{{1}}", tuple(rows), "{{2}}", approved=False)


def fill(message: Say) -> str:
    """ContentVariables for a generic template."""
    if len(message.buttons) <= BUTTONS:
        values = [message.text, *(each.label for each in message.buttons)]
    else:
        values = [message.text, message.opens]
        values += [value for each in message.buttons for value in (each.label, each.data)]
    return json.dumps({str(n): value for n, value in enumerate(values, 1)}, ensure_ascii=False)
