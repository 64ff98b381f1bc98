"""The weekly message: a tip and the questions of her communities, or what peers said, in one."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Choice, Message, Ref, Text, _
from bot.store.editions import Edition

MOST_PROMPTS = 3  # in one message; who is in more communities gets the first ones


def compose(editions: Sequence[Edition]) -> Message | None:
    """What these say together, in their order; None if that is nothing."""
    tip = _tip(editions)
    prompts = _prompts(editions)
    paragraphs = [] if tip is None else [_("{tip}", tip=Ref("contents", tip))]
    for each in prompts:
        paragraphs += _question(each)
    if not paragraphs:
        return None
    return Message(
        tuple(paragraphs),
        tuple(_choices(prompts, tip)),
        _("To answer, simply reply to this message.") if prompts else None,
        subject=Ref("editions", prompts[0].id) if prompts else None,
    )


def _tip(editions: Sequence[Edition]) -> int | None:
    """One is enough: what a facilitator picked, else the first."""
    tips = [each for each in editions if each.kind == "tip" and each.content_id is not None]
    tips.sort(key=lambda each: not each.picked)
    return tips[0].content_id if tips else None


def _prompts(editions: Sequence[Edition]) -> list[Edition]:
    """Each question once, whichever communities ask it."""
    found: dict[int, Edition] = {}
    for each in editions:
        if each.kind == "prompt" and each.content_id is not None:
            found.setdefault(each.content_id, each)
    return list(found.values())[:MOST_PROMPTS]


def _question(edition: Edition) -> list[Text]:
    return [
        _(
            "This week's question in {community}:",
            community=Ref("communities", edition.community_id),
        ),
        _("{question}", question=Ref("contents", edition.content_id or 0)),
    ]


def _choices(prompts: Sequence[Edition], tip: int | None) -> list[Choice]:
    found = []
    if prompts:
        found.append(Choice(f"responses.begin:{prompts[0].id}", _("Answer")))
        found.append(Choice(f"reflect.weekly_one:{prompts[0].id}", _("Reflect")))
    if tip is not None:
        found.append(Choice(f"opinions.useful:{tip}", _("Useful")))
        found.append(Choice(f"opinions.not_for_me:{tip}", _("Not for me")))
    return found
