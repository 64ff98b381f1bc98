"""My data, the part about voices and photos in words."""

from __future__ import annotations

from bot.messages import Text, _
from bot.store.captioned import Captioned

LIKES = {
    "reads": _("You get the text of voice notes."),
    "described": _("You get photos described."),
}
ANSWERS = {
    "yes": _("{at}: your voice may go to a computer of {service}"),
    "no": _("{at}: your voice may not go to a computer of {service}"),
}
_ASKED = _("{at}: you were asked whether your voice may go to a computer of {service}")


def parts(found: Captioned) -> list[tuple[Text, list[tuple[Text, str | None]]]]:
    """Only what there is something in."""
    lines: list[tuple[Text, str | None]] = [
        (_("{at}, under what you said or showed", at=at), text) for at, text in found.under_hers
    ]
    lines += [(_("{at}, you wrote it down for a peer", at=at), text) for at, text in found.written]
    if found.agreed is not None:
        service, answer, at = found.agreed
        said = ANSWERS.get(answer, _ASKED)
        lines.append((Text(said.msgid, {"at": at, "service": service}), None))
    if found.likes in LIKES:
        lines.append((LIKES[found.likes], None))
    return [(_("Voices and photos in words"), lines)] if lines else []
