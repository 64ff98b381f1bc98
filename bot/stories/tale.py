"""A story in words: its questions, its parts, who tells it, and what its teller agreed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.messages import Choice, Ref, Text, _
from bot.reflecting import PATHWAYS
from bot.store.consents import COMMUNITY, NAME, NAMELESS, ORGANISATION, PROGRAMME, PUBLIC, Consent
from bot.store.stories import Part

QUESTIONS: dict[str, Text] = {
    "who": _("Who is it about? You, or somebody else; no real name is needed."),
    "before": _("What was it like before?"),
    "happened": _("What happened then?"),
    "matters": _("Why does it matter to you?"),
}
HEADS: dict[str, Text] = {
    "who": _("Who it is about"),
    "before": _("Before"),
    "happened": _("What happened"),
    "matters": _("Why it matters"),
}
KINDS = PATHWAYS  # of change: as of reflections
MINE = Choice("mystories.start", _("My stories"))
HOWS: dict[str, Text] = {
    NAME: _("With my name"),
    ORGANISATION: _("With my organisation"),
    NAMELESS: _("Without my name"),
}
_AGREED_HOW: dict[str, Text] = {
    NAME: _("with your name"),
    ORGANISATION: _("with your organisation only"),
    NAMELESS: _("without your name"),
}
_MAY: dict[str, Text] = {
    COMMUNITY: _("May your group read it?"),
    PROGRAMME: _("May all groups of the programme read it, if it is chosen?"),
    PUBLIC: _("May the programme show it to everybody, in reports or on the internet?"),
}
_NOT: dict[str, Text] = {
    COMMUNITY: _("Your group does not read it."),
    PROGRAMME: _("Other groups of the programme do not read it."),
    PUBLIC: _("It is not shown to everybody."),
}
HIDDEN = _(
    "A facilitator has hidden this story, so only you see it. You can ask the facilitator about it."
)
SEEN = ("voice", "video", "photo")  # what may tell who she is, whatever is said of her name


def parts(found: Sequence[Part]) -> list[Text]:
    """All there is, in its order, for who tells it or has chosen to read it."""
    return [
        _("{head}:\n{post}", head=HEADS[each.name], post=Ref("stories", each.post_id))
        for each in found
    ]


def preview(found: Sequence[Part]) -> list[Text]:
    """The same for who has just told it: she knows how it sounds."""
    return [
        _("{head}:\n{post}", head=HEADS[each.name], post=Ref("previews", each.post_id))
        for each in found
    ]


def teller(consent: Consent, member_id: int) -> Text:
    """Whose it is, as she agreed for those who read it."""
    number = consent.story_id
    if consent.told == NAME:
        return _("Story {number}, told by {name}", number=number, name=Ref("members", member_id))
    if consent.told == ORGANISATION:
        return _(
            "Story {number}, told by somebody of {organisation}",
            number=number,
            organisation=Ref("organisations", member_id),
        )
    return _("Story {number}, told without a name", number=number)


def may(use: str) -> Text:
    return _MAY[use]


def agreed(hows: Mapping[str, str]) -> list[Text]:
    """What may be done with it, and what may not, in words."""
    said = []
    for use in (COMMUNITY, PROGRAMME, PUBLIC):
        if use in hows:
            said.append(_agreed(use, _AGREED_HOW[hows[use]]))
        else:
            said.append(_NOT[use])
    return said


def _agreed(use: str, how: Text) -> Text:
    if use == COMMUNITY:
        return _("Your group may read it, {how}.", how=how)
    if use == PROGRAMME:
        return _("All groups of the programme may read it, {how}.", how=how)
    return _("Everybody may read it, {how}.", how=how)


def ways(*, organisation: bool) -> list[Choice]:
    """The ways to be named, and none of them."""
    offered = [each for each in HOWS if organisation or each != ORGANISATION]
    return [*(Choice(each, HOWS[each]) for each in offered), Choice("no", _("No"))]


def kind(domain: str | None) -> Text:
    return _("any kind of change") if domain is None else KINDS[domain]
