"""Hostile files: refused for little, and whoever receives them lives on."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.media import cleaning, confine
from bot.media.cleaning import TryAgain, Unfit, clean
from tests.media.cells import put_in_cell
from tests.media.files import heard, photo, voice

SECONDS, MEMORY = 2.0, 150 << 20


# What is sent --------------------------------------------------------------------------------


def endless_opus() -> bytes:
    """A header that says a million hours: the last page ends there."""
    raw = bytearray(voice(1.0))
    at = raw.rfind(b"OggS")
    raw[at + 6 : at + 14] = (10**6 * 3600 * 48_000).to_bytes(8, "little")
    return bytes(_summed(raw, at))


def _summed(raw: bytearray, at: int) -> bytearray:
    """With the sum over a page as Ogg wants it."""
    raw[at + 22 : at + 26] = bytes(4)
    total = 0
    for each in raw[at:]:
        total ^= each << 24
        for _bit in range(8):
            total = ((total << 1) ^ 0x04C11DB7 if total & 0x80000000 else total << 1) & 0xFFFFFFFF
    raw[at + 22 : at + 26] = total.to_bytes(4, "little")
    return raw


def endless_wav() -> bytes:
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8, 8, 1, 8)
    return head + b"data\xff\xff\xff\xff" + bytes(100_000)


def slow_amr() -> bytes:
    """Hours of nothing, which no header tells of."""
    return b"#!AMR\n" + b"\x7c" * 2_000_000


def bomb_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(name + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + name + content + sum_

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def lying_jpeg() -> bytes:
    raw = bytearray(photo((64, 64)))
    at = raw.find(b"\xff\xc0")
    raw[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return bytes(raw)


def zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return target.getvalue()


def word(**more: bytes) -> bytes:
    """Enough of a Word file to be taken for one."""
    kinds = (
        b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    parts = {"[Content_Types].xml": kinds, "word/document.xml": b"<d>hello</d>"}
    return zipped(parts | {name.replace("__", "/"): content for name, content in more.items()})


LAUGHS = b"<!DOCTYPE a [<!ENTITY a 'ha'>%s]><d>&j;</d>" % b"".join(
    b"<!ENTITY %c '%s'>" % (each, b"&%c;" % (each - 1) * 50) for each in range(98, 107)
)
READS = b"<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><d>&a;</d>"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"

REFUSED: list[tuple[str, str, Callable[[], bytes], set[str]]] = [
    ("voice", "a million hours of Opus", endless_opus, {"too_long"}),
    ("voice", "a WAV that never ends", endless_wav, {"too_long"}),
    ("voice", "hours of silence", slow_amr, {"too_long"}),
    ("voice", "a ZIP", lambda: zipped({"a.ogg": voice(0.5)}), {"unfit"}),
    ("voice", "a playlist", lambda: PLAYLIST, {"unfit"}),
    ("voice", "a list of files", lambda: CONCAT, {"unfit"}),
    ("voice", "a description of a stream", lambda: SDP, {"unfit"}),
    ("voice", "a playlist after a voice's first letters", lambda: b"OggS" + PLAYLIST, {"broken"}),
    ("voice", "a photo", lambda: photo(), {"unfit"}),
    ("voice", "a head and nothing", lambda: voice(1.0)[:60], {"broken"}),
    ("voice", "too short", lambda: voice(0.2), {"broken"}),
    ("video", "a playlist", lambda: PLAYLIST, {"unfit"}),
    ("video", "a voice", lambda: voice(1.0, "mp4", "aac"), {"unfit"}),
    ("photo", "a bomb of pixels", lambda: bomb_png(60_000, 60_000), {"too_big"}),
    ("photo", "a bomb within the limits", lambda: bomb_png(4000, 3000), {"broken"}),
    ("photo", "a JPEG that lies", lying_jpeg, {"too_big"}),
    ("photo", "a ZIP", lambda: zipped({"a": b"a"}), {"unfit"}),
    ("photo", "a drawing", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"unfit"}),
    ("photo", "PostScript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%EOF", {"unfit"}),
    ("document", "a bomb", lambda: word(word__a=bytes(50 << 20)), {"bomb"}),
    ("document", "many parts", lambda: word(**{f"a{n}": b"" for n in range(2100)}), {"bomb"}),
    ("document", "a million laughs", lambda: word(**{"w.xml": LAUGHS}),
     {"bomb", "broken"}),
    ("document", "an entity that reads", lambda: word(**{"w.xml": READS}), {"bomb", "broken"}),
    ("document", "a way out", lambda: word(**{"../../evil.xml": b"<a/>"}), {"unfit"}),
    ("document", "a way out for Windows", lambda: word(**{"..\\evil.xml": b"<a/>"}), {"unfit"}),
    ("document", "the root", lambda: word(**{"/etc/evil.xml": b"<a/>"}), {"unfit"}),
    ("document", "a macro", lambda: word(word__vbaProject=b"a", **{"a.bin": b"a"}), {"unfit"}),
    ("document", "a ZIP", lambda: zipped({"a.txt": b"a"}), {"unfit"}),
    ("document", "a program", lambda: b"MZ\x90\x00" + bytes(100), {"unfit"}),
    ("document", "a voice", lambda: voice(0.5), {"unfit"}),
    ("document", "a PDF of nothing", lambda: b"%PDF-1.7\n" + b"1 0 obj\n" * 5000, {"broken"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "make", "reasons"),
    [(kind, make, reasons) for kind, _what, make, reasons in REFUSED],
    ids=[f"{kind}: {what}" for kind, what, _make, _reasons in REFUSED],
)
def test_it_is_refused_for_little(
    kind: str, make: Callable[[], bytes], reasons: set[str], tmp_path: Path
) -> None:
    took = put_in_cell(kind, make())
    assert took.reason in reasons and took.code == 0
    assert took.seconds < SECONDS
    assert took.memory < MEMORY


def test_what_is_too_big_never_gets_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning.sys, "executable", "/nonexistent")
    with pytest.raises(Unfit, match="too_big"):
        asyncio.run(clean("voice", bytes(50 << 20)))


def test_a_kind_that_is_not_known_is_unfit() -> None:
    with pytest.raises(Unfit, match="unfit"):
        asyncio.run(clean("sticker", b""))


# Cut off and spoilt --------------------------------------------------------------------------


def test_a_voice_that_was_cut_off_is_heard_up_to_there() -> None:
    raw = voice(2.0)
    for size in range(0, len(raw), len(raw) // 25):
        took = put_in_cell("voice", raw[:size])
        assert took.code == 0
        if took.reason is None:
            assert 0.3 <= heard(took.content) <= 2.1
        else:
            assert took.reason in ("broken", "unfit")
    assert heard(put_in_cell("voice", raw[: len(raw) * 3 // 4]).content) > 0.9


@pytest.mark.parametrize("kind", ["photo", "document"])
def test_what_is_not_seen_whole_is_not_taken(kind: str) -> None:
    raw = photo() if kind == "photo" else word()
    for size in range(4, len(raw) - 30, len(raw) // 12):
        took = put_in_cell(kind, raw[:size])
        assert took.code == 0 and took.reason in ("broken", "unfit")


def test_a_photo_loses_what_was_hung_on() -> None:
    took = put_in_cell("photo", photo() + zipped({"evil.txt": b"EVIL" * 99}) + PLAYLIST)
    assert took.reason is None
    assert not zipfile.is_zipfile(io.BytesIO(took.content)) and b"EXTM3U" not in took.content


# The cell ------------------------------------------------------------------------------------

BREAKS_OUT = {
    "a file that is read": "open('/etc/hostname').read()",
    "a file that is written": "open('{folder}/evil', 'w').write('evil')",
    "a file that is removed": "__import__('os').unlink('{folder}/kept')",
    "a socket": "__import__('socket').socket()",
    "a program": "__import__('os').execv('/bin/true', ['true'])",
    "a child": "__import__('os').fork()",
    "another process": "__import__('os').kill({parent}, 9)",
    "more memory": "__import__('resource').setrlimit(__import__('resource').RLIMIT_AS, (-1, -1))",
}


@pytest.mark.parametrize("locked_by", ["kernel", "python"])
@pytest.mark.parametrize("way", BREAKS_OUT)
def test_nothing_leaves_the_cell(
    way: str, locked_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way a library would that was taken over; each is tried behind the lock."""
    if locked_by == "python" and way in ("another process", "more memory", "a child"):
        pytest.skip("only the kernel holds that")
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    code = BREAKS_OUT[way].format(folder=tmp_path, parent=os.getpid())
    _use_program(monkeypatch, locked_by, code)
    with pytest.raises(Unfit, match="broken"):
        asyncio.run(clean("photo", photo()))
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def _use_program(monkeypatch: pytest.MonkeyPatch, locked_by: str, code: str) -> None:
    """In place of the cleaning; whatever is imported is there before the lock."""
    weaker = "confine._filter = lambda machine: False" if locked_by == "python" else ""
    program = f"""
import sys
sys.path.insert(0, sys.argv[1])
import os, socket, resource
from bot.media import cell, confine
{weaker}
cell.begin()
def clean(raw):
    {code}
    return cell.Clean(b"out", "image/jpeg")
cell.run(clean, [])
"""
    monkeypatch.setattr(cleaning, "_PROGRAM", program.replace("{", "{{").replace("}", "}}"))


def test_the_cell_of_these_tests_is_no_dead_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _use_program(monkeypatch, "kernel", "pass")
    assert asyncio.run(clean("photo", photo())).content == b"out"


def test_a_cell_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKLINE_KEYS", "TELLTALE")
    _use_program(
        monkeypatch, "kernel", "return cell.Clean(repr(os.environ).encode(), 'image/jpeg')"
    )
    assert b"TELLTALE" not in asyncio.run(clean("photo", photo())).content


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "bomb"),
        ("x = bytes(1 << 30)", "bomb"),
        ("raise ValueError", "broken"),
        ("os.abort()", "broken"),
        ("os.write(1, b'no answer'); os._exit(0)", "broken"),
        ("os.write(1, b'[]' + bytes([10])); os._exit(0)", "broken"),
        ("[os.write(1, bytes(1 << 20)) for _ in range(100)]", "too_big"),
        ("return cell.Clean(b'a', 'text/html')", "broken"),
        ("return cell.Clean(b'', 'image/jpeg')", "broken"),
    ],
)
def test_whatever_a_cell_does_its_parent_lives(
    code: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_program(monkeypatch, "kernel", code)
    monkeypatch.setattr(
        cleaning,
        "_PROGRAM",
        cleaning._PROGRAM.replace("cell.begin()", "cell.SECONDS = 1; cell.begin()"),
    )
    with pytest.raises(Unfit, match=reason):
        asyncio.run(clean("photo", photo()))


def test_a_cell_that_somebody_ends_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        started = asyncio.get_running_loop().create_future()
        start = cleaning._start

        async def noted(module: str) -> asyncio.subprocess.Process:
            found = await start(module)
            started.set_result(found.pid)
            return found

        monkeypatch.setattr(cleaning, "_start", noted)
        work = asyncio.ensure_future(clean("voice", voice(30.0)))
        os.kill(await started, signal.SIGKILL)
        with pytest.raises(TryAgain):
            await work

    asyncio.run(play())


def test_a_machine_that_is_busy_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "SECONDS", 0.01)
    with pytest.raises(TryAgain):
        asyncio.run(clean("photo", photo()))


def test_who_is_cancelled_leaves_no_cell_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    pids = []
    start = cleaning._start

    async def noted(module: str) -> asyncio.subprocess.Process:
        found = await start(module)
        pids.append(found.pid)
        return found

    async def play() -> None:
        monkeypatch.setattr(cleaning, "_start", noted)
        work = asyncio.ensure_future(clean("voice", voice(5.0)))
        while not pids:
            await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(play())
    assert not Path(f"/proc/{pids[0]}").exists()


def test_both_machines_are_left_the_same() -> None:
    """The filter for the machine that is not at hand names the same calls, but for the older."""
    x86, arm = (set(confine._ALLOWED[each]) for each in ("x86_64", "aarch64"))
    assert x86 - {"poll"} == arm - {"ppoll"}
    for machine in confine._MACHINES:
        program = confine._program(machine)
        *_rest, refuse, allow = program
        assert (refuse.value, allow.value) == (confine._NOT_PERMITTED, confine._ALLOW)
        for at, each in enumerate(program[4:-2], 4):
            assert at + 1 + each.if_true == len(program) - 1
