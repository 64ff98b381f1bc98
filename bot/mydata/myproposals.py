"""My data, the part about joint proposals; the words themselves stand with all that she wrote."""

from __future__ import annotations

from bot.messages import Text, _
from bot.store.proposed import Proposed

KINDS = {
    "purpose": _("what a joint proposal is for"),
    "idea": _("idea for a joint proposal"),
    "part": _("title of a part of a joint proposal"),
    "section": _("part of a joint proposal"),
}


def parts(found: Proposed) -> list[tuple[Text, list[tuple[Text, str | None]]]]:
    """Only what there is something in."""
    lines = [_("{at}: you opened one", at=at) for at in found.opened]
    lines += [_("Your hand is up; whose it is is kept until {at}.", at=at) for at in found.raised]
    lines += [_("Q{number}: you write a part", number=number) for number in found.writes]
    return [(_("Joint proposals"), [(line, None) for line in lines])] if lines else []
