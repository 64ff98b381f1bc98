"""Disks that do not survive a restart: a store on one of them is lost with the next deploy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bot.settings import Settings, SettingsError

MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = ("tmpfs", "ramfs")
_OF_A_CONTAINER = ("overlay", "aufs")

# Hosts that start each process on a fresh disk, by a variable they set; what keeps a file there.
_NEVER = {"DYNO": "Heroku", "K_SERVICE": "Cloud Run", "AWS_LAMBDA_FUNCTION_NAME": "Lambda"}
_ON_A_DISK = {"RENDER": "Render", "RAILWAY_ENVIRONMENT": "Railway", "FLY_APP_NAME": "Fly"}


def check(settings: Settings) -> None:
    """Production keeps its store. Raises SettingsError."""
    path = settings.database_path
    if settings.development or settings.linkline_disk == "kept" or path is None:
        return
    why = find_loss(path, os.environ, read_mounts())
    if why is not None:
        raise SettingsError(
            f"DATABASE_URL: the file would be lost with the next restart ({why}); "
            f"use PostgreSQL or a disk that is kept, or say LINKLINE_DISK=kept if it is one"
        )


def find_loss(path: Path, env: Mapping[str, str], mounts: Mapping[str, str]) -> str | None:
    """Why a file there does not survive a restart; None if it does, as far as can be seen."""
    for name, host in _NEVER.items():
        if env.get(name):
            return f"{host} keeps no files"
    place = _mount_of(path.absolute(), mounts)
    for name, host in _ON_A_DISK.items():
        if env.get(name) and place == "/":
            return f"{host} keeps only what is on an attached disk"
    kind = mounts.get(place, "")
    if kind in _IN_MEMORY:
        return f"{place} is in memory"
    return "it is inside a container" if kind in _OF_A_CONTAINER else None


def _mount_of(path: Path, mounts: Mapping[str, str]) -> str:
    """The innermost place that something is mounted at, on the way to this file."""
    way = [str(path), *map(str, path.parents)]
    return next((each for each in way if each in mounts), "/")


def read_mounts() -> dict[str, str]:
    """What kind of file system is mounted where; nothing where that cannot be seen."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        left, _dash, right = line.partition(" - ")
        found[left.split()[4].replace("\\040", " ")] = right.split()[0]
    return found
