"""Engines: which computer turns the voices of a language into text, as TRANSCRIBE names them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

NONE = "none"
_FOLDER = "whisper:"
_MODEL = "whisper-1"  # what an endpoint is asked for, unless the address ends with #its-own-name


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to turn a voice into text: a folder of this machine, or an address."""

    folder: Path | None = None  # of a faster-whisper model
    address: str | None = None  # of an OpenAI-compatible service, without a slash at its end
    model: str = _MODEL

    @property
    def service(self) -> str | None:
        """Whose computer hears the voice, by its host name; None = nobody's outside."""
        host = None if self.address is None else urlsplit(self.address).hostname
        return None if host is None or _is_here(host) else host


class TryAgain(Exception):
    """The engine could not just now; the text is a word for the log."""

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.after = after  # so long it asked for


class Unfit(Exception):
    """The engine will never take this one; the text is a word for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Hears(Protocol):
    """Something that turns a voice into text."""

    async def hear(self, content: bytes, language: str) -> str:
        """What is said in OGG/Opus, "" for silence. Raises TryAgain, Unfit."""


def parse(setting: str, languages: frozenset[str]) -> Mapping[str, Engine]:
    """ "en=whisper:/path/to/model,lo=https://host/v1,km=none" -> engines by language.

    Raises ValueError with one line.
    """
    found: dict[str, Engine] = {}
    seen: set[str] = set()
    for part in filter(None, (each.strip() for each in setting.split(","))):
        code, _equals, where = (each.strip() for each in part.partition("="))
        if code not in languages or not where:
            example = "en=whisper:/path/to/model,lo=https://host/v1,km=none"
            raise ValueError(f"write language=engine, as in {example}")
        if code in seen:
            raise ValueError(f"{code} has two engines; leave one")
        seen.add(code)
        if where != NONE:
            found[code] = _engine(code, where)
    return found


def _engine(code: str, where: str) -> Engine:
    if where.startswith(_FOLDER):
        folder = Path(where.removeprefix(_FOLDER))
        if not folder.is_absolute():
            raise ValueError(f"the model folder of {code} must be a whole path, whisper:/…")
        return Engine(folder=folder)
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(f"{code} needs none, whisper:/path/to/model or https://host/v1")
    if parts.username or parts.password:
        raise ValueError(f"the address of {code} holds a password; put it into TRANSCRIBE_KEY")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError(f"the address of {code} must begin with https://, so that nobody listens")
    address = parts._replace(fragment="").geturl().rstrip("/")
    return Engine(address=address, model=parts.fragment or _MODEL)


def _is_here(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
