"""The truth in words: how many get something, and on how many phones it stays."""

from __future__ import annotations

from bot.messages import Text, _, _n
from bot.store.copies import Copies
from bot.store.reach import Reach


def reached(reach: Reach) -> list[Text]:
    """How many get it now, how many later, how many not at all."""
    n = reach.now
    said = [
        (n, _n("{n} peer gets it now.", "{n} peers get it now.", n=n)),
        (
            reach.noticed,
            _n(
                "{n} peer is told now that a message waits.",
                "{n} peers are told now that a message waits.",
                n=reach.noticed,
            ),
        ),
        *_later(reach),
        (
            reach.never,
            _n(
                "{n} peer cannot be reached at the moment.",
                "{n} peers cannot be reached at the moment.",
                n=reach.never,
            ),
        ),
    ]
    return [text for count, text in said if count]


def _later(reach: Reach) -> list[tuple[int, Text]]:
    """Who gets it when they want it, when they can have it, or does not want it."""
    return [
        (
            reach.waits,
            _n(
                "{n} peer gets it later, at a time that suits them.",
                "{n} peers get it later, at a time that suits them.",
                n=reach.waits,
            ),
        ),
        (
            reach.later,
            _n(
                "{n} peer gets it after writing here again.",
                "{n} peers get it after writing here again.",
                n=reach.later,
            ),
        ),
        (
            reach.spared,
            _n(
                "{n} peer has chosen to get less, and does not get this.",
                "{n} peers have chosen to get less, and do not get this.",
                n=reach.spared,
            ),
        ),
    ]


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
