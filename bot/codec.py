"""Texts and messages as they are stored: JSON of scalars, moments and references."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bot.messages import Choice, Listing, Message, Month, Ref, Text, Tree


def message_to_json(message: Message) -> dict[str, Any]:
    """Only what is not at its default, so that a short message stays short."""
    stored: dict[str, Any] = {"say": [text_to_json(text) for text in message.paragraphs]}
    if message.choices:
        stored["choices"] = [[each.key, text_to_json(each.label)] for each in message.choices]
    if message.hint is not None:
        stored["hint"] = text_to_json(message.hint)
    if message.step is not None:
        stored["step"] = message.step
    if message.subject is not None:
        stored["subject"] = [message.subject.table, message.subject.id]
    if message.free:
        stored["free"] = True
    if message.qr is not None:
        stored["qr"] = message.qr
    if message.tree is not None:
        caption = [text_to_json(text) for text in message.tree.caption]
        stored["tree"] = [list(message.tree.communities), caption]
    if message.file is not None:
        stored["file"] = [message.file.table, message.file.id]
    if message.commands:
        stored["commands"] = True
    if message.retract is not None:
        stored["retract"] = [message.retract.table, message.retract.id]
    if message.nudge:
        stored["nudge"] = True
    if message.listings:
        stored["listings"] = [
            [text_to_json(text) for text in (each.heading, *each.lines)]
            for each in message.listings
        ]
    return stored


def message_from_json(stored: Mapping[str, Any]) -> Message:
    hint, subject, retract = stored.get("hint"), stored.get("subject"), stored.get("retract")
    file = stored.get("file")
    return Message(
        paragraphs=tuple(text_from_json(text) for text in stored["say"]),
        choices=tuple(
            Choice(key, text_from_json(label)) for key, label in stored.get("choices", ())
        ),
        hint=None if hint is None else text_from_json(hint),
        step=stored.get("step"),
        free=stored.get("free", False),
        subject=None if subject is None else Ref(*subject),
        qr=stored.get("qr"),
        tree=_tree(stored.get("tree")),
        file=None if file is None else Ref(*file),
        commands=stored.get("commands", False),
        retract=None if retract is None else Ref(*retract),
        nudge=stored.get("nudge", False),
        listings=tuple(
            Listing(text_from_json(heading), tuple(text_from_json(line) for line in lines))
            for heading, *lines in stored.get("listings", ())
        ),
    )


def _tree(stored: Any) -> Tree | None:
    if stored is None:
        return None
    communities, caption = stored
    return Tree(tuple(communities), tuple(text_from_json(text) for text in caption))


def text_to_json(text: Text) -> dict[str, Any]:
    stored: dict[str, Any] = {"text": text.msgid}
    if text.params:
        stored["params"] = {name: _param_to_json(value) for name, value in text.params.items()}
    if text.plural is not None:
        stored["plural"] = text.plural
    if text.language is not None:
        stored["language"] = text.language
    return stored


def text_from_json(stored: Mapping[str, Any]) -> Text:
    params = {name: _param_from_json(value) for name, value in stored.get("params", {}).items()}
    return Text(stored["text"], params, stored.get("plural"), stored.get("language"))


def _param_to_json(value: object) -> object:
    if isinstance(value, Text):
        return text_to_json(value)
    if isinstance(value, Ref):
        return {"ref": [value.table, value.id, value.most]}
    if isinstance(value, Month):
        return {"month": value.at.isoformat()}
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if isinstance(value, str | int):
        return value
    raise TypeError(f"a text cannot carry a {type(value).__name__}")


def _param_from_json(value: Any) -> object:
    if not isinstance(value, Mapping):
        return value
    if "text" in value:
        return text_from_json(value)
    if "ref" in value:
        return Ref(*value["ref"])
    if "month" in value:
        return Month(datetime.fromisoformat(value["month"]))
    if "on" in value:
        return date.fromisoformat(value["on"])
    return datetime.fromisoformat(value["at"])


def with_tuples(stored: Any) -> Any:
    """What was stored as JSON, as frozen things like it: lists are tuples."""
    if isinstance(stored, dict):
        return {name: with_tuples(value) for name, value in stored.items()}
    return tuple(map(with_tuples, stored)) if isinstance(stored, list) else stored
