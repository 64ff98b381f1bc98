"""A disk that is full when we say so: a small file system in memory, or a limit on file sizes."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import Linkline

PAGE = 4096
SIZE = 96  # megabytes


class Mounted:
    """A file system of its own: its N-th page from now on finds no room (ENOSPC)."""

    name = "a small file system"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, _process: Linkline, pages: int) -> None:
        while not self._fill(pages):
            pass  # the bot has written since the room was measured: measure anew

    def _fill(self, pages: int) -> bool:
        self._ballast.unlink(missing_ok=True)
        there = os.statvfs(self.folder)
        size = (there.f_bavail * there.f_frsize // PAGE - pages) * PAGE
        with self._ballast.open("wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return False
        return True

    def free(self, _process: Linkline) -> None:
        self._ballast.unlink(missing_ok=True)


class Limited:
    """No file of the process grows beyond so much (EFBIG); needs no rights."""

    name = "a limit on file sizes"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, process: Linkline, pages: int) -> None:
        log = self.folder / "soak.db-wal"
        base = log.stat().st_size if log.exists() else 0
        soft = max(base, process.stderr.stat().st_size + 2**16) + pages * (PAGE + 24)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def free(self, process: Linkline) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)


Disk = Mounted | Limited


def _mount(folder: Path) -> bool:
    options = f"size={SIZE}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """What this machine allows; it is gone afterwards."""
    folder.mkdir()
    if os.geteuid() != 0 or not _mount(folder):
        yield Limited(folder)
        return
    try:
        yield Mounted(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, timeout=10)
