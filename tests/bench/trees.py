"""(t) the picture of a Happy Tree: seconds and bytes by leaves, beside encoding it alone."""

from __future__ import annotations

import io
import resource
import time
from statistics import median

from PIL import Image

from bot.tree import picture
from bot.tree.picture import Leaf
from tests.bench.rig import Rig, met

MOST = 0.5  # seconds for 60 leaves
WORDS = (
    "ມື້ນີ້ພວກເຮົາເກັບກ່ຽວເຂົ້າຄັ້ງທຳອິດຂອງປີ",
    "ថ្ងៃនេះយើងច្រូតស្រូវលើកដំបូង",
    "We planted 200 trees with the children of three villages",
    "😊",
)


def run(rig: Rig) -> None:
    print("(t) the picture of a Happy Tree; CPU time")
    for count in (1, 12, 60, 300):
        leaves = [Leaf(count - at, WORDS[at % len(WORDS)]) for at in range(count)]
        drawn = picture.draw(leaves, "Happy Tree")  # the scenery is drawn once in a process
        spent = median(_seconds(leaves) for _round in range(2 * rig.size.rounds + 1))
        bare = median(_encoding(drawn) for _round in range(5))
        aim = f" (aim {MOST}: {met(spent < MOST)})" if count == 60 else ""
        print(
            f"  {count:3} leaves: {spent:.2f} s{aim}, {spent / bare:.0f} times the encoding alone,"
            f" {len(drawn) / 1000:.0f} kB"
        )
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most: {most:.0f} MB")


def _seconds(leaves: list[Leaf]) -> float:
    begun = time.process_time()
    picture.draw(leaves, "Happy Tree")
    return time.process_time() - begun


def _encoding(drawn: bytes) -> float:
    with Image.open(io.BytesIO(drawn)) as shown:
        shown.load()
        begun = time.process_time()
        shown.save(io.BytesIO(), "JPEG", quality=85)
        return time.process_time() - begun
