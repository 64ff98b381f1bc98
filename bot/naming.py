"""Names people give themselves, as others will see them."""

from __future__ import annotations

import regex

from bot.i18n import graphemes
from bot.messages import Text, _

_NUMBER = regex.compile(r"(?:\p{Nd}[\s().+-]?){6,}")


def holds_number(text: str) -> bool:
    """Whether there is something like a phone number in it, in any digits."""
    return _NUMBER.search(text) is not None


def fault(name: str) -> Text | None:
    """What is wrong with a name, said kindly; None if it can be used."""
    if graphemes(name) < 2:
        return _("Please write a name of at least two letters.")
    if holds_number(name):
        return _("That looks like a phone number. Please write a name without one.")
    return None
