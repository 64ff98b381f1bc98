"""My data, the part about reflections: what she noted about them beside her words."""

from __future__ import annotations

from bot.messages import Text, _
from bot.reflecting import FEELINGS, PATHWAYS
from bot.store.reflections import Reflection
from bot.themes import THEMES

Fact = tuple[Text, str | None]


def parts(found: list[Reflection], *, looks_back: bool | None) -> list[tuple[Text, list[Fact]]]:
    """Only if there is something in it; `looks_back`: they come back to her after a month."""
    facts: list[Fact] = [
        (_("{at}: {mark}", at=each.created_at, mark=mark), None)
        for each in found
        for mark in _marks(each)
    ]
    if looks_back:
        facts.append((_("What you said comes back to you after a month."), None))
    return [(_("What you noted about your reflections"), facts)] if facts else []


def _marks(each: Reflection) -> list[Text]:
    names = ((THEMES, each.theme), (PATHWAYS, each.pathway), (FEELINGS, each.feeling))
    return [labels[name] for labels, name in names if name in labels]
