"""The vault: what is put there is found again, by us and by nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import seals
from bot.media.vault import Missing, Vault, new_name
from bot.seals import Keyring, SealError, new_key
from bot.settings import Settings


@pytest.fixture(autouse=True)
def _keys() -> None:
    seals.use(Keyring([new_key()]))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.from_settings(Settings(media_url=str(tmp_path / "media")))


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


@pytest.mark.parametrize("name", ["../evil", "", "A" * 32, "0" * 31, "0" * 33, "/etc/passwd"])
def test_a_name_leads_nowhere_else(vault: Vault, name: str) -> None:
    for verb in (vault.get(name), vault.put(name, b""), vault.remove(name)):
        with pytest.raises(ValueError, match="32 hex"):
            asyncio.run(verb)


def test_a_file_lies_sealed_for_this_user_only(vault: Vault, tmp_path: Path) -> None:
    name = new_name()
    vault.put_now(name, b"hello" * 100)
    place = tmp_path / "media" / name
    assert b"hello" not in place.read_bytes()
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_file_in_the_place_of_another_is_refused(vault: Vault, tmp_path: Path) -> None:
    one, other = new_name(), new_name()
    vault.put_now(one, b"hers")
    (tmp_path / "media" / one).rename(tmp_path / "media" / other)
    with pytest.raises(SealError):
        vault.get_now(other)
