"""The picture of a tree: shaped as by a browser, inside its leaves, light, always the same."""

from __future__ import annotations

import base64
import io
import math
import os
import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, features
from playwright.sync_api import Browser, Page, sync_playwright

from bot.tree import crown, foliage, lettering, picture, scenery, signs
from bot.tree.lettering import LANGUAGES, WEIGHT, Block, Face, Line, Room
from bot.tree.picture import Leaf
from bot.tree.words import KHMER, LAO, THAI, drawable, font_file, runs
from tests.test_browser import CHROMIUM, QUIET

LAO_WORDS = [
    "ມື້ນີ້ພວກເຮົາເກັບກ່ຽວເຂົ້າຄັ້ງທຳອິດ", "ດີໃຈຫຼາຍ", "ກຸ່ມແມ່ຍິງເປີດຮ້ານ", "ລູກຂ້ອຍເສັງໄດ້ທີໜຶ່ງ",
    "ນ້ຳສະອາດ", "ພໍ່ເຖົ້າຫົວ", "ຕົ້ນໄມ້ແຫ່ງຄວາມສຸກ", "ເລື່ອງເກົ່າ",
]  # fmt: skip
KHMER_WORDS = [
    "ថ្ងៃនេះយើងច្រូតស្រូវ", "ស្ត្រី", "ខ្ញុំសង្ឃឹម", "ក្រុមស្ត្រីបានបើកហាង", "កម្ពុជា", "ភ្លៀងធ្លាក់ហើយ",
    "អរគុណមិត្តទាំងអស់", "សប្តាហ៍", "ម្ដាយញញឹមឡើងវិញ",
]  # fmt: skip
ENGLISH_WORDS = ["We sold the first basket", "Rain at last", "quite jolly: 100 %"]
MIXED_WORDS = ["ໄດ້ຮຽນ Excel ແລ້ວ", "រៀន Excel ចេះហើយ", "Noy: ດີໃຈຫຼາຍ ញញឹម!"]
WORDS = [*LAO_WORDS, *KHMER_WORDS, *ENGLISH_WORDS, *MIXED_WORDS]

HOSTILE = [
    "Z̸̢͎͍a̷̺͐l̶̮͆g̸̱̈́o̵̺͝ t̸̰̽h̵͚́e ̴͎̈́H̵̛̗e c̶̱̈́o̷͓̾m̸͇̀e̶̹͐s",
    "ກ້່້່້່້່້່້່້່",
    "ក្្្្្្ក",
    "្ត្ត្ត",
    "េាំះ៎",
    "ំំំ ះ ា ្",
    "່້໊໋ ຶ ຸ",
    "x" * 10_000,
    "ກ" * 10_000,
    "ស្ត្រី" * 2_000,
    "word " * 2_000,
    "שלום עולם",
    "مرحبا بالعالم",
    "\u202eevil\u202c \u2066x\u2069",
    "<b>bold</b> &amp; *stars* _under_ [link](http://x)",
    "👩‍👩‍👧‍👦👍🏽🇱🇦🇰🇭❤️‍🔥🏳️‍🌈",
    "😀😀😀 ok",
    "漢字かな한국어 မြန်မာ ไทยกำลัง",
    "◌◌◌ ◌່ ◌្",
    "\x00\x01\x07\ufffd\ufffe\U000e0041",
    "a\u200bb\u200cc\u200dd\u2060e\ufeff",
    "Ａｌｉｃｅ ﬁ ½ ①",
    " \n\t \n",
    "",
    "ງ່ຽ" * 60,
    "ກຳ ກໍາ ກໍ່າ ກ່ຳ",
    "ខ្ញុំ ញុំ្ខ ្រ្រ",
]
COUNTS = (0, 1, 2, 3, 5, 8, 12, 13, 20, 60, 300, 1_000)


# As a browser shapes it --------------------------------------------------------------------------

SIZE = 80  # pixels of the letters
FINE = 0.97  # so much of the ink of two drawings must be the same; right ones share 0.99
WIDE, HIGH = 1800, 260


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        why = "Chromium is not installed (Debian: apt-get install chromium)"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        page.set_content(_html())
        page.evaluate("Promise.all([...document.fonts].map(each => each.load()))")
        yield page
        browser.close()


def _html() -> str:
    faces = "".join(
        f"@font-face {{ font-family: {name}; font-weight: 100 900; font-stretch: 62.5% 100%;"
        f" src: url(data:font/ttf;base64,{_base64(name)}) }}"
        for name in (LAO, KHMER)
    )
    return (
        f"<style>{faces} body {{ margin: 0; background: white }} p {{ margin: 60px 40px;"
        f" white-space: nowrap; font: {WEIGHT} {SIZE}px/1 {LAO}, {KHMER} }}</style><p></p>"
    )


def _base64(script: str) -> str:
    return base64.b64encode(Path(font_file(script)).read_bytes()).decode()


def as_browser(page: Page, words: str) -> Image.Image:
    page.evaluate("words => document.querySelector('p').textContent = words", words)
    return _ink(Image.open(io.BytesIO(page.screenshot())).convert("L"))


def as_tree(words: str, layout: ImageFont.Layout = ImageFont.Layout.RAQM) -> Image.Image:
    canvas = Image.new("L", (WIDE, HIGH), 255)
    pen, x = ImageDraw.Draw(canvas), 40.0
    for run in runs(words):
        face = ImageFont.truetype(font_file(run.script), SIZE, layout_engine=layout)
        face.set_variation_by_axes([WEIGHT, 100])
        tells = {"language": LANGUAGES[run.script]} if layout == ImageFont.Layout.RAQM else {}
        pen.text((x, 150), run.text, 0, face, "ls", **tells)
        x += face.getlength(run.text, **tells)
    return _ink(canvas)


def _ink(picture: Image.Image) -> Image.Image:
    """White where ink is, on black; no more than that."""
    dark = picture.point([255 if value < 128 else 0 for value in range(256)])
    box = dark.getbbox()
    assert box is not None
    return dark.crop(box)


def likeness(one: Image.Image, other: Image.Image) -> float:
    """How much ink they share, once one is laid on the other; 0 if one is much longer."""
    if abs(one.width - other.width) > 0.03 * one.width + 3:
        return 0.0
    if abs(one.height - other.height) > 0.06 * one.height + 2:
        return 0.0
    other = other.resize(one.size).point([0] * 128 + [255] * 128)
    return min(_covered(one, other), _covered(other, one))


def _covered(one: Image.Image, other: Image.Image) -> float:
    """How much of its ink lies at most one pixel beside that of the other."""
    near = other.filter(ImageFilter.MaxFilter(3))
    return ImageChops.multiply(one, near).histogram()[255] / one.histogram()[255]


@pytest.mark.parametrize("words", WORDS)
def test_words_are_shaped_as_by_a_browser(words: str, page: Page) -> None:
    found = likeness(as_browser(page, words), as_tree(words))
    assert found > FINE, f"{found:.2f}"


@pytest.mark.parametrize("words", [*KHMER_WORDS, *LAO_WORDS])
def test_a_wrong_shaping_is_seen(words: str, page: Page) -> None:
    """The same comparison fails where signs are not joined."""
    assert likeness(as_browser(page, words), as_tree(words, ImageFont.Layout.BASIC)) < FINE


def test_what_the_tree_draws_is_that_shaping(page: Page) -> None:
    """Its own lettering, not only the library below it."""
    for words in MIXED_WORDS:
        canvas = Image.new("RGB", (WIDE, HIGH), "white")
        block = Block((Line(words, WIDE / 2, 150),), Face(SIZE))
        lettering.draw(ImageDraw.Draw(canvas), block, (0, 0, 0))
        assert likeness(as_browser(page, words), _ink(canvas.convert("L"))) > FINE


def test_a_library_that_cannot_shape_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    lettering.check()
    monkeypatch.setattr(features, "check", lambda _name: False)
    with pytest.raises(lettering.Unshaped, match=r"^Pillow has no raqm [^\n]+$"):
        lettering.check()


# Never a dotted circle ---------------------------------------------------------------------------


@cache
def without_circle(script: str) -> ImageFont.FreeTypeFont:
    """The same font, but where a shaper would put a dotted circle there is none."""
    with TTFont(font_file(script)) as font:
        for table in font["cmap"].tables:
            table.cmap.pop(0x25CC, None)
        file = io.BytesIO()
        font.save(file)
    file.seek(0)
    return ImageFont.truetype(file, 100, layout_engine=ImageFont.Layout.RAQM)


@cache
def with_circle(script: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(script), 100, layout_engine=ImageFont.Layout.RAQM)


def circled(words: str) -> list[str]:
    """The runs of a line that look otherwise where there is no circle."""
    found = []
    for run in runs(words):
        tells = LANGUAGES[run.script]
        there = with_circle(run.script).getmask(run.text, language=tells)
        other = without_circle(run.script).getmask(run.text, language=tells)
        if there.size != other.size or bytes(there) != bytes(other):
            found.append(run.text)
    return found


@pytest.mark.parametrize("words", ["្ត", "ក្្ក", "ាំ", "េ្ក"])
def test_a_circle_would_be_seen(words: str) -> None:
    assert circled(words)


@pytest.mark.parametrize("words", [*WORDS, *(each[:300] for each in HOSTILE)])
def test_no_circles(words: str) -> None:
    assert circled(drawable(words)) == []


SIGNS = [
    chr(code)
    for block in ((0x1780, 0x17DD), (0x0E80, 0x0EDF), (0x0E01, 0x0E5B))
    for code in range(*block)
]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from([*SIGNS, *"aé 1.", "\u200b", "\u200d", "\u17d2", "\u0ec9"]), max_size=14
    )
)
def test_no_circles_whatever_is_typed(typed: list[str]) -> None:
    words = drawable("".join(typed))
    assert circled(words) == []
    for piece in lettering.pieces(words):  # a line may begin with any of them
        assert circled(piece) == []


@pytest.mark.parametrize("words", WORDS)
def test_good_words_stay_whole(words: str) -> None:
    assert drawable(words) == words


def test_what_has_no_letters_here_is_left_out() -> None:
    assert drawable("漢字 ok مرحبا") == "ok"
    assert drawable("Zà́́́lgo") == "Zàlgo"
    assert drawable("\u202eevil\u202c") == "evil"
    assert drawable("😀 ok ❤️") == "ok"


# Inside its leaf ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
def test_ink_stays_on_its_leaf(count: int) -> None:
    """Pixel by pixel, with the longest and oddest words."""
    long = [*(drawable(each[:400]) for each in HOSTILE), *WORDS, " ".join(WORDS)]
    said = [each for each in long if each]
    for turn in range(0, len(said), count):
        words = (said[turn:] + said)[:count]
        places = crown.worded([picture._weight(each) for each in words], random.Random(count))
        for text, place in zip(words, places, strict=True):
            _assert_inside(text, place)


def _assert_inside(text: str, place: foliage.Place) -> None:
    block = lettering.fit(text, foliage.room(place, 11), picture.SMALL)
    assert block.lines, "nothing of it stands there"
    drawn = Image.new("RGB", (scenery.SIDE, scenery.SIDE), "white")
    lettering.draw(ImageDraw.Draw(drawn), block, (0, 0, 0))
    leaf = Image.new("L", drawn.size, 255)
    ImageDraw.Draw(leaf).polygon(place.outline(), fill=0)
    ink = ImageChops.invert(drawn.convert("L"))
    outside = ImageChops.multiply(ink, leaf)
    assert outside.getbbox() is None, f"ink beside its leaf: {text[:40]}"


def test_lines_have_air() -> None:
    room = Room(500, 500, lambda _top, _bottom: (350.0, 650.0))
    block = lettering.fit(" ".join(KHMER_WORDS), room, [Face(40)])
    heights = [line.y for line in block.lines]
    assert len(heights) > 2
    assert min(b - a for a, b in pairwise(heights)) >= 1.5 * 40


def test_what_is_cut_ends_at_a_whole_word_or_cluster() -> None:
    room = Room(500, 500, lambda _top, _bottom: (400.0, 600.0))
    [*_above, last] = lettering.fit("ស្ត្រី" * 200, room, [Face(40)]).lines
    assert last.text.endswith("ស្ត្រី…")
    [*_above, last] = lettering.fit("word " * 200, room, [Face(40)]).lines
    assert last.text.endswith("word…")


def test_every_leaf_is_there_and_none_behind_words() -> None:
    for count in (1, 40, 288, crown.MOST_DRAWN):
        chance = random.Random(1)
        words = crown.worded([1.0] * crown.MOST_WORDS, chance)
        small = crown.wordless(count, words, chance)
        assert len({(each.x, each.y) for each in small}) == count
        assert not [each for each in small if crown._covered((each.x, each.y), words)]
        assert all(
            0 < x < scenery.SIDE and 0 < y < scenery.SIDE for e in small for x, y in e.outline()
        )


def test_leaves_with_words_do_not_cover_each_other() -> None:
    for count in range(1, crown.MOST_WORDS + 1):
        places = crown.worded([0.72 + each % 3 / 4 for each in range(count)], random.Random(count))
        assert len(places) == count
        for number, one in enumerate(places):
            assert all(0 <= x <= scenery.SIDE and 0 <= y <= scenery.SIDE for x, y in one.outline())
            for other in places[number + 1 :]:
                assert _shared(one, other) < 0.04


def _shared(one: foliage.Place, other: foliage.Place) -> float:
    masks = []
    for each in (one, other):
        mask = Image.new("L", (270, 270), 0)
        ImageDraw.Draw(mask).polygon([(x / 4, y / 4) for x, y in each.outline()], fill=255)
        masks.append(mask)
    both = ImageChops.multiply(*masks).histogram()[255]
    return both / masks[0].histogram()[255]


# Seen by everybody -------------------------------------------------------------------------------


def _light(colour: tuple[int, ...]) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    dark, light = sorted((_light(one), _light(other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_can_be_read_on_their_leaf() -> None:
    """WCAG AAA, on the lightest and the darkest place, veins too; so colour tells nothing alone."""
    for colours in foliage.FRESH:
        for colour in map(scenery.rgb, colours):
            assert contrast(foliage.INK, colour) > 7
            assert contrast(foliage.INK, scenery.mixed(colour, (255, 255, 255), 0.38)) > 7


def test_of_very_long_words_only_the_beginning_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one leaf of twenty long messages would keep the drawing thread busy for seconds."""
    measured: list[int] = []
    fit = lettering.fit

    def note(text: str, room: Room, faces: Sequence[Face]) -> Block:
        measured.append(len(text))
        return fit(text, room, faces)

    monkeypatch.setattr(lettering, "fit", note)
    picture.paint([picture.Leaf(1, "we met and laughed " * 4000), picture.Leaf(2, "Hello")], "T")
    assert measured == [picture.LONGEST, 5]


@pytest.mark.parametrize("words", ["\u200b", "\u200b \u200b\n", "\u200b👨‍👩‍👧\u200b"])
def test_signs_that_nobody_sees_are_no_words(words: str) -> None:
    """Such a leaf has a flower, as one without letters has; it is not bare."""
    assert drawable(words) == ""


def test_a_tower_of_signs_has_room_on_a_leaf() -> None:
    """No Khmer word has more than two letters below another; a tower would leave its leaf bare."""
    assert drawable("\u1780" + "\u17d2\u1780" * 9) == ("\u1780" + "\u17d2\u1780" * 2) * 3 + "\u1780"


def test_the_title_can_be_read_on_the_grass() -> None:
    """Large letters, on the lightest blade of grass."""
    below = scenery.scenery().crop((250, 1005, 830, 1058))
    lightest = max((below.getpixel((x, y)) for x in range(580) for y in range(53)), key=_light)
    assert contrast(scenery.rgb("#fff6dc"), lightest) > 3


def test_a_feeling_has_a_shape_of_its_own() -> None:
    assert signs.sign_of("we did it 🎉") == "star"
    assert signs.sign_of("❤️") == "heart"
    assert signs.sign_of("plain") is None
    drawn = set()
    for name in (*signs.FEELINGS, signs.VOICE):
        canvas = Image.new("RGB", (200, 200), "#c3df86")
        signs.paint(ImageDraw.Draw(canvas), name, 50, 50, 40)
        drawn.add(canvas.tobytes())
    assert len(drawn) == len(signs.FEELINGS) + 1


# The file ----------------------------------------------------------------------------------------


def _leaves(count: int, words: list[str]) -> list[Leaf]:
    return [Leaf(count - at, words[at % len(words)], at % 7 == 3) for at in range(count)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "words", [WORDS, [each[:400] for each in HOSTILE]], ids=["kind", "hostile"]
)
def test_the_file_is_small_and_square(count: int, words: list[str]) -> None:
    found = picture.draw(_leaves(count, words), "ຕົ້ນໄມ້ · ដើមឈើ · Happy Tree")
    assert len(found) <= picture.MOST_BYTES
    with Image.open(io.BytesIO(found)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1080, 1080))
        assert not shown.getexif()


def test_the_same_leaves_give_the_same_picture() -> None:
    leaves = _leaves(30, WORDS)
    assert picture.draw(leaves, "Happy Tree") == picture.draw(leaves, "Happy Tree")
    assert picture.draw(leaves[1:], "Happy Tree") != picture.draw(leaves, "Happy Tree")


def test_the_profile_of_a_leaf_is_pointed_at_its_tip() -> None:
    place = foliage.Place(500, 500, 200, 100, 1)
    assert math.dist(place.stem, place.at(1.0, 0.0)) == pytest.approx(400, abs=2)


def test_scripts_are_told_apart() -> None:
    assert [(each.script, each.text) for each in runs("ສະ hello សួស្តី! ไทย")] == [
        (LAO, "ສະ hello "), (KHMER, "សួស្តី! "), (THAI, "ไทย"),
    ]  # fmt: skip
