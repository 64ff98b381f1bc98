"""What a part of a delivery is when it is handed over: made from what was frozen of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot import mydata
from bot.channels import Rejected, TryLater
from bot.conversation import Conversations
from bot.files import QR_NAME, Files
from bot.media.vault import ShelfDown
from bot.messages import Button, Limits, Media, Menu, Nudge, Outbound, Retract, Say
from bot.sessions import calendars
from bot.store.deliveries import Due, Part
from bot.store.enclosures import Enclosure

AGAIN = timedelta(seconds=30)  # when files can be read again
_FILE_NAMES = {calendars.TABLE: calendars.FILE_NAME, mydata.TABLE: mydata.FILE_NAME}


class Withdrawn(Exception):
    """What a member sent may not be seen any more, or is gone: this part is none."""


def as_outbound(due: Due, part: Part, conversations: Conversations) -> Outbound:
    """What brings a file along is still empty."""
    content = part.content or {}
    if "commands" in content:
        language = content["commands"]
        return Menu(due.to, part.token, language, conversations.menu(language))
    if "retract" in content:
        return Retract(due.to, part.token, tuple(content["retract"]))
    if "nudge" in content:
        return Nudge(due.to, part.token, content["nudge"])
    if "media" in content:
        return Media(due.to, content["text"], part.token, content["kind"], content["name"])
    if "qr" in content:
        return Media(due.to, content["text"], part.token, "photo", QR_NAME)
    if "file" in content:
        name = _FILE_NAMES[content["file"][0]]
        return Media(due.to, content["text"], part.token, "document", name)
    buttons = tuple(Button(*each) for each in content.get("buttons", ()))
    template, opens = content.get("template"), content.get("opens", "")
    return Say(due.to, content["text"], part.token, buttons, template=template, opens=opens)


async def fill(files: Files, media: Media, due: Due, part: Part, limits: Limits) -> Media:
    """With its bytes, where its provider does not fetch them; looked up anew at this moment.

    Raises Withdrawn, Rejected, TryLater, StoreDown.
    """
    enclosure = Enclosure(due.message, due.address_id, (part.content or {}).get("media"))
    try:
        if limits.fetches:
            is_there, content = await files.may_be_seen(enclosure), b""
        else:
            file = await files.of(enclosure)
            is_there, content = file is not None, b"" if file is None else file.content
    except ShelfDown:
        raise TryLater("vault", AGAIN) from None
    if is_there:
        return replace(media, content=content)
    raise Rejected("nobody") if enclosure.media_id is None else Withdrawn
