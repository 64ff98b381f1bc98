"""What readers of references are made of: words in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Callable

from bot.i18n import Own, Reader, own_name, render
from bot.messages import Ref, Text, _

Words = Callable[[str, Own], str]  # (language, what her programme words otherwise) -> words

HIDDEN = _("(taken back)")


class _Nothing(Reader):
    """Of sentences that refer to nothing."""

    def __init__(self, own: Own) -> None:
        self.own = own

    def __call__(self, ref: Ref, language: str) -> str:
        return ""


def plain(text: Text, language: str, own: Own) -> str:
    return render(text, language, _Nothing(own))


def sentence(text: Text) -> Words:
    return lambda language, own: plain(text, language, own)


def same(words: str) -> Words:
    """As they were written, whoever reads them."""
    return lambda _language, _own: words


def written_in(source: str) -> Text:
    """Says that what follows is not in the reader's language."""
    return _("(in {language})", language=own_name(source))
