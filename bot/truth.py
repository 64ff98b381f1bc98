"""The truth in words: how many get something, and on how many phones it stays."""

from __future__ import annotations

from bot.messages import Text, _, _n
from bot.store.copies import Copies
from bot.store.messages import Reach


def reached(reach: Reach) -> list[Text]:
    """How many get it now, how many later, how many not at all."""
    said = []
    if reach.now:
        said.append(_n("{n} peer gets it now.", "{n} peers get it now.", n=reach.now))
    if reach.noticed:
        said.append(
            _n(
                "{n} peer is told now that a message waits.",
                "{n} peers are told now that a message waits.",
                n=reach.noticed,
            )
        )
    if reach.later:
        said.append(
            _n(
                "{n} peer gets it after writing here again.",
                "{n} peers get it after writing here again.",
                n=reach.later,
            )
        )
    if reach.never:
        said.append(
            _n(
                "{n} peer cannot be reached at the moment.",
                "{n} peers cannot be reached at the moment.",
                n=reach.never,
            )
        )
    return said


def remaining(copies: Copies) -> list[Text]:
    """What was taken back from phones, and what stays on them."""
    said = []
    if copies.taken_back:
        said.append(
            _n(
                "It is being deleted on {n} phone.",
                "It is being deleted on {n} phones.",
                n=copies.taken_back,
            )
        )
    if copies.kept:
        said.append(
            _n(
                "{n} phone keeps its copy: there it cannot be deleted from here.",
                "{n} phones keep their copies: there they cannot be deleted from here.",
                n=copies.kept,
            )
        )
    return said or [_("Nobody has got it.")]
