"""Disks that do not survive a restart: production refuses, nobody else is troubled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot import disks, seals
from bot.settings import Settings, SettingsError

HOME = Path("/srv/linkline/linkline.db")
VM = {"/": "ext4", "/proc": "proc", "/tmp": "tmpfs", "/home": "btrfs"}
CONTAINER = {"/": "overlay", "/proc": "proc", "/dev/shm": "tmpfs"}

LOST = [
    ({"DYNO": "web.1"}, VM, HOME),
    ({"DYNO": "web.1"}, {}, HOME),
    ({"K_SERVICE": "linkline"}, CONTAINER | {"/srv/linkline": "ext4"}, HOME),
    ({"RENDER": "true"}, VM, HOME),
    ({"RAILWAY_ENVIRONMENT": "production"}, CONTAINER, HOME),
    ({"FLY_APP_NAME": "linkline"}, {"/": "ext4"}, HOME),
    ({}, CONTAINER, HOME),
    ({}, VM, Path("/tmp/x/linkline.db")),
    ({}, CONTAINER, Path("/dev/shm/linkline.db")),
]
KEPT = [
    ({}, VM, HOME),
    ({}, {"/": "xfs"}, HOME),
    ({}, {"/": "zfs"}, HOME),
    ({}, {}, HOME),  # it cannot be seen: a laptop that is no Linux
    ({}, VM, Path("/home/noy/linkline.db")),
    ({"DYNO": ""}, VM, HOME),
    ({"RENDER": "true"}, VM | {"/srv/linkline": "ext4"}, HOME),
    ({"RAILWAY_ENVIRONMENT": "production"}, CONTAINER | {"/srv": "ext4"}, HOME),
    ({"FLY_APP_NAME": "linkline"}, {"/": "ext4", "/srv/linkline": "ext4"}, HOME),
    ({}, CONTAINER | {"/srv/linkline": "xfs"}, HOME),  # a volume of the container
]


@pytest.mark.parametrize(("env", "mounts", "path"), LOST)
def test_lost_with_the_next_restart(
    env: dict[str, str], mounts: dict[str, str], path: Path
) -> None:
    assert disks.find_loss(path, env, mounts)


@pytest.mark.parametrize(("env", "mounts", "path"), KEPT)
def test_no_false_alarm(env: dict[str, str], mounts: dict[str, str], path: Path) -> None:
    assert disks.find_loss(path, env, mounts) is None


def test_mounts_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "22 1 252:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "23 22 0:5 / /srv/my\\040disk rw master:2 - xfs /dev/vdb rw\n"
    )
    (tmp_path / "mounts").write_text(lines, encoding="utf-8")
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mounts")
    assert disks.read_mounts() == {"/": "ext4", "/srv/my disk": "xfs"}
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "none")
    assert disks.read_mounts() == {}


def settings(**more: str) -> Settings:
    found = {"linkline_env": "production", "linkline_keys": seals.new_key()} | more
    return Settings(_env_file=None, **found)  # type: ignore[call-arg, arg-type]


def test_who_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DYNO", "web.1")
    assert os.environ["DYNO"]
    store = f"sqlite:///{tmp_path / 'a.db'}"
    with pytest.raises(SettingsError, match="LINKLINE_DISK=kept") as refused:
        disks.check(settings(database_url=store))
    assert "\n" not in str(refused.value)
    disks.check(settings(database_url=store, linkline_disk="kept"))
    disks.check(settings(database_url=store, linkline_env="development"))
    disks.check(settings(database_url="postgresql://a:b@127.0.0.1/c"))
