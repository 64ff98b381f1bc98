"""Every transcript in tests/conversations, through every channel, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests import transcript

FOLDER = Path(__file__).parent / "conversations"
CHANNELS = [None, "telegram", "whatsapp", "simulator/telegram", "simulator/whatsapp"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel or "own")
def test_transcript(path: Path, channel: str | None, database_url: str) -> None:
    talk = transcript.read(path)
    if channel and talk.own_only:
        pytest.skip("what is said in it differs by channel")
    if channel and channel.startswith("simulator") and talk.real_links:
        pytest.skip("the simulator has no links")
    asyncio.run(transcript.play(path, database_url, channel))
