"""Words are judged the same wherever they come from: a catalogue, a translator's file, a chat."""

from __future__ import annotations

import pytest
from babel.messages.pofile import read_po

from bot import i18n
from bot.proofreading import of_content, of_sentence

TIP = "Ask one peer this week how she counts her stock."
LAO = "ອາທິດນີ້ ລອງຖາມເພື່ອນຮ່ວມງານຜູ້ໜຶ່ງ ວ່ານັບສິນຄ້າແນວໃດ."
KHMER = "សប្តាហ៍នេះ សូមសួរមិត្តរួមការងារម្នាក់ ថាគាត់រាប់ស្តុកដោយរបៀបណា។"


@pytest.mark.parametrize(
    ("language", "text", "source", "kind", "expected"),
    [
        ("km", "", TIP, "tip", "it is empty"),
        ("km", " \n ", TIP, "tip", "it is empty"),
        ("km", LAO, TIP, "tip", "foreign script"),
        ("lo", KHMER, TIP, "tip", "foreign script"),
        ("lo", "สัปดาห์นี้", TIP, "tip", "foreign script"),
        ("km", TIP, TIP, "tip", "hardly a letter of it is Khmer"),
        ("km", "12345", TIP + " {n}", "tip", "placeholder {n} is missing"),
        ("km", KHMER + " {name}", TIP, "prompt", "placeholder {name} is not in the source"),
        ("lo", LAO * 9, TIP, "tip", "at most 400"),
        ("lo", LAO * 3, TIP, "name", "at most 120"),
        ("lo", LAO + "\u200b", TIP, "tip", "invisible: U+200B"),
        ("lo", LAO + "\u202e", TIP, "tip", "invisible: U+202E"),
        ("km", KHMER + "\x00", TIP, "tip", "invisible: U+0000"),
        ("km", "=" + KHMER, TIP, "tip", "like a formula"),
        ("km", "@SUM(1) " + KHMER, TIP, "tip", "like a formula"),
        ("lo", "ສະບາຍ  ດີ", TIP, "tip", "two spaces"),
    ],
)
def test_a_bad_content_is_found(
    language: str, text: str, source: str, kind: str, expected: str
) -> None:
    assert any(expected in each for each in of_content(language, text, source, kind))


@pytest.mark.parametrize(
    ("language", "text", "source", "kind"),
    [
        ("lo", LAO, TIP, "tip"),
        ("km", KHMER, TIP, "prompt"),
        ("km", KHMER + "\u200b" + KHMER, TIP, "tip"),
        ("lo", LAO + " SUM(A1:A9) Excel", TIP + " =SUM(A1:A9)", "tip"),
        ("lo", "GIZ ICT4D", "GIZ ICT4D", "name"),
        ("en", TIP, LAO, "tip"),
        ("lo", LAO + " {1, 2} {", TIP + " {1, 2} {", "tip"),  # braces that name nothing
        ("lo", LAO + " https://example.org/a-long-address", TIP, "tip"),
        ("lo", "- " + LAO, "- " + TIP, "tip"),
        ("lo", LAO + "\n\n" + LAO, TIP, "tip"),
    ],
)
def test_a_fine_content_is_left_alone(language: str, text: str, source: str, kind: str) -> None:
    assert of_content(language, text, source, kind) == []


@pytest.mark.parametrize(
    ("forms", "msgid", "plural", "expected"),
    [
        (["ຊ່ວຍ"], "{name} helps", None, "placeholder {name} is missing"),
        (["{name!r} ຊ່ວຍ"], "{name} helps", None, "only {names}"),
        (["{name.__class__} ຊ່ວຍ"], "{name} helps", None, "only {names}"),
        (["{name:>99999999} ຊ່ວຍ"], "{name} helps", None, "only {names}"),
        (["{ ຊ່ວຍ"], "{name} helps", None, "braces"),
        (["ຕອບ ດຽວນີ້ ກ່ອນ ທຸກຄົນ ອື່ນ"], "Answer", None, "a label of"),
        (["Hello there"], "Hello there", None, "hardly a letter of it is Lao"),
        ([""], "Hello", None, "it is empty"),
        (["ໝູ່"], "{n} peer", "{n} peers", "placeholder {n} is missing"),
        (["ຫຍັງ"], "What?", None, "does not end with ?"),
        (["=ຕອບ"], "Answer", None, "like a formula"),
        (["ຕອບ", "ຕອບ"], "Answer", None, "one form only"),
    ],
)
def test_a_bad_sentence_is_found(
    forms: list[str], msgid: str, plural: str | None, expected: str
) -> None:
    assert any(expected in each for each in of_sentence("lo", forms, msgid, plural))


def test_a_short_sentence_that_is_long_in_the_catalogue_is_no_label() -> None:
    long = "ຂໍຂອບໃຈຫຼາຍໆ ເດີ້ ທຸກໆຄົນ"
    assert of_sentence("lo", [long], "Thank you", usual=[long]) == []
    assert of_sentence("lo", [long], "Thank you", usual=["ຂອບໃຈ"]) != []


def test_what_an_organisation_calls_itself_may_stay_in_latin_letters() -> None:
    assert of_sentence("lo", ["ຖາມ Live & Learn ໄດ້ທຸກເວລາ."], "Ask us at any time.") == []


def test_every_sentence_of_the_catalogues_passes() -> None:
    """Otherwise a file that was exported could not be imported again."""
    for language in i18n.languages():
        path = i18n.LOCALES / language / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        for entry in filter(lambda each: each.id, catalogue):
            msgid, plural = entry.id if isinstance(entry.id, tuple) else (entry.id, None)
            forms = entry.string if isinstance(entry.string, tuple) else (entry.string,)
            if any(forms):
                found = of_sentence(language, forms, str(msgid), plural, usual=forms)
                assert found == [], (language, msgid)
