"""What a part of a delivery is when it is handed over: made from what was frozen of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeGuard

from bot import mydata, trees
from bot.channels import Rejected
from bot.conversation import Conversations
from bot.db import Database
from bot.messages import Button, Document, Menu, Nudge, Outbound, Picture, Retract, Say
from bot.sessions import calendars
from bot.store.deliveries import Due, Part


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
    if "tree" in content:
        return Picture(due.to, content["text"], part.token, tree=tuple(content["tree"]))
    if "file" in content:
        return Document(due.to, content["text"], part.token, _file_name(content["file"], due), b"")
    buttons = tuple(Button(*each) for each in content.get("buttons", ()))
    template, opens = content.get("template"), content.get("opens", "")
    return Say(due.to, content["text"], part.token, buttons, template=template, opens=opens)


def _file_name(file: list[Any], due: Due) -> str:
    """Raises Rejected for what is about somebody else."""
    if file[0] == calendars.TABLE:
        return calendars.FILE_NAME
    if file != [mydata.TABLE, due.address_id]:
        raise Rejected("elsewhere")  # a file goes where it was asked for, or nowhere
    return mydata.FILE_NAME


def is_empty(outbound: Outbound) -> TypeGuard[Document | Picture]:
    """Whether it is made only now, if its provider does not fetch it."""
    return isinstance(outbound, Document) or (isinstance(outbound, Picture) and bool(outbound.tree))


async def fill(
    database: Database, outbound: Document | Picture, due: Due, part: Part
) -> Document | Picture:
    """Made now, and kept nowhere. Raises Rejected if there is nobody any more."""
    if isinstance(outbound, Picture):
        drawn = await trees.draw(database, due.member_id, outbound.tree, due.language)
        return replace(outbound, content=drawn)
    table, row = (part.content or {})["file"]
    if table == calendars.TABLE:
        content = await calendars.make(database, due.address_id, row)
    else:
        content = await mydata.make(database, due.address_id)
    if content is None:
        raise Rejected("nobody")
    return replace(outbound, content=content)
