"""Happy Trees in the chat: what a picture says in words, and the picture itself, drawn in time.

It is drawn from what stands at the moment it is handed over, in a thread of its own, so that no
lane waits; phones that see the same leaves in the same language share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Connection

from bot.db import Database
from bot.i18n import render
from bot.messages import Ref, Text, Tree, _, _n
from bot.store import appointments, communities, leaves
from bot.store.editions import Edition
from bot.store.leaves import Leaf, Painted
from bot.tree import crown, picture
from bot.tree.words import drawable

FILE_NAME = "tree.jpg"
MEDIA_TYPE = "image/jpeg"
LINE = 40  # graphemes of a leaf in a caption
KEPT = 300  # seconds that a picture is kept in memory
MOST_KEPT = 24  # pictures

_easel = ThreadPoolExecutor(1, "easel")
_Key = tuple[str, tuple[Painted, ...]]
_drawn: dict[_Key, Future[bytes]] = {}


# In words ----------------------------------------------------------------------------------------


def line(leaf: Leaf, *, discreet: bool, most: int | None = LINE) -> Text:
    """A leaf; with a name only where its author wished it and the group is not discreet."""
    words = Ref("leaves", leaf.id, most)
    named = leaf.named and leaf.author_id is not None and not discreet
    name = Ref("members", leaf.author_id or 0)
    return _("{name}: {post}", name=name, post=words) if named else _("{post}", post=words)


def on_demand(db: Connection, member_id: int, community_id: int) -> Tree:
    """The whole tree of a community, as one of its members sees it."""
    place = communities.get(db, community_id)
    found = leaves.list_for(db, member_id, [community_id], crown.MOST_WORDS)
    heading = _n(
        "The Happy Tree of {community}: {n} leaf.",
        "The Happy Tree of {community}: {n} leaves. The newest are:",
        n=leaves.count_for(db, member_id, [community_id]),
        community=place.ref,
    )
    return Tree(
        (community_id,), (heading, *(line(each, discreet=place.discreet) for each in found))
    )


def news(db: Connection, editions: Sequence[Edition]) -> Tree | None:
    """What has grown in these communities, for all their members; None if that is nothing."""
    found = leaves.list_said(db, [each.id for each in editions])
    where = tuple(dict.fromkeys(each.community_id for each in found))
    if not where:
        return None
    heading = _n(
        "New on the Happy Trees of your groups: {n} leaf.",
        "New on the Happy Trees of your groups: {n} leaves.",
        n=len(found),
    )
    if len(where) == 1:
        heading = _n(
            "New on the Happy Tree of {community}: {n} leaf.",
            "New on the Happy Tree of {community}: {n} leaves.",
            n=len(found),
            community=Ref("communities", where[0]),
        )
    shown = found[: crown.MOST_WORDS]
    return Tree(where, (heading, *(line(each, discreet=False) for each in shown)))


# As a picture ------------------------------------------------------------------------------------


async def make(database: Database, address_id: int, community_ids: Sequence[int]) -> bytes | None:
    """A JPEG of all leaves that hang there at this moment for whoever has this address.

    None if that is nobody any more. Raises StoreDown.
    """
    key = await database.run(lambda db: _look(db, address_id, community_ids))
    return None if key is None else await _share(key)


def _look(db: Connection, address_id: int, community_ids: Sequence[int]) -> _Key | None:
    reader = appointments.find_reader(db, address_id)
    if reader is None:
        return None
    hers = reader.member_id, community_ids
    title = _n("Happy Tree · {n} leaf", "Happy Tree · {n} leaves", n=leaves.count_for(db, *hers))
    found = leaves.paint_for(db, *hers, crown.MOST_DRAWN, crown.MOST_WORDS)
    return render(title, reader.language, _no_names), tuple(found)


async def _share(key: _Key) -> bytes:
    """One drawing for all who see the same; forgotten soon, with the words on it."""
    if key not in _drawn:
        while len(_drawn) >= MOST_KEPT:
            _drawn.pop(next(iter(_drawn)))
        _drawn[key] = _easel.submit(_paint, key)
        asyncio.get_running_loop().call_later(KEPT, _drawn.pop, key, None)
    try:
        return await asyncio.shield(asyncio.wrap_future(_drawn[key]))
    except Exception:
        _drawn.pop(key, None)
        raise


def _paint(key: _Key) -> bytes:
    title, found = key
    return picture.draw(
        [picture.Leaf(each.id, _on_leaf(each), each.spoken) for each in found], title
    )


def _on_leaf(leaf: Painted) -> str:
    """A name of signs that cannot be drawn is left away, with its colon."""
    name = drawable(leaf.name or "")
    return ": ".join(each for each in (name, leaf.words) if each)


def _no_names(ref: Ref, language: str) -> str:
    return ""
