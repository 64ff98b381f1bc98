"""Fit a message to its reader's language and to the limits of her channel."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.discretion import CLOSING, clearable
from bot.i18n import Lookup, render, shorten, split, units
from bot.messages import Limits, Message, Text
from bot.templates import OPENS_LIST, choices_name

CAPTION = 1000  # UTF-16 units under a picture; each provider takes a few more


@dataclass(frozen=True, slots=True)
class Fitted:
    """The parts as they will be handed over, and the token of the prompt they end with."""

    # {"text", "buttons": [[label, data]]}, the same with {"template", "opens"}, {"text", "qr"},
    # {"text", "file": [table, id]}, {"text", "tree": [community]}, {"commands"},
    # {"text", "media": id, "kind", "name"} or {"retract": [id]}
    contents: tuple[dict[str, Any], ...]
    prompt_token: str | None


def fit(
    message: Message,
    language: str,
    limits: Limits,
    lookup: Lookup,
    *,
    timezone: str = "UTC",
    experienced: bool = False,
    closing: bool = False,
    templates: Mapping[str, str] = MappingProxyType({}),
    media: Sequence[dict[str, Any]] = (),
) -> Fitted:
    """Parts within the limits; choices become buttons, or a numbered list where there are none.

    `closing`: the last bubble, with the choices, tells nothing of what stands above it;
    `templates`: ids of those that show choices, by name;
    `media`: parts that follow the words, each in a bubble of its own.
    """
    if message.commands:
        return Fitted(({"commands": language},), None)
    texts = [render(text, language, lookup, timezone) for text in _said(message, experienced)]
    if message.qr is not None or message.file is not None:
        return Fitted((_captioned(message, "\n\n".join(texts)),), None)
    drawn = _drawn(message, language, lookup, timezone)
    if drawn and not texts and not closing:
        return Fitted(drawn, None)
    above = _split(texts, limits) if closing else []
    if closing:
        texts, message = [render(CLOSING, language, lookup)], clearable(message)
    labels = _labels(message, language, limits, lookup, timezone)
    token = secrets.token_urlsafe(8) if labels else None
    buttons = [[label, f"{token}.{index}"] for index, label in enumerate(labels)]
    if len(labels) > limits.buttons:
        texts.append("\n".join(f"{number}. {label}" for number, label in enumerate(labels, 1)))
    if not (parts := _split(texts, limits)):
        raise ValueError("a message without words")
    told = _contents(parts, buttons, limits, templates, render(OPENS_LIST, language, lookup))
    if closing:  # what tells nothing stays the last bubble
        return Fitted((*drawn, *({"text": each} for each in above), *media, *told), token)
    return Fitted((*drawn, *told, *media), token)


def _labels(
    message: Message, language: str, limits: Limits, lookup: Lookup, timezone: str
) -> list[str]:
    said = (render(each.label, language, lookup, timezone) for each in message.choices)
    return [shorten(each, limits.label) for each in said]


def _contents(
    parts: list[str],
    buttons: list[list[str]],
    limits: Limits,
    templates: Mapping[str, str],
    opens: str,
) -> tuple[dict[str, Any], ...]:
    """Under the last part stands what can be tapped, if the channel or a template shows it."""
    contents: list[dict[str, Any]] = [{"text": part} for part in parts]
    contents[-1]["buttons"] = buttons if len(buttons) <= limits.buttons else []
    sid = templates.get(choices_name(len(buttons)))
    if sid is not None and not contents[-1]["buttons"] and _has_room(parts[-1], buttons, limits):
        contents[-1] |= {"buttons": buttons, "template": sid, "opens": opens}
    return tuple(contents)


def _has_room(text: str, buttons: list[list[str]], limits: Limits) -> bool:
    """The numbered list stays; below it the same can be tapped, if all of it fits there."""
    labels = [label for label, _data in buttons]
    row = next((each for each in limits.tappable if len(labels) <= each.most), None)
    if row is None or units(text) > row.text or len(set(labels)) < len(labels):
        return False
    return all(len(label) <= row.label for label in labels)


def _split(texts: list[str], limits: Limits) -> list[str]:
    return split("\n\n".join(text for text in texts if text), limits.text)


def _drawn(
    message: Message, language: str, lookup: Lookup, timezone: str
) -> tuple[dict[str, Any], ...]:
    """The picture that comes first, with as much of its caption as has room under it."""
    if message.tree is None:
        return ()
    texts = [render(text, language, lookup, timezone) for text in message.tree.caption]
    caption = split("\n".join(texts), CAPTION)[0]
    return ({"text": caption, "tree": list(message.tree.communities)},)


def _said(message: Message, experienced: bool) -> list[Text]:
    hint = [] if message.hint is None or experienced else [message.hint]
    return [*message.paragraphs, *hint]


def _captioned(message: Message, caption: str) -> dict[str, Any]:
    """What comes with a picture or a file."""
    if message.file is not None:
        return {"text": caption, "file": [message.file.table, message.file.id]}
    return {"text": caption, "qr": message.qr}
