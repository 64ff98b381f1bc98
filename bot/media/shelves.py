"""Shelves: where sealed files lie, a folder or a bucket of an S3-compatible store.

A shelf knows bytes by their names and nothing else. Whatever it raises says nothing of what it
keeps: Missing, or ShelfDown, after which the caller tries again later.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PreconditionError
from obstore.store import S3Store

from bot.settings import Settings

_NAME = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"\.[0-9a-f]{32}\.part")  # being written
_STALE = 3600.0  # seconds after which nobody writes a part any more
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Missing(Exception):
    """No file of this name."""


class ShelfDown(Exception):
    """It cannot be written or read now; the text says why and what to do, in one line."""


class Shelf(Protocol):
    """Where bytes lie under names; every method blocks, and raises ShelfDown."""

    def put(self, name: str, content: bytes) -> None:
        """Whole or not at all, also over what is there."""

    def replace(self, name: str, was: bytes, content: bytes) -> None:
        """As put, if `was` still lies there: nothing comes back that was removed meanwhile."""

    def get(self, name: str) -> bytes:
        """Raises Missing."""

    def head(self, name: str, size: int) -> bytes:
        """The first bytes. Raises Missing."""

    def remove(self, name: str) -> None:
        """Also what is not there."""

    def names(self) -> Iterator[str]:
        """Of all files that are there whole."""


def new_name() -> str:
    """Random, so that it tells nothing and nobody guesses it."""
    return secrets.token_hex(16)


def check_name(name: str) -> None:
    """Anything else might lead out of the folder. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("a file is named by 32 hex digits")


def open_shelf(settings: Settings) -> Shelf:
    """The one that MEDIA_URL names. Raises ShelfDown."""
    path = settings.media_path
    return Bucket(_bucket(settings)) if path is None else Folder(path)


class Folder:
    """On a disk of this machine, for this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)

    def put(self, name: str, content: bytes) -> None:
        with _told(), self._written(content) as part:
            os.replace(part, self._place(name))
            self._settle()

    def replace(self, name: str, was: bytes, content: bytes) -> None:
        place = self._place(name)
        with _told(), self._written(content) as part, self._locked():
            if place.exists() and place.read_bytes() == was:
                os.replace(part, place)
                self._settle()

    def get(self, name: str) -> bytes:
        return self.head(name, -1)

    def head(self, name: str, size: int) -> bytes:
        with _told():
            try:
                file = self._place(name).open("rb")
            except FileNotFoundError:
                os.stat(self._path)  # without its folder nothing can be told
                raise Missing from None
            with file:
                return file.read(size)

    def remove(self, name: str) -> None:
        with _told(), self._locked():
            self._place(name).unlink(missing_ok=True)
            self._settle()

    def names(self) -> Iterator[str]:
        """Clears away what a crash has left half."""
        with _told():
            entries = list(os.scandir(self._path))
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                yield entry.name
            elif _PART.fullmatch(entry.name):
                _clear(entry)

    def _place(self, name: str) -> Path:
        check_name(name)
        return self._path / name

    @contextlib.contextmanager
    def _written(self, content: bytes) -> Iterator[Path]:
        """A part that is on the disk; gone afterwards, unless it was given its name."""
        part = self._path / f".{new_name()}.part"
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield part
        finally:
            part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time, of all processes; freed when its holder dies."""
        handle = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _settle(self) -> None:
        """What was renamed or removed stays so when the power fails."""
        handle = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _clear(entry: os.DirEntry[str]) -> None:
    with contextlib.suppress(OSError):
        if time.time() - entry.stat().st_mtime > _STALE:
            os.unlink(entry.path)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ShelfDown("MEDIA_URL: the disk is full; make room, it is tried again") from None
        raise ShelfDown(f"MEDIA_URL: the folder cannot be used: {error.strerror}") from None


class Bucket:
    """In an S3-compatible store, so that several machines share it."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, name: str, content: bytes) -> None:
        check_name(name)
        with _asked():
            obstore.put(self._store, name, content, use_multipart=False)

    def replace(self, name: str, was: bytes, content: bytes) -> None:
        check_name(name)
        with contextlib.suppress(Missing, PreconditionError), _asked():
            found = obstore.get(self._store, name)
            mark = found.meta["e_tag"]
            if bytes(found.bytes()) == was:
                same: Any = {"e_tag": mark}
                obstore.put(self._store, name, content, mode=same, use_multipart=False)

    def get(self, name: str) -> bytes:
        check_name(name)
        with _asked():
            return bytes(obstore.get(self._store, name).bytes())

    def head(self, name: str, size: int) -> bytes:
        check_name(name)
        with _asked():
            return bytes(obstore.get_range(self._store, name, start=0, length=size))

    def remove(self, name: str) -> None:
        check_name(name)
        with contextlib.suppress(Missing), _asked():
            obstore.delete(self._store, name)

    def names(self) -> Iterator[str]:
        with _asked():
            for some in obstore.list(self._store):
                for each in some:
                    if _NAME.fullmatch(each["path"]):
                        yield each["path"]


@contextlib.contextmanager
def _asked() -> Iterator[None]:
    """What the library says holds addresses and names; its kind is enough."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        if "NoSuchBucket" in str(error):
            raise ShelfDown(
                "MEDIA_URL: there is no such bucket; make it, or name another"
            ) from None
        raise Missing from None
    except PreconditionError:
        raise
    except (BaseError, OSError, ValueError) as error:
        kind = type(error).__name__
        raise ShelfDown(
            f"MEDIA_URL: the bucket does not answer as it should ({kind}); check it and AWS_*"
        ) from None


def _bucket(settings: Settings) -> S3Store:
    """Keys, region and endpoint of the settings; what they leave out, from where AWS keeps it."""
    parts = urlsplit(settings.media_url or "")
    endpoint = settings.aws_endpoint_url
    given = {
        "access_key_id": settings.aws_access_key_id,
        "secret_access_key": settings.aws_secret_access_key,
        "region": settings.aws_region,
        "endpoint": endpoint,
    }
    config: Any = {name: value for name, value in given.items() if value}
    with _asked():
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            client_options={
                "timeout": "60s",
                "connect_timeout": "10s",
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
            },
        )
