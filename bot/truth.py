"""The truth in words: how many get something, and on how many phones it stays."""

from __future__ import annotations

from bot.messages import Text, _, _n
from bot.store.copies import Copies
from bot.store.reach import Reach
from bot.store.standing import Standing


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
        _waits(reach.waits),
        _later(reach.later),
        _spared(reach.spared),
        _never(reach.never),
    ]
    return [text for count, text in said if count]


def stands(found: Standing, *, readers: bool) -> list[Text]:
    """Where something stands that was said before; `readers`: how many have read it may be told."""
    said = [
        *(_readers(found) if readers else _have_it(found.read + found.has)),
        (
            found.digest,
            _n(
                "It stands in the digest of {n} peer.",
                "It stands in the digests of {n} peers.",
                n=found.digest,
            ),
        ),
        (
            found.way,
            _n("It is on its way to {n} peer.", "It is on its way to {n} peers.", n=found.way),
        ),
        (
            found.noticed,
            _n(
                "{n} peer was told that a message waits.",
                "{n} peers were told that a message waits.",
                n=found.noticed,
            ),
        ),
        _waits(found.waits),
        _later(found.later),
        _spared(found.spared),
        (
            found.late,
            _n(
                "For {n} peer it would have come too late.",
                "For {n} peers it would have come too late.",
                n=found.late,
            ),
        ),
        _never(found.never),
        (found.fans_out, _("It is on its way to more.")),
        (readers and found.read and found.silent, _("Telegram does not tell what was read.")),
    ]
    return [text for count, text in said if count] or [_("Nobody has got it.")]


def _have_it(n: int) -> list[tuple[int, Text]]:
    return [(n, _n("{n} peer has it.", "{n} peers have it.", n=n))]


def _readers(found: Standing) -> list[tuple[int, Text]]:
    if not found.read:
        return _have_it(found.has)
    return [
        (
            found.read,
            _n("{n} peer has read it.", "{n} peers have read it.", n=found.read),
        ),
        (found.has, _n("{n} more has it.", "{n} more have it.", n=found.has)),
    ]


def _waits(n: int) -> tuple[int, Text]:
    return n, _n(
        "{n} peer gets it later, at a time that suits them.",
        "{n} peers get it later, at a time that suits them.",
        n=n,
    )


def _later(n: int) -> tuple[int, Text]:
    return n, _n(
        "{n} peer gets it after writing here again.",
        "{n} peers get it after writing here again.",
        n=n,
    )


def _spared(n: int) -> tuple[int, Text]:
    return n, _n(
        "{n} peer has chosen to get less, and does not get this.",
        "{n} peers have chosen to get less, and do not get this.",
        n=n,
    )


def _never(n: int) -> tuple[int, Text]:
    return n, _n(
        "{n} peer cannot be reached at the moment.",
        "{n} peers cannot be reached at the moment.",
        n=n,
    )


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
