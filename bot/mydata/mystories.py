"""My data, the part about stories of change; the words themselves stand with all that she wrote."""

from __future__ import annotations

from bot.messages import Text, _
from bot.store.told import Told

KINDS = {
    "story": _("part of a story of change"),
    "reason": _("why you chose a story"),
    "asked": _("question or answer about a story"),
}


def parts(found: Told) -> list[tuple[Text, list[tuple[Text, str | None]]]]:
    """Only what there is something in."""
    lines: list[tuple[Text, str | None]] = [
        (_("Story {number}, begun on {at}", number=number, at=at), None)
        for number, at in found.stories
    ]
    for each in found.consents:
        about: dict[str, object] = {"number": each.story_id, "at": each.given_at}
        lines.append((_("{at}: you agreed for story {number}", **about), each.words))
        if each.withdrawn_at is not None:
            lines.append((_("You ended this on {at}.", at=each.withdrawn_at), None))
    lines += [
        (_("You have chosen story {number}; whose voice it is is kept until {at}.", **each), None)
        for each in ({"number": number, "at": at} for number, at in found.chosen)
    ]
    lines += [(_("{at}: you opened a round of stories", at=at), None) for at in found.opened]
    lines += [(_("{at}: you exported stories", at=at), None) for at in found.exported]
    return [(_("Stories of change"), lines)] if lines else []
