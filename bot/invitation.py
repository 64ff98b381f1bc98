"""The words that go with an invite, ready to be sent on in the chats people already have."""

from __future__ import annotations

from collections.abc import Iterable

from bot.i18n import languages
from bot.messages import Ref, Text, _


def invitation(community: Ref, links: Iterable[str], *, discreet: bool) -> list[Text]:
    """One paragraph for each language, then the links; of a discreet community no word."""
    sentence = _(
        "You are invited to {community}: ask peers of other organisations a question and get "
        "answers, in Lao, Khmer or English. To come in, open a link:",
        community=community,
    )
    if discreet:
        sentence = _("Here is the link we talked about:")
    said = [Text(sentence.msgid, sentence.params, language=code) for code in languages()]
    return [*said, *(_("{link}", link=link) for link in links)]
