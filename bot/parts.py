"""What a part of a delivery is when it is handed over: made from what was frozen of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import mydata
from bot.channels import Rejected
from bot.conversation import Conversations
from bot.db import Database
from bot.messages import Button, Document, Menu, Nudge, Outbound, Picture, Retract, Say
from bot.sessions import calendars
from bot.store.deliveries import Due, Part
from bot.stories import exporting


def as_outbound(due: Due, part: Part, conversations: Conversations) -> Outbound:
    """A file is still empty. Raises Rejected for a file that would go astray."""
    content = part.content or {}
    if "commands" in content:
        language = content["commands"]
        return Menu(due.to, part.token, language, conversations.menu(language))
    if "retract" in content:
        return Retract(due.to, part.token, tuple(content["retract"]))
    if "nudge" in content:
        return Nudge(due.to, part.token, content["nudge"])
    if "qr" in content:
        return Picture(due.to, content["text"], part.token, content["qr"])
    if "file" in content:
        return Document(due.to, content["text"], part.token, _file_name(content["file"], due), b"")
    buttons = tuple(Button(*each) for each in content.get("buttons", ()))
    template, opens = content.get("template"), content.get("opens", "")
    return Say(due.to, content["text"], part.token, buttons, template=template, opens=opens)


def _file_name(file: list[Any], due: Due) -> str:
    """Raises Rejected for what is about somebody else."""
    if file[0] == calendars.TABLE:
        return calendars.FILE_NAME
    if file[0] == exporting.TABLE:
        return exporting.FILE_NAME
    if file != [mydata.TABLE, due.address_id]:
        raise Rejected("elsewhere")  # a file goes where it was asked for, or nowhere
    return mydata.FILE_NAME


async def fill(database: Database, document: Document, due: Due, part: Part) -> Document:
    """Made now, and kept nowhere. Raises Rejected if there is nobody any more."""
    table, row = (part.content or {})["file"]
    if table == calendars.TABLE:
        content = await calendars.make(database, due.address_id, row)
    elif table == exporting.TABLE:
        content = await exporting.make(database, due.address_id, row)
    else:
        content = await mydata.make(database, due.address_id)
    if content is None:
        raise Rejected("nobody")
    return replace(document, content=content)
