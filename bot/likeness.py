"""Likeness: how much two questions are about the same, in any script, without a model.

Compared are pieces of three signs, so that Lao and Khmer need no words; what stands in many
questions counts little. Nothing of it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt

from bot.i18n import fold

SIGNS = 3
LONGEST = 300  # signs of a question that are looked at
ALIKE = 0.15  # from here on two are about the same: seen with questions of our field


def rank(wanted: str, others: Sequence[str]) -> list[float]:
    """How like each of these is to what is wanted, from 0 to 1."""
    pieces = [_pieces(each) for each in (wanted, *others)]
    many = len(pieces)
    found = Counter(piece for each in pieces for piece in each)
    weight = {piece: log(1 + many / count) ** 2 for piece, count in found.items()}
    lengths = [sqrt(sum(weight[piece] for piece in each)) for each in pieces]
    mine, length = pieces[0], lengths[0]
    return [
        sum(weight[piece] for piece in mine & theirs) / (length * its) if length and its else 0.0
        for theirs, its in zip(pieces[1:], lengths[1:], strict=True)
    ]


def _pieces(text: str) -> frozenset[str]:
    said = f" {fold(text[:LONGEST])} "
    return frozenset(said[at : at + SIGNS] for at in range(len(said) - SIGNS + 1))
