"""Parts: what one bubble of a delivery is when it is handed over, and what goes along with it.

Words were frozen. A QR picture, a tree and a file about somebody are made at that moment, and kept
nowhere; what a member sent comes out of the vault, if it may still be seen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import mydata, qr, trees
from bot.channels import Rejected, TryLater
from bot.conversation import Conversations
from bot.db import Database
from bot.media.names import mime_of, name_of
from bot.media.vault import Missing, ShelfDown, Vault
from bot.messages import Button, Limits, Media, Menu, Message, Nudge, Outbound, Retract, Say, Tree
from bot.seals import SealError
from bot.sessions import calendars
from bot.store import enclosures
from bot.store.deliveries import Due, Part
from bot.store.enclosures import Enclosure
from bot.stories import exporting

QR_NAME = "qr.png"
AT_ONCE = 8  # files that are held in memory to be handed over, of up to 16 MB each
AGAIN = timedelta(seconds=30)  # when files can be read again
_FILE_NAMES = {
    calendars.TABLE: calendars.FILE_NAME,
    mydata.TABLE: mydata.FILE_NAME,
    exporting.TABLE: exporting.FILE_NAME,
}


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
    if "tree" in content:
        return Media(due.to, content["text"], part.token, "photo", trees.FILE_NAME)
    if "file" in content:
        name = _FILE_NAMES[content["file"][0]]
        return Media(due.to, content["text"], part.token, "document", name)
    buttons = tuple(Button(*each) for each in content.get("buttons", ()))
    template, opens = content.get("template"), content.get("opens", "")
    return Say(due.to, content["text"], part.token, buttons, template=template, opens=opens)


@dataclass(frozen=True, slots=True)
class File:
    """Something that can be handed over."""

    name: str  # tells nothing of whose it is, or of what is in it
    mime: str
    content: bytes


class Files:
    """Looks up what a part of a delivery brings along. Its methods raise StoreDown, ShelfDown."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self.places = asyncio.Semaphore(AT_ONCE)

    async def of_token(self, token: str, since: datetime) -> File | None:
        """For a provider that fetches it; None if it was handed over before that, or never."""
        found = await self._database.run(lambda db: enclosures.find(db, token, since))
        return None if found is None else await self.of(found)

    async def of(self, enclosure: Enclosure) -> File | None:
        """None if there is nothing, or nothing any more."""
        if enclosure.media_id is not None:
            return await self._sent(enclosure)
        message = enclosure.message
        if message.qr is not None:
            return File(QR_NAME, "image/png", qr.png(message.qr))
        if message.tree is not None:
            return await self._drawn(message.tree, enclosure.address_id)
        return await self._made(message, enclosure.address_id)

    async def _drawn(self, tree: Tree, address_id: int) -> File | None:
        """As it stands at this moment."""
        drawn = await trees.make(self._database, address_id, tree.communities)
        return None if drawn is None else File(trees.FILE_NAME, trees.MEDIA_TYPE, drawn)

    async def _sent(self, enclosure: Enclosure) -> File | None:
        """What somebody sent, as long as it is there and not hidden."""
        media = await self._database.run(lambda db: enclosures.find_media(db, enclosure))
        if media is None:
            return None
        try:
            content = await self._vault.get(media.name)
        except (Missing, SealError):
            return None
        about = media.kind, media.mime
        return File(name_of(*about), mime_of(*about), content)

    async def may_be_seen(self, enclosure: Enclosure) -> bool:
        """Whether what a member sent is there, and not hidden; of all else it is seen when made."""
        if enclosure.media_id is None:
            return True
        found = await self._database.run(lambda db: enclosures.find_media(db, enclosure))
        return found is not None

    async def _made(self, message: Message, address_id: int) -> File | None:
        """A file goes where it was asked for, or nowhere."""
        file = message.file
        if file is None:
            return None
        if file.table == calendars.TABLE:
            written = await calendars.make(self._database, address_id, file.id)
            name, mime = calendars.FILE_NAME, calendars.MEDIA_TYPE
        elif file.table == exporting.TABLE:
            written = await exporting.make(self._database, address_id, file.id)
            name, mime = exporting.FILE_NAME, exporting.MEDIA_TYPE
        elif (file.table, file.id) == (mydata.TABLE, address_id):
            written = await mydata.make(self._database, address_id)
            name, mime = mydata.FILE_NAME, mydata.MEDIA_TYPE
        else:
            return None
        return None if written is None else File(name, mime, written)


@contextlib.asynccontextmanager
async def made(
    due: Due, part: Part, conversations: Conversations, files: Files, limits: Limits
) -> AsyncIterator[Outbound]:
    """As it is handed over, and for as long as that takes. Raises what `fill` raises."""
    outbound = as_outbound(due, part, conversations)
    if not isinstance(outbound, Media):
        yield outbound
    elif limits.fetches:  # nothing of it is held here
        yield await fill(files, outbound, due, part, limits)
    else:
        async with files.places:
            yield await fill(files, outbound, due, part, limits)


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
