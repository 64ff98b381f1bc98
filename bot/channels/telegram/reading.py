"""What an update of Telegram says: a message, a tap, a block, a group that moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from telegram import Message, Update

from bot.messages import File, Inbound, Tap


def read(lane: str, key: str, update: Update) -> Inbound | None:
    """What somebody did; None if it is nothing to us."""
    if update.callback_query is not None:
        return _tap(lane, key, update)
    if update.my_chat_member is not None:
        return _membership(lane, key, update)
    message = update.message or update.edited_message
    moved = None if message is None else _moved(lane, key, message)
    if moved is not None:
        return moved
    if message is None or message.from_user is None or message.from_user.is_bot:
        return None
    return _message(lane, key, message, edited=update.edited_message is not None)


def _moved(lane: str, key: str, message: Message) -> Inbound | None:
    """A group became a supergroup: told in the old chat and in the new one, and again later."""
    old, new = message.chat.id, message.migrate_to_chat_id
    if message.migrate_from_chat_id:
        old, new = message.migrate_from_chat_id, message.chat.id
    if not new:
        return None
    return Inbound(lane=lane, key=key, sender=(str(old),), kind="moved", moved_to=str(new))


def _message(lane: str, key: str, message: Message, *, edited: bool) -> Inbound:
    user, chat = message.from_user, message.chat
    assert user is not None
    kind = "edit" if edited else "message"
    return Inbound(
        lane=lane,
        key=key,
        sender=(str(chat.id),),
        kind=kind if chat.type == "private" else "group",
        text=message.text or message.caption or "",
        files=_files(message),
        id=f"{chat.id}/{message.message_id}",
        reply_to=_quoted(message),
        forwarded=message.forward_origin is not None or "forward_date" in message.api_kwargs,
        name=user.first_name,
        language=user.language_code,
    )


def _tap(lane: str, key: str, update: Update) -> Inbound | None:
    query = update.callback_query
    assert query is not None
    if query.message is None or query.message.chat.type != "private":
        return None
    token, _dot, index = (query.data or "").rpartition(".")
    return Inbound(
        lane=lane,
        key=key,
        sender=(str(query.message.chat.id),),
        kind="tap",
        tap=Tap(token, int(index) if index.isdecimal() and len(index) < 3 else 99),
        name=query.from_user.first_name,
        language=query.from_user.language_code,
        receipt=query.id,
    )


def _membership(lane: str, key: str, update: Update) -> Inbound | None:
    """In a private chat this comes only when she blocks or unblocks the bot."""
    change = update.my_chat_member
    assert change is not None
    if change.chat.type != "private":
        return None
    kind = "blocked" if change.new_chat_member.status == "kicked" else "unblocked"
    return Inbound(lane=lane, key=key, sender=(str(change.chat.id),), kind=kind)


def _files(message: Message) -> tuple[File, ...]:
    found: list[File] = []
    for kind in ("voice", "audio", "video", "video_note", "document", "sticker"):
        media = getattr(message, kind)
        if media is not None:
            seconds = getattr(media, "duration", None)
            mime = getattr(media, "mime_type", None)
            found.append(File(_KINDS.get(kind, kind), media.file_id, _seconds(seconds), mime))
    if message.photo:
        found.append(File("photo", message.photo[-1].file_id))
    if message.location is not None:
        place = message.location
        found.append(File("location", f"{place.latitude},{place.longitude}"))
    if message.contact is not None:
        found.append(File("contact", message.contact.phone_number))
    return tuple(found)


_KINDS = {"audio": "voice", "video_note": "video"}


def _seconds(value: Any) -> int | None:
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def _quoted(message: Message) -> str | None:
    """What is quoted. Inside a forum topic every message 'replies' to the topic's first one."""
    quoted = message.reply_to_message
    if quoted is None or quoted.forum_topic_created is not None:
        return None
    return f"{message.chat.id}/{quoted.message_id}"
