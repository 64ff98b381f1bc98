"""Unfit: a file that is not taken, and why; the words for it are said elsewhere."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal["too_big", "too_long", "broken", "unfit", "bomb"]
# too_big   bytes, or pixels
# too_long  minutes
# broken    nothing that can be heard, seen or read is in it
# unfit     of a kind that is not taken, or with something in it that is not
# bomb      made to fill memory or time
REASONS: frozenset[str] = frozenset(get_args(Reason))


class Unfit(Exception):
    """This file will never be taken."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
