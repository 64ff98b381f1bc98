"""My data, the part about voices and photos in words."""

from __future__ import annotations

from datetime import datetime

from bot.messages import Text, _
from bot.store.captioned import Captioned

LIKES = {
    "reads": _("You get the text of voice notes."),
    "described": _("You get photos described."),
}


def parts(found: Captioned) -> list[tuple[Text, list[tuple[Text, str | None]]]]:
    """Only what there is something in."""
    lines: list[tuple[Text, str | None]] = [
        (_("{at}, under what you said or showed", at=at), text) for at, text in found.under_hers
    ]
    lines += [(_("{at}, you wrote it down for a peer", at=at), text) for at, text in found.written]
    if found.agreed is not None:
        lines.append((_answered(*found.agreed), None))
    if found.likes in LIKES:
        lines.append((LIKES[found.likes], None))
    return [(_("Voices and photos in words"), lines)] if lines else []


def _answered(service: str, answer: str, at: datetime) -> Text:
    if answer == "yes":
        return _("{at}: your voice may go to a computer of {service}", at=at, service=service)
    if answer == "no":
        return _("{at}: your voice may not go to a computer of {service}", at=at, service=service)
    return _(
        "{at}: you were asked whether your voice may go to a computer of {service}",
        at=at,
        service=service,
    )
