"""The vault: what is put there is found again, by us and by nobody else."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import seals
from bot.media import shelves
from bot.media.vault import Missing, ShelfDown, Vault, new_name
from bot.seals import Keyring, SealError, new_key
from bot.settings import ROOT, Settings
from tests.fakes import s3

KEY = new_key()


@pytest.fixture(autouse=True)
def _keys() -> None:
    seals.use(Keyring([KEY]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def lying(folder: Path) -> Vault:
    return Vault.from_settings(Settings(media_url=f"file://{folder}"))


@pytest.fixture
def bucket() -> Iterator[s3.S3]:
    with s3.serving() as found:
        yield found


def hanging(bucket: s3.S3, **more: Any) -> Vault:
    """A vault in the bucket."""
    given = {
        "media_url": f"s3://{s3.BUCKET}/linkline/files",
        "aws_access_key_id": s3.ACCESS,
        "aws_secret_access_key": s3.SECRET,
        "aws_region": s3.REGION,
        "aws_endpoint_url": bucket.address,
    }
    return Vault.from_settings(Settings(**(given | more)))


@pytest.fixture(params=["folder", "bucket"])
def vault(request: pytest.FixtureRequest) -> Vault:
    if request.param == "folder":
        return request.getfixturevalue("lying")  # type: ignore[no-any-return]
    return hanging(request.getfixturevalue("bucket"))


# On both shelves -----------------------------------------------------------------------------


def test_what_was_put_is_found_until_it_is_removed(vault: Vault) -> None:
    async def play() -> None:
        name = new_name()
        await vault.put(name, b"\x00 hello \x80\x00\x00")
        await vault.put(name, b"\x00 hello \x80\x00\x00")
        assert await vault.get(name) == b"\x00 hello \x80\x00\x00"
        assert list(vault.names()) == [name]
        await vault.remove(name)
        await vault.remove(name)
        with pytest.raises(Missing):
            await vault.get(name)

    asyncio.run(play())


def test_all_of_them_are_named(vault: Vault) -> None:
    names = {new_name() for _number in range(8)}
    for name in names:
        vault.put_now(name, b"")
    assert sorted(vault.names()) == sorted(names)


@pytest.mark.parametrize(
    "name", ["../evil", "", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "/etc/passwd", "٠" * 32]
)
def test_a_name_leads_nowhere_else(vault: Vault, name: str) -> None:
    for verb in (vault.get(name), vault.put(name, b""), vault.remove(name)):
        with pytest.raises(ValueError, match="32 hex"):
            asyncio.run(verb)


def test_keys_rotate(vault: Vault) -> None:
    names = [new_name() for _number in range(4)]
    for name in names:
        vault.put_now(name, name.encode())
    seals.use(Keyring([newer := new_key(), KEY]))
    vault.put_now(fresh := new_name(), b"fresh")
    assert sorted(vault.list_older()) == sorted(names)
    for name in (*names, new_name()):
        vault.reseal(name)
    assert vault.list_older() == []
    seals.use(Keyring([newer]))
    assert [vault.get_now(each) for each in names] == [each.encode() for each in names]
    assert vault.get_now(fresh) == b"fresh"


def test_what_is_removed_while_it_is_sealed_anew_stays_removed(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put_now(name := new_name(), b"her voice")
    seals.use(Keyring([new_key(), KEY]))
    seal_file = Keyring.seal_file

    def meanwhile(ring: Keyring, content: bytes, name: str) -> bytes:
        asyncio.run(vault.remove(name))
        return seal_file(ring, content, name)

    monkeypatch.setattr(Keyring, "seal_file", meanwhile)
    vault.reseal(name)
    assert list(vault.names()) == []


# In a folder ---------------------------------------------------------------------------------


def test_a_file_lies_sealed_for_this_user_only(lying: Vault, folder: Path) -> None:
    lying.put_now(name := new_name(), b"hello" * 100)
    place = folder / name
    assert b"hello" not in place.read_bytes()
    assert (place.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_file_in_the_place_of_another_is_refused(lying: Vault, folder: Path) -> None:
    one, other = new_name(), new_name()
    lying.put_now(one, b"hers")
    (folder / one).rename(folder / other)
    with pytest.raises(SealError):
        lying.get_now(other)


def test_a_file_that_was_changed_is_refused(lying: Vault, folder: Path) -> None:
    lying.put_now(name := new_name(), b"hers")
    raw = bytearray((folder / name).read_bytes())
    raw[-1] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(SealError):
        lying.get_now(name)


def test_no_length_tells_which_file_it_is(lying: Vault, folder: Path) -> None:
    """A voice of three seconds looks like any short one; a large file grows little."""
    sizes = {}
    for size in (0, 9_000, 12_200, 1_000_000):
        lying.put_now(name := new_name(), bytes(size))
        sizes[size] = (folder / name).stat().st_size
    assert sizes[9_000] == sizes[12_200]
    assert sizes[1_000_000] < 1_130_000


KILLED = """
import os, sys
from bot import seals
from bot.media.vault import Vault
from bot.settings import Settings
_me, folder, key, name, at = sys.argv
real = getattr(os, at)
def ending(*given, **more):
    os._exit(9)
setattr(os, at, ending)
seals.use(seals.Keyring([key]))
Vault.from_settings(Settings(media_url=folder)).put_now(name, b"after" * 9999)
"""


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_crash_leaves_the_old_one_or_the_new_one(lying: Vault, folder: Path, at: str) -> None:
    lying.put_now(name := new_name(), b"before")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), KEY, name, at], cwd=ROOT, check=False
    )
    assert ended.returncode == 9
    assert (lying.get_now(name), list(lying.names())) == (b"before", [name])
    [half] = folder.glob(".*.part")
    os.utime(half, (0, 0))
    assert list(lying.names()) == [name]
    assert not half.exists()


MANY = """
import sys
from bot import seals
from bot.media.vault import Vault
from bot.settings import Settings
_me, folder, key, name, letter = sys.argv
seals.use(seals.Keyring([key]))
vault = Vault.from_settings(Settings(media_url=folder))
for _round in range(60):
    vault.put_now(name, letter.encode() * 50_000)
    assert len(set(vault.get_now(name))) == 1
"""


def test_two_processes_never_mix_their_files(lying: Vault, folder: Path) -> None:
    name = new_name()
    both = [
        subprocess.Popen([sys.executable, "-c", MANY, str(folder), KEY, name, letter], cwd=ROOT)
        for letter in "ab"
    ]
    assert [each.wait() for each in both] == [0, 0]
    assert lying.get_now(name) in (b"a" * 50_000, b"b" * 50_000)
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize(
    ("number", "mend"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "cannot be used")]
)
def test_a_disk_that_fails_is_told_and_leaves_nothing(
    lying: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, mend: str
) -> None:
    def failing(_handle: int) -> None:
        raise OSError(number, os.strerror(number), "/secret/path")

    monkeypatch.setattr(shelves.os, "fsync", failing)
    with pytest.raises(ShelfDown, match=mend) as caught:
        lying.put_now(new_name(), b"hello")
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_gone_is_not_taken_for_lost_files(lying: Vault, folder: Path) -> None:
    folder.rmdir()
    verbs: list[Callable[[], Any]] = [
        lambda: lying.get_now(new_name()),
        lambda: lying.put_now(new_name(), b""),
        lambda: list(lying.names()),
    ]
    for verb in verbs:
        with pytest.raises(ShelfDown):
            verb()


# In a bucket ---------------------------------------------------------------------------------


def test_it_lies_sealed_under_its_prefix(bucket: s3.S3) -> None:
    hanging(bucket).put_now(name := new_name(), b"hello" * 100)
    [(key, content)] = bucket.files.items()
    assert key == f"linkline/files/{name}" and b"hello" not in content


def test_files_of_others_in_the_bucket_are_not_ours(bucket: s3.S3) -> None:
    bucket.files |= {"linkline/files/readme.txt": b"", f"other/{new_name()}": b""}
    assert list(hanging(bucket).names()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"aws_secret_access_key": "wrong-secret"},
        {"aws_access_key_id": "wrong-secret"},
        {"media_url": "s3://wrong-secret/linkline"},
    ],
)
def test_a_refusal_names_the_mend_and_no_secret(bucket: s3.S3, wrong: dict[str, str]) -> None:
    with pytest.raises(ShelfDown, match="MEDIA_URL") as caught:
        hanging(bucket, **wrong).get_now(new_name())
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None
    with pytest.raises(ShelfDown, match="MEDIA_URL"):
        hanging(bucket, **wrong).put_now(new_name(), b"")


def test_a_bucket_that_is_down_for_a_moment_is_asked_again(bucket: s3.S3) -> None:
    vault = hanging(bucket)
    vault.put_now(name := new_name(), b"hello")
    bucket.refuses = 403
    with pytest.raises(ShelfDown):
        vault.get_now(name)
    bucket.refuses = None
    assert vault.get_now(name) == b"hello"
