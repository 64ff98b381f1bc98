"""Exchange visits: what is told of one beside what is told of every session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.messages import Ref, Text, _, _n
from bot.store.sessions import Session

VISIT = "visit"
USUAL_LENGTH = 8 * 60  # minutes


def lines(session: Session) -> dict[str, Text]:
    """By column."""
    found: dict[str, Text] = {}
    if session.organisation:
        found["organisation"] = _("We visit {organisation}.", organisation=_ref("visited", session))
    if session.seats_each is not None:
        found["seats_each"] = each(session.seats_each)
    if session.packing:
        found["packing"] = _("Please bring: {packing}", packing=_ref("packings", session))
    return found


def _ref(table: str, session: Session) -> Ref:
    return Ref(table, session.id)


def each(number: int) -> Text:
    return _n(
        "{n} person of each organisation can come.",
        "{n} people of each organisation can come.",
        n=number,
    )


def planned(plan: Mapping[str, Any]) -> list[Text]:
    """The same of one that is not made yet."""
    found = []
    if plan.get("organisation"):
        found.append(_("We visit {organisation}.", organisation=plan["organisation"]))
    if plan.get("seats_each"):
        found.append(each(plan["seats_each"]))
    if plan.get("packing"):
        found.append(_("Please bring: {packing}", packing=plan["packing"]))
    return found
