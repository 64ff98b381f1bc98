"""The vault: files sealed with the keys of the store, under random names that tell nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Self

from bot import seals
from bot.media.shelves import Missing, Shelf, ShelfDown, new_name, open_shelf
from bot.settings import Settings

__all__ = ["Missing", "ShelfDown", "Vault", "new_name"]


class Vault:
    """Each method may be called again after whatever happened; a name holds one file for ever.

    All raise ShelfDown, after which one tries again later; those that read, SealError for a file
    that was changed, or put in the place of another. Beside each stands what a command calls that
    has no loop.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(open_shelf(settings))

    async def put(self, name: str, content: bytes) -> None:
        await asyncio.to_thread(self.put_now, name, content)

    async def get(self, name: str) -> bytes:
        """Raises Missing."""
        return await asyncio.to_thread(self.get_now, name)

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self._shelf.remove, name)

    def put_now(self, name: str, content: bytes) -> None:
        self._shelf.put(name, seals.keyring().seal_file(content, name))

    def get_now(self, name: str) -> bytes:
        return seals.keyring().open_file(self._shelf.get(name), name)

    def names(self) -> Iterator[str]:
        """Of all files; blocks."""
        return self._shelf.names()

    def try_out(self, name: str) -> None:
        """Write a file, read it, remove it."""
        self.put_now(name, b"")
        self.get_now(name)
        self._shelf.remove(name)

    # Copies, as they are sealed

    def copy_out(self, name: str) -> bytes:
        """Raises Missing."""
        return self._shelf.get(name)

    def copy_in(self, name: str, sealed: bytes) -> None:
        """Unless it is there already, perhaps sealed with a newer key."""
        try:
            self.get_now(name)
        except (Missing, seals.SealError):
            self._shelf.put(name, sealed)

    # Keys that rotate

    def list_older(self) -> list[str]:
        """Files that are not sealed as they are sealed now; looks into each."""
        return [name for name in self.names() if not self._is_fresh(name)]

    def reseal(self, name: str) -> None:
        """Sealed anew, unless somebody has removed it meanwhile."""
        try:
            was = self._shelf.get(name)
        except Missing:
            return
        ring = seals.keyring()
        plain = ring.open_file(was, name)
        self._shelf.replace(name, was, ring.seal_file(plain, name))

    def _is_fresh(self, name: str) -> bool:
        head = seals.keyring().head
        try:
            return self._shelf.head(name, len(head)) == head
        except Missing:
            return True  # removed meanwhile
