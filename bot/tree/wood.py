"""The wood: a trunk, and a twig to every leaf that grows out of the nearest wood below it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from bot.tree.foliage import Place, Point, scaled
from bot.tree.scenery import Colour, mixed, rgb

STEP = 11.0  # pixels between two nodes
FOOT = (540.0, 905.0)
YOUNG = 12  # up to so many leaves it has no limbs yet
LIMBS = ((530, 70), (250, 620), (830, 620), (190, 250), (890, 250), (90, 450), (990, 450))
DARK, BARK, LIGHT = rgb("#4a3326"), rgb("#6d4c36"), rgb("#a07450")


@dataclass(slots=True)
class Node:
    """A point of the wood."""

    x: float
    y: float
    below: int  # the number of the node it grew from; the foot is its own
    leaves: int = 0  # that hang above it


def grow(leaves: Sequence[Place], chance: random.Random) -> list[Node]:
    """All wood of a tree with these leaves; what is below stands before what grows out of it."""
    foot = FOOT[0] - (100 if len(leaves) == 1 else 0)
    nodes = [Node(foot, FOOT[1], 0)]
    fork = 790 - 9 * min(len(leaves), 12) if len(leaves) > 1 else 690
    steps = int((FOOT[1] - fork) / STEP)
    for number in range(1, steps + 1):
        aside = 18 * math.sin(number / steps * math.pi * 1.15)
        nodes.append(Node(foot - aside, FOOT[1] - number * STEP, number - 1))
    first, top = max(1, int(steps * 0.62)), nodes[-1]
    for goal in LIMBS if len(leaves) > YOUNG else ():
        _reach(nodes, goal, first, 0)
    for each in sorted(leaves, key=lambda leaf: math.dist(leaf.stem, (top.x, top.y))):
        _reach(nodes, each.stem, first, 1)
    return nodes


def _reach(nodes: list[Node], goal: Point, first: int, leaves: int) -> None:
    """A twig from where it is easiest, in a curve; what carries it gets stronger."""
    start = min(range(first, len(nodes)), key=lambda at: _effort(nodes[at], goal))
    node, below = nodes[start], nodes[nodes[start].below]
    far = math.dist((node.x, node.y), goal)
    along = math.dist((node.x, node.y), (below.x, below.y)) or 1.0
    pull = far * 0.45 / along  # it leaves in the direction the wood had
    control = (node.x + (node.x - below.x) * pull, node.y + (node.y - below.y) * pull - far * 0.08)
    count, at = max(1, int(far / STEP)), start
    for number in range(1, count + 1):
        t = number / count
        x = (1 - t) ** 2 * node.x + 2 * t * (1 - t) * control[0] + t * t * goal[0]
        y = (1 - t) ** 2 * node.y + 2 * t * (1 - t) * control[1] + t * t * goal[1]
        nodes.append(Node(x, y, at))
        at = len(nodes) - 1
    while True:
        nodes[at].leaves += leaves
        if at == 0:
            return
        at = nodes[at].below


def _effort(node: Node, goal: Point) -> float:
    """How far it is, and how much of it goes down."""
    dx, dy = goal[0] - node.x, goal[1] - node.y
    return math.hypot(dx, dy) + 1.3 * max(0.0, dy + 0.35 * abs(dx))


def thickness(leaves: int) -> float:
    """As the sap needs it: a branch is as strong as its twigs together."""
    return 3.4 + 6.4 * float(max(0, leaves - 1) ** 0.43)


def paint(pen: ImageDraw.ImageDraw, nodes: Sequence[Node]) -> None:
    """From the twigs down, in three tones: the light comes from the right."""
    wide = [_wide(each, nodes) for each in nodes]
    _roots(pen, nodes[0], wide[0])
    young = max(0.0, 1 - nodes[0].leaves / 8)  # green, before it is wood
    for tone, share, aside in ((DARK, 1.0, 0.0), (BARK, 0.76, 0.10), (LIGHT, 0.28, 0.24)):
        colour = mixed(tone, rgb("#7f9a3c"), young * 0.75)
        for at in range(len(nodes) - 1, 0, -1):
            node, below = nodes[at], nodes[nodes[at].below]
            if node.leaves and wide[at] * share > 1.5:
                thick = min(wide[node.below], wide[at] * 1.25)
                one = (below.x + thick * aside, below.y, thick * share)
                other = (node.x + wide[at] * aside, node.y, wide[at] * share)
                _stroke(pen, one, other, colour)


def _wide(node: Node, nodes: Sequence[Node]) -> float:
    """At the foot it is wider; a young stem, too, gets thinner as it grows."""
    low = max(0.0, (node.y - 760) / 145)
    stem = 7 * max(0.0, (node.y - 300) / 600) if nodes[0].leaves <= YOUNG else 0.0
    return (thickness(node.leaves) + (stem if node.leaves else 0)) * (1 + 0.45 * low**2)


Disc = tuple[float, float, float]  # x, y, width


def _stroke(pen: ImageDraw.ImageDraw, one: Disc, other: Disc, colour: Colour) -> None:
    """Between two widths, without a step."""
    long = math.dist(one[:2], other[:2]) or 1.0
    ax, ay = (other[1] - one[1]) / long / 2, (one[0] - other[0]) / long / 2
    shape = [
        (one[0] + ax * one[2], one[1] + ay * one[2]),
        (other[0] + ax * other[2], other[1] + ay * other[2]),
        (other[0] - ax * other[2], other[1] - ay * other[2]),
        (one[0] - ax * one[2], one[1] - ay * one[2]),
    ]
    pen.polygon(scaled(shape), fill=colour)
    x, y, wide = other
    if y + wide / 2 < FOOT[1]:
        pen.ellipse(scaled([(x - wide / 2, y - wide / 2), (x + wide / 2, y + wide / 2)]), colour)


def _roots(pen: ImageDraw.ImageDraw, foot: Node, wide: float) -> None:
    for reach in (-1.2, -0.62, 0.66, 1.25):
        tip = (foot.x + reach * wide, foot.y + 6 + wide * 0.08)
        left, right = foot.x - wide * 0.48, foot.x + wide * 0.48
        pen.polygon(scaled([(left, foot.y - wide * 0.5), tip, (right, foot.y - wide * 0.5)]), DARK)


def plant(pen: ImageDraw.ImageDraw, nodes: Sequence[Node], chance: random.Random) -> None:
    """Grass in front of the foot."""
    foot, wide = nodes[0], _wide(nodes[0], nodes)
    for number in range(26):
        x = foot.x + (number / 25 - 0.5) * (3.0 * wide + 26)
        y, high = foot.y + chance.uniform(8, 18), chance.uniform(13, 30)
        lean = chance.uniform(-7, 7)
        colour = mixed(rgb("#5f8f45"), rgb(chance.choice(("#a9c25f", "#2f6238"))), 0.55)
        pen.polygon(scaled([(x - 3, y), (x + lean, y - high), (x + 3, y)]), fill=colour)


def seed_leaves(nodes: Sequence[Node]) -> list[Place]:
    """The two with which every plant begins."""
    at = nodes[min(len(nodes) - 1, 13)]
    return [Place(at.x + side * 27, at.y - 9, 27, 12, side, side * -0.42) for side in (-1, 1)]
