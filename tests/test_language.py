"""The catalogues are complete and fit; the check finds what it should; text is cut and matched."""

from __future__ import annotations

import importlib
import pkgutil
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import regex
import yaml
from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError
from hypothesis import given
from hypothesis import strategies as st

import bot
import handlers
from bot import i18n, messages
from bot.conversation import Conversation, Conversations
from bot.messages import Choice, Limits, Ref, Text, _, _n
from tests.language.__main__ import ROOT, main
from tests.language.catalogues import AWAITING, as_bytes, path_of, read, update
from tests.language.findings import check
from tests.language.library import read_library
from tests.language.pseudo import CLOSE, OPEN, Overheard, watching, without_sentences
from tests.language.source import read_source

# The real catalogues --------------------------------------------------------------------------


def test_the_catalogues_are_complete_and_fit() -> None:
    report = check(ROOT)
    assert not report.findings, "\n" + "\n".join(map(str, report.findings))


def test_the_catalogues_are_as_the_tool_writes_them() -> None:
    for language in ("en", "lo", "km"):
        path = path_of(ROOT, language)
        assert as_bytes(read(path, language), language) == path.read_bytes(), language


# The check: each kind of finding is found -------------------------------------------------------

HELLO = 'from bot.messages import *\nHELLO = _("Hello")\n'
GOOD = {"lo": {"Hello": "ສະບາຍດີ"}, "km": {"Hello": "សួស្តី"}}
Translations = dict[str, dict[str, str]]


class Workshop:
    """A small project on disk: code, catalogues, and what the check says of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, code: str, translations: Translations, file: str = "bot/hello.py") -> None:
        """The code, and every catalogue brought up to date with these translations."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
        update(self.root)
        for language, strings in translations.items():
            self.translate(language, strings)

    def translate(self, language: str, strings: dict[str, str]) -> None:
        def put(message: Message) -> None:
            msgid = message.id[0] if isinstance(message.id, tuple) else message.id
            if msgid in strings:
                said = strings[str(msgid)]
                message.string = (said,) if isinstance(message.id, tuple) else said

        self.change(language, put)

    def change(self, language: str, work: Callable[[Message], None]) -> None:
        path = path_of(self.root, language)
        catalogue = read(path, language)
        for message in catalogue:
            if message.id:
                work(message)
        path.write_bytes(as_bytes(catalogue, language))

    def findings(self) -> list[str]:
        return [str(each) for each in check(self.root).findings]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_nothing_is_found_where_all_is_well(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.write(HELLO, GOOD)
    assert workshop.findings() == []
    assert main([], workshop.root) == 0
    line = (
        "language: 1 sentences and 0 contents x 3 languages, 0 findings; "
        "2 marked as awaiting a native reader\n"
    )
    assert capsys.readouterr().out == line


def test_findings_fail_the_command(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    workshop.write(HELLO, {"lo": GOOD["lo"]})
    assert main([], workshop.root) == 1
    assert capsys.readouterr().out.startswith("km bot/hello.py: 'Hello': untranslated\n")
    assert main(["--wrong"], workshop.root) == 2


def _source(sentence: str) -> str:
    return f"from bot.messages import *\nsaid = _({sentence!r})\n"


BAD_TRANSLATIONS = [
    ("Hello", "lo", "", "untranslated"),
    ("Good morning", "lo", "ສະບາຍດີ Morning", "Latin words left: Morning"),
    ("Hello", "lo", "សួស្តី", "foreign script: សួស្តី"),
    ("Hello", "lo", "สวัสดี", "foreign script"),
    ("Hello", "km", "ສະບາຍດີ", "foreign script"),
    ("Hello", "km", "ជំរាប\u200cសួរ", "invisible: U+200C"),
    ("Hello", "lo", "ສະບາຍ\u200bດີ", "invisible: U+200B"),
    ("Hello", "lo", "ສະບາຍ\u00a0ດີ", "invisible: U+00A0"),
    ("Hello", "km", "សួស្តី\u17b5", "invisible: U+17B5"),
    ("Hello", "en", "He\u0301llo", "not in Unicode form NFC"),
    ("Hello", "lo", "ສະບາຍ  ດີ", "two spaces"),
    ("Hello", "lo", "ສະບາຍດີ ", "white space"),
    ("Hello", "lo", "\nສະບາຍດີ", "white space"),
    ("What?", "lo", "ຫຍັງ", "does not end with ?"),
    ("Choose:", "km", "ជ្រើសរើស", "does not end with :"),
    ("Hello", "lo", "ສະບາຍດີ %s", "'%' format"),
    ("Hello", "lo", "ສະບາຍດີ %(name)s", "'%' format"),
    ("{name} helps", "lo", "ຊ່ວຍ", "{name} is missing"),
    ("{name} helps", "lo", "{nam} ຊ່ວຍ", "{nam} is not in the English sentence"),
    ("{name} helps", "lo", "{name} ຊ່ວຍ {}", "only {names}"),
    ("{name} helps", "lo", "{name} ຊ່ວຍ {0}", "only {names}"),
    ("{name} helps", "lo", "{name!r} ຊ່ວຍ", "only {names}"),
    ("{name} helps", "lo", "{name ຊ່ວຍ", "braces"),
    ("Hello {}", "en", "", "only {names}"),
    ("Hello %s", "en", "", "'%' format"),
    ("Two  spaces", "en", "", "two spaces"),
]


@pytest.mark.parametrize(("msgid", "language", "said", "expected"), BAD_TRANSLATIONS)
def test_a_bad_translation_is_found(
    workshop: Workshop, msgid: str, language: str, said: str, expected: str
) -> None:
    workshop.write(_source(msgid), {language: {msgid: said}})
    where = f"{language} bot/hello.py: "
    assert any(each.startswith(where) and expected in each for each in workshop.findings())


FINE_TRANSLATIONS = [
    ("Good morning", "km", "អរុណ\u200bសួស្តី"),
    ("Write STOP on WhatsApp", "lo", "ຂຽນ STOP ໃນ WhatsApp"),
    ("Write Q101 or /ask", "lo", "ຂຽນ Q101 ຫຼື /ask"),
    ("Lao or Khmer", "lo", "ລາວ ຫຼື ខ្មែរ"),
    ("What?", "km", "អ្វី?"),
    ("Really?", "km", "ពិតមែនទេ។"),
    ("Choose:", "km", "ជ្រើសរើស៖"),
    ("Hello", "lo", "ສະບາຍດີ 👩‍👩‍👧"),
    ("100% sure", "lo", "ແນ່ນອນ 100%"),
]


@pytest.mark.parametrize(("msgid", "language", "said"), FINE_TRANSLATIONS)
def test_a_fine_translation_is_left_alone(
    workshop: Workshop, msgid: str, language: str, said: str
) -> None:
    workshop.write(_source(msgid), {language: {msgid: said}})
    assert [each for each in workshop.findings() if each.startswith(language)] == []


def test_missing_and_unused_are_found(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    (workshop.root / "bot/hello.py").write_text(_source("Goodbye"), encoding="utf-8")
    found = workshop.findings()
    for language in ("en", "lo", "km"):
        assert f"{language} bot/hello.py: 'Goodbye': missing: `make language` adds it" in found
        assert f"{language}: 'Hello': unused: no sentence of the code" in found


def test_fuzzy_is_found_and_survives_an_update(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    workshop.change("lo", lambda message: message.flags.add("fuzzy"))
    update(workshop.root)
    assert any("fuzzy" in each for each in workshop.findings())


def test_a_catalogue_that_is_no_catalogue_is_found(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    path_of(workshop.root, "lo").write_text("<<<<<<< ours\n", encoding="utf-8")
    assert "lo: '': the catalogue cannot be read (PoFileError)" in workshop.findings()
    with pytest.raises(PoFileError):
        update(workshop.root)


def test_a_catalogue_in_the_wrong_folder_is_found(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    path_of(workshop.root, "lo").write_bytes(path_of(workshop.root, "km").read_bytes())
    found = workshop.findings()
    assert "lo: '': its header says km" in found
    assert any("foreign script" in each for each in found)


@pytest.mark.parametrize(
    "call",
    [
        'Choice("yes", _("A label that goes on and on"))',
        'Choice("yes", label=_("A label that goes on and on"))',
        'YES = _("A label that goes on and on")\nChoice("yes", YES)',
        'ALL = {"a": _("A label that goes on and on")}\n[Choice(k, v) for k, v in ALL.items()]',
        'for k, v in (("a", _("A label that goes on and on")),):\n    Choice(k, v)',
    ],
)
def test_a_long_label_is_found(workshop: Workshop, call: str) -> None:
    workshop.write(f"from bot.messages import *\n{call}\n", {})
    assert any("a label of 27 characters" in each for each in workshop.findings())


def test_a_label_may_be_long_in_one_language_only(workshop: Workshop) -> None:
    code = 'from bot.messages import *\nChoice("yes", _("Answers of peers"))\n'
    workshop.write(code, {"km": {"Answers of peers": "មើលចម្លើយពីមិត្តភក្តិ"}})
    found = "km bot/hello.py: 'Answers of peers': a label of 21 characters, at most 20"
    assert found in workshop.findings()


def test_the_other_column_of_a_list_is_no_label(workshop: Workshop) -> None:
    code = (
        "from bot.messages import *\n"
        'for label, told in ((_("Yes"), _("This is what is said and not the label")),):\n'
        '    Choice("yes", label)\n'
    )
    workshop.write(code, {})
    assert read_source(workshop.root).labels == {"Yes"}


def test_a_long_description_of_a_command_is_found(workshop: Workshop) -> None:
    workshop.write(f"Conversation('ask', about=_({'x' * 257!r}))\n", {})
    assert any("description of 257 characters" in each for each in workshop.findings())


def test_an_empty_word_is_found(workshop: Workshop) -> None:
    workshop.write("Conversation('ask', words=N_('ask, , question'))\n", {})
    assert any("an empty word" in each for each in workshop.findings())


def test_words_that_start_two_talks_are_found_across_languages(workshop: Workshop) -> None:
    """One talk has the word in Lao, the other in Khmer's list; folded they are the same."""
    code = (
        "Conversation('ask', words=N_('ask, question'))\n"
        "Conversation('help', words=N_('help, aid'))\n"
    )
    lists = {
        "lo": {"ask, question": "ຖາມ, Help?", "help, aid": "ຊ່ວຍ"},
        "km": {"ask, question": "សួរ", "help, aid": "ជួយ"},
    }
    workshop.write(code, lists)
    assert workshop.findings() == ["lo: 'help': starts both help and ask"]


def test_a_plural_has_the_fields_of_its_own_form(workshop: Workshop) -> None:
    code = 'from bot.messages import *\n_n("One peer", "{n} peers", n=2)\n'
    workshop.write(code, {"lo": {"One peer": "ໝູ່ {n} ຄົນ"}, "km": {"One peer": "មិត្តម្នាក់"}})
    assert workshop.findings() == ["km bot/hello.py: 'One peer': placeholder {n} is missing"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("_(said)", "takes 1 literal"),
        ('_(f"Hello {name}")', "takes 1 literal"),
        ('_n("One", n=1)', "takes 2 literal"),
        ('_("Hello {name}")', "nothing is passed for {name}"),
        ('_("Hello", name="A")', "the sentence has no {name}"),
        ('Text("Hello")', "mark it with _()"),
        ('_("Hello {name}", name="somebody")', "name= fills in words"),
        ('_("Hello {name}", name=f"Dr {name}")', "name= fills in words"),
        ('_("Hello {name}", name=known or "somebody")', "name= fills in words"),
        ('_n("One {name}", "{n} {name}", n=2, name=a if b else "friends")', "name= fills in"),
    ],
)
def test_what_no_translator_can_mend_is_found(workshop: Workshop, code: str, expected: str) -> None:
    workshop.write(f"from bot.messages import *\n\n{code}\n", {})
    assert any(
        each.startswith("bot/hello.py:3: ") and expected in each for each in workshop.findings()
    )


def test_sentences_within_sentences_and_in_templates_are_taken(workshop: Workshop) -> None:
    page = workshop.root / "bot/web/templates/deep/page.html"
    page.parent.mkdir(parents=True)
    page.write_text('<p>{{ _("Page") }} {{ ngettext("One", "Many", 2) }}</p>', encoding="utf-8")
    code = '_("Outer {a} {b}", a=str(_("Inner")), b=_n("One b", "{n} b", n=1))\nN_("Kept")\n'
    workshop.write(code, {})
    taken = {each.msgid: each.plural for each in read_source(workshop.root).sentences.values()}
    assert taken == {
        "Outer {a} {b}": None,
        "Inner": None,
        "One b": "{n} b",
        "Kept": None,
        "Page": None,
        "One": "Many",
    }


# The library ------------------------------------------------------------------------------------

TIP = {
    "slug": "ask-one",
    "theme": "asking",
    "en": "Ask one peer this week.",
    "lo": "ອາທິດນີ້ ລອງຖາມເພື່ອນຮ່ວມງານຜູ້ໜຶ່ງ.",
    "km": "សប្តាហ៍នេះ សូមសួរមិត្តរួមការងារម្នាក់។",
}


def _shelve(root: Path, found: object, file: str = "tips.yaml") -> None:
    path = root / "locales" / "library" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = found if isinstance(found, str) else yaml.safe_dump(found, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def test_a_library_where_all_is_well(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    _shelve(workshop.root, [TIP])
    _shelve(workshop.root, [TIP | {"slug": "other", "en": "What did you try?"}], "prompts.yaml")
    assert workshop.findings() == []
    assert check(workshop.root).contents == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"km": ""}, "km: missing"),
        ({"km": None}, "km: missing"),
        ({"km": 5}, "km: missing"),
        ({"km": TIP["lo"]}, "km: foreign script"),
        ({"km": TIP["en"]}, "km: hardly a letter of it is Khmer"),
        ({"lo": TIP["lo"] * 12}, "lo: 432 characters, at most 400"),
        ({"lo": TIP["lo"] + " {name}"}, "lo: placeholder {name} is not in the source"),
        ({"lo": TIP["lo"] + "\u200b"}, "lo: invisible: U+200B"),
        ({"en": "Ask  one"}, "en: two spaces"),
        ({"slug": "Two Words"}, "a slug is made of small letters, numbers and hyphens"),
        ({"slug": None}, "a slug is made of small letters, numbers and hyphens"),
        ({"theme": ""}, "it has no theme"),
        ({"vi": "Xin"}, "vi is no field of the library"),
    ],
)
def test_what_is_wrong_in_the_library_is_found(
    workshop: Workshop, change: dict[str, object], expected: str
) -> None:
    workshop.write(HELLO, GOOD)
    _shelve(workshop.root, [TIP | change])
    found = workshop.findings()
    assert any(
        each.startswith("locales/library/tips.yaml: ") and expected in each for each in found
    )


def test_a_slug_that_is_there_twice_is_found(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    _shelve(workshop.root, [TIP, TIP])
    assert any("another one has this slug" in each for each in workshop.findings())
    _shelve(workshop.root, [TIP, TIP | {"slug": "other"}])
    assert any("says the same as ask-one" in each for each in workshop.findings())


@pytest.mark.parametrize("text", ["a: [", "just words", "- 5", "", "[[]]", "&a [*a]"])
def test_a_library_that_is_none_is_found(workshop: Workshop, text: str) -> None:
    workshop.write(HELLO, GOOD)
    _shelve(workshop.root, text)
    assert any(each.startswith("locales/library/tips.yaml: ") for each in workshop.findings())


def test_the_library_holds_a_year() -> None:
    """Once a week for each kind; the check above finds what is missing or unfit in them."""
    if not (ROOT / "locales" / "library").exists():
        pytest.skip("there is no library yet")
    contents, _findings = read_library(ROOT, ("en", "lo", "km"))
    assert contents >= 104


# The update -------------------------------------------------------------------------------------


def test_an_update_keeps_what_was_written(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    workshop.change("lo", lambda message: message.user_comments.__setitem__(0, "read by Noy"))
    workshop.write(HELLO + '# NOTE: at the end of a talk\nBYE = _("Goodbye")\n', {})
    text = path_of(workshop.root, "lo").read_text(encoding="utf-8")
    assert (
        '# read by Noy\n#: bot/hello.py\nmsgid "Hello"\nmsgstr "ສະບາຍດີ"\n\n'
        f"# {AWAITING}\n#. at the end of a talk\n"
        '#: bot/hello.py\nmsgid "Goodbye"\nmsgstr ""\n'
    ) in text
    assert check(workshop.root).awaiting == 3


def test_an_update_of_what_is_up_to_date_changes_nothing(workshop: Workshop) -> None:
    workshop.write(HELLO + '_n("One peer", "{n} peers", n=2)\n_("{post}", post=1)\n', GOOD)
    workshop.write(_source("A new one"), {})
    before = {code: path_of(workshop.root, code).read_bytes() for code in ("en", "lo", "km")}
    stamps = {code: path_of(workshop.root, code).stat().st_mtime_ns for code in before}
    update(workshop.root)
    for code, content in before.items():
        assert path_of(workshop.root, code).read_bytes() == content
        assert path_of(workshop.root, code).stat().st_mtime_ns == stamps[code]


def test_retired_sentences_are_kept_and_come_back(workshop: Workshop) -> None:
    workshop.write(HELLO, GOOD)
    workshop.write(_source("Goodbye"), {"lo": {"Goodbye": "ລາກ່ອນ"}, "km": {"Goodbye": "លាហើយ"}})
    text = path_of(workshop.root, "lo").read_text(encoding="utf-8")
    assert '#~ msgid "Hello"\n#~ msgstr "ສະບາຍດີ"\n' in text
    assert workshop.findings() == []
    workshop.write(HELLO, {})
    assert workshop.findings() == []


def test_a_new_folder_is_a_new_language(workshop: Workshop) -> None:
    (workshop.root / "locales/vi").mkdir(parents=True)
    workshop.write(HELLO, GOOD)
    assert workshop.findings() == ["vi bot/hello.py: 'Hello': untranslated"]
    assert "Language: vi" in path_of(workshop.root, "vi").read_text(encoding="utf-8")


# Every sentence that is rendered is in the catalogues -------------------------------------------


PROGRAMS = ("__main__", "bot.voice.hearing")  # they start when they are read, or need an extra


def _modules() -> Iterator[Any]:
    for package in (bot, handlers):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.endswith(PROGRAMS):
                yield importlib.import_module(each.name)


def _texts_in(value: object) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Choice):
        yield value.label
    elif isinstance(value, dict):
        yield from _texts_in(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts_in(each)


def _bare_render(text: Text, language: str = "xx") -> str:
    values = {name: 1 for name in regex.findall(r"\{(\w+)\}", text.msgid)}
    return i18n.render(Text(text.msgid, values | dict(text.params), text.plural), language, _none)


def _none(_ref: Ref, _language: str) -> str:
    return "…"


def test_every_sentence_that_is_rendered_is_in_the_catalogues() -> None:
    known = frozenset(read_source(ROOT).sentences)
    modules = list(_modules())
    found = [each for module in modules for each in vars(module).values()]
    talks = Conversations(
        {id(each): each for each in found if isinstance(each, Conversation)}.values()
    )
    with watching(known) as strangers:
        for module in modules:
            for text in _texts_in(tuple(vars(module).values())):
                assert _bare_render(text).startswith(OPEN)
        for _command, about in talks.menu("xx"):
            assert about.startswith(OPEN) and about.endswith(CLOSE)
    assert strangers == set()
    assert {each.words for each in talks.all if each.words} <= known


def test_the_pseudo_language_shows_a_stranger() -> None:
    with watching(frozenset({"Hello"})) as strangers:
        assert i18n.render(Text("Hello"), "lo", _none) == "⟦Hello⟧"
        i18n.render(Text("Never marked"), "lo", _none)
    assert strangers == {"Never marked"}


STRAY = [
    (Text("Hello"), "strays", set()),
    (Text("Hello {name}", {"name": "Noy"}), "words", {"Noy"}),
    (Text("Hello {name}", {"name": Text("friend")}), "words", set()),
    (Text("Hello {name}", {"name": 5}), "words", set()),
    (Text("Never marked"), "strangers", {"Never marked"}),
]


@pytest.mark.parametrize(("text", "where", "expected"), STRAY)
def test_the_pseudo_language_hears_what_is_no_sentence(
    text: Text, where: str, expected: set[str]
) -> None:
    overheard = Overheard(frozenset({"Hello", "Hello {name}", "friend", "Choose"}))
    message = messages.Message((text,), (Choice("a", Text("Choose")), Choice("b", Text("Choose"))))
    overheard.listen(message, "lo", Limits(text=10, label=3, buttons=0), _none)
    assert getattr(overheard, where) == expected
    assert overheard.bubbles == 1


def test_words_beside_a_sentence_are_strays() -> None:
    assert without_sentences("⟦Hello ⟦friend⟧⟧\n1. ⟦Yes⟧\n2. ⟦Somebody sa…⟧") == "\n1. \n2. "
    assert without_sentences("⟦Hello⟧ there") == " there"


def test_words_that_nobody_brought_in_are_strange() -> None:
    overheard = Overheard(frozenset())
    overheard.words |= {"Noy", "somebody", "https://t.me/x", "UTC+7", "ລາວ", "Vientiane", "Laos"}
    at = datetime(2027, 1, 7, 7, 0, tzinfo=UTC)
    for language in i18n.languages():
        overheard.words |= {
            i18n.moment(at, language, "UTC"),
            i18n.short_moment(at, language, "UTC"),
        }
    assert overheard.strange_words("Noy asks") == {"somebody"}


# Rendering ---------------------------------------------------------------------------------------

PO = """\
msgid ""
msgstr ""
"Language: {code}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plurals}\\n"

msgid "Hello {{name}}"
msgstr "{hello} {{name}}"

msgid "a friend"
msgstr "{friend}"

msgid "{{n}} peer"
msgid_plural "{{n}} peers"
msgstr[0] "{peers}"

msgid "help, aid"
msgstr "{words}"
"""


@pytest.fixture
def small_catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English as it stands, and a little Lao and Khmer."""
    one, two = "nplurals=1; plural=0;", "nplurals=2; plural=(n != 1);"
    said = {
        "en": {"plurals": two, "hello": "", "friend": "", "peers": "", "words": ""},
        "lo": {"plurals": one, "hello": "ສະບາຍດີ", "friend": "ໝູ່", "peers": "ເພື່ອນ {n} ຄົນ",
               "words": "ຊ່ວຍ, ຊ່ວຍແດ່"},
        "km": {"plurals": one, "hello": "សួស្តី", "friend": "មិត្ត", "peers": "មិត្ត {n} នាក់",
               "words": "ជួយ"},
    }  # fmt: skip
    for code, strings in said.items():
        path = path_of(tmp_path, code)
        path.parent.mkdir(parents=True)
        path.write_text(PO.format(code=code, **strings).replace('" {name}"', '""'), "utf-8")
    monkeypatch.setattr(i18n, "LOCALES", tmp_path / "locales")
    caches = (i18n.languages, i18n.catalogue, i18n.word_list)
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()


@pytest.mark.usefixtures("small_catalogues")
class TestRender:
    def test_each_reader_in_her_language(self) -> None:
        text = _("Hello {name}", name="Noy")
        said = [i18n.render(text, code, _none) for code in ("en", "lo", "km", "fr")]
        assert said == ["Hello Noy", "ສະບາຍດີ Noy", "សួស្តី Noy", "Hello Noy"]

    def test_plural(self) -> None:
        one, many = (_n("{n} peer", "{n} peers", n=number) for number in (1, 3))
        assert i18n.render(one, "en", _none) == "1 peer"
        assert i18n.render(many, "en", _none) == "3 peers"
        assert i18n.render(one, "lo", _none) == "ເພື່ອນ 1 ຄົນ"
        assert i18n.render(many, "km", _none) == "មិត្ត 3 នាក់"

    def test_a_text_within_a_text_is_of_the_same_language(self) -> None:
        text = _("Hello {name}", name=_("a friend"))
        assert i18n.render(text, "lo", _none) == "ສະບາຍດີ ໝູ່"

    def test_a_forced_language_wins_and_holds_for_its_parts(self) -> None:
        text = Text("Hello {name}", {"name": _("a friend")}, language="km")
        assert i18n.render(text, "lo", _none) == "សួស្តី មិត្ត"

    def test_a_reference_is_looked_up_in_the_readers_language(self) -> None:
        asked = []

        def lookup(ref: Ref, language: str) -> str:
            asked.append((ref.table, ref.id, language))
            return "Noy"

        text = _("Hello {name}", name=Ref("members", 7))
        assert i18n.render(text, "lo", lookup) == "ສະບາຍດີ Noy"
        assert asked == [("members", 7, "lo")]

    def test_a_moment_is_told_in_the_readers_zone(self) -> None:
        at = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)
        text = _("Hello {name}", name=at)
        zone = "Asia/Vientiane"
        assert i18n.render(text, "en", _none, zone) == "Hello Sunday, 22 November 2026, 01:05"
        assert i18n.render(text, "lo", _none, zone) == "ສະບາຍດີ ວັນອາທິດ ທີ 22 ພະຈິກ 2026, 01:05"
        assert i18n.render(text, "km", _none, zone) == "សួស្តី ថ្ងៃអាទិត្យ ទី22 ខែវិច្ឆិកា 2026, 01:05"

    def test_braces_that_a_person_typed_stay(self) -> None:
        assert i18n.render(_("Hello {name}", name="{n} {}"), "en", _none) == "Hello {n} {}"

    def test_words_of_all_languages_are_heard(self) -> None:
        words = i18n.word_list("help, aid")
        assert words == {i18n.fold(each) for each in ("help", "aid", "ຊ່ວຍ", "ຊ່ວຍແດ່", "ជួយ")}

    def test_negotiate(self) -> None:
        hints = ("lo", "km-KH", "KM_kh", "en-GB", "th", "", None)
        assert [i18n.negotiate(each) for each in hints] == [
            "lo",
            "km",
            "km",
            "en",
            None,
            None,
            None,
        ]


def test_languages_name_themselves() -> None:
    assert [i18n.own_name(code) for code in ("en", "lo", "km")] == ["English", "ລາວ", "ខ្មែរ"]


# Matching ----------------------------------------------------------------------------------------

SAME = [
    ("Help", " HELP! "),
    ("ជួយ", "ជួ\u200bយ"),
    ("ជួយ", "\u200bជួយ។"),
    ("ຖາມ", "ຖາມ\ufeff"),
    ("ຄຳຖາມ", "ຄ\u0ecd\u0eb2ຖາມ"),
    ("ນ້ຳ", "ນ\u0ec9\u0ecd\u0eb2"),
    ("ຊ່ວຍເຫຼືອ", "ຊ່ວຍເຫລືອ"),
    ("ໝູ່", "ຫມູ່"),
    ("ໜ້າ", "ຫນ້າ"),
    ("ចាប់ផ្តើម", "ចាប់ផ្ដើម"),
    ("ស្ត្រី", "ស្រ្តី"),
    ("ថ្មី ១២", "ថ្មី 12"),
    ("໑໒", "12"),
    ("Q໑໐໑", "q101"),
    ("two  words", "Two\nwords"),
    ("yes 👍", "yes 👍🏽"),
]


@pytest.mark.parametrize(("usual", "typed"), SAME)
def test_fold_makes_variants_the_same(usual: str, typed: str) -> None:
    assert i18n.fold(usual) == i18n.fold(typed)


@pytest.mark.parametrize("pair", [("ຢຸດ", "ຢູດ"), ("ជួយ", "ជួល"), ("12", "21"), ("ask", "task")])
def test_fold_keeps_apart_what_differs(pair: tuple[str, str]) -> None:
    assert i18n.fold(pair[0]) != i18n.fold(pair[1])


@given(st.text("ກຂຳໍາຫຼລໜຍີູ່້ស្ត្រដុំ។abC?! \n"))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = i18n.fold(text)
    assert i18n.fold(once) == once


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ສະບາຍດີ", "lo"),
        ("សួស្តី", "km"),
        ("Excel ຂອງຂ້ອຍບໍ່ເຮັດວຽກ", "lo"),
        ("hello, how are you today ຢ", None),
        ("sabaidee", None),
        ("สวัสดี", None),
        ("", None),
        ("12 👍", None),
    ],
)
def test_guess_language(text: str, language: str | None) -> None:
    assert i18n.guess_language(text) == language


# Cutting -----------------------------------------------------------------------------------------

FAMILY = "👨‍👩‍👧‍👦"  # one grapheme, 11 units
PIECES = ["ស្ត្រី", "ខ្ញុំ", "ជួយ", "ນ້ຳ", "ເຫຼືອ", "ຂ້ອຍ", "Excel", FAMILY, "🇰🇭", "👍🏽", "é", "។",
          ". ", "? ", " ", "\n", "\n\n", "\u200b"]  # fmt: skip


def _visible(text: str) -> str:
    return regex.sub(r"\s+", "", text)


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.integers(11, 80))
def test_parts_fit_lose_nothing_and_keep_graphemes_whole(text: str, limit: int) -> None:
    parts = i18n.split(text, limit)
    assert all(0 < i18n.units(part) <= limit for part in parts)
    assert _visible("".join(parts)) == _visible(text)
    whole = regex.findall(r"\X", _visible(text))
    assert [sign for part in parts for sign in regex.findall(r"\X", _visible(part))] == whole


@given(st.text(), st.integers(2, 40))
def test_any_text_is_split_without_loss(text: str, limit: int) -> None:
    parts = i18n.split(text, limit)
    assert "".join("".join(parts).split()) == "".join(text.split())
    if all(i18n.units(sign) <= limit for sign in regex.findall(r"\X", text)):
        assert all(i18n.units(part) <= limit for part in parts)


def test_what_fits_is_left_alone() -> None:
    assert i18n.split("Hello", 5) == ["Hello"]
    assert i18n.split("", 5) == []


def test_units_are_those_of_utf_16() -> None:
    for text in ("Hello", "ສະບາຍດີ", FAMILY):
        assert i18n.units(text) == len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("one two\n\nthree four", 14, ["one two", "three four"]),
        ("One is so. Two is more", 16, ["One is so.", "Two is more"]),
        ("ខ្ញុំសួរ។អ្នកឆ្លើយ", 12, ["ខ្ញុំសួរ។", "អ្នកឆ្លើយ"]),
        ("ស្ត្រីស្ត្រីស្ត្រី", 13, ["ស្ត្រីស្ត្រី", "ស្ត្រី"]),
        (FAMILY * 3, 22, [FAMILY * 2, FAMILY]),
        ("🇰🇭🇱🇦", 7, ["🇰🇭", "🇱🇦"]),
    ],
)
def test_it_is_cut_where_it_hurts_least(text: str, limit: int, parts: list[str]) -> None:
    assert i18n.split(text, limit) == parts


@pytest.mark.parametrize(
    ("text", "most", "short"),
    [
        ("Hello", 5, "Hello"),
        ("Hello there", 6, "Hello…"),
        ("Hello there", 7, "Hello…"),
        ("one\n\ntwo", 20, "one two"),
        ("ស្ត្រីស្ត្រីស្ត្រី", 2, "ស្ត្រី…"),
        (FAMILY * 3, 2, FAMILY + "…"),
    ],
)
def test_shorten(text: str, most: int, short: str) -> None:
    assert i18n.shorten(text, most) == short


@given(st.text(), st.integers(1, 30))
def test_what_is_shortened_fits_on_one_line(text: str, most: int) -> None:
    short = i18n.shorten(text, most)
    assert i18n.graphemes(short) <= most
    assert "\n" not in short


# Tidying -----------------------------------------------------------------------------------------


def test_tidy_keeps_lines_and_drops_controls() -> None:
    assert i18n.tidy("  a\r\nb\x00\x07\x1b\n ") == "a\nb"
    assert i18n.tidy("e\u0301") == "é"
    assert i18n.tidy("ជួ\u200bយ") == "ជួ\u200bយ"  # what a person typed stays


def test_tidy_never_joins_composed_signs_wrongly() -> None:
    """NFC never turns one Lao or Khmer spelling into another."""
    for text in ("ນ້ຳ", "ស្ត្រី", "ខ្ញុំ", "ຫຼື"):
        assert i18n.tidy(text) == text


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" Noy\nBoun ", "Noy Boun"),
        ("*Noy* _B_ `x` ~y~", "Noy B x y"),
        ("<b>Noy</b>", "bNoy/b"),
        ("[Noy](http://x) @noy |", "Noy(http://x) noy"),
        ("\u202eyoN\u202c", "yoN"),
        ("\u2066Noy\u2069", "Noy"),
        ("Noy\x00", "Noy"),
        ("ສຸກ", "ສຸກ"),
        ("សុខា", "សុខា"),
    ],
)
def test_tidy_name(typed: str, name: str) -> None:
    assert i18n.tidy_name(typed) == name


def test_a_name_is_not_endless() -> None:
    assert i18n.graphemes(i18n.tidy_name("ស្ត្រី" * 100)) == 40
    assert i18n.tidy_name("a" * 50, 10) == "aaaaaaaaa…"


@given(st.text())
def test_a_tidy_text_holds_no_controls(text: str) -> None:
    tidy = i18n.tidy(text)
    assert not {unicodedata.category(sign) for sign in tidy.replace("\n", "")} & {"Cc", "Cs"}
    assert tidy == tidy.strip()


# What people and keyboards really produce -----------------------------------------------------

TRICKY: dict[str, Callable[[], bool]] = {
    "fold: tone typed within SARA AM": lambda: i18n.fold("ນ\u0ecd\u0ec9\u0eb2") == i18n.fold("ນ້ຳ"),
    "fold: tone typed after SARA AM": lambda: i18n.fold("ນຳ\u0ec9") == i18n.fold("ນ້ຳ"),
    "fold: order of two Khmer marks": lambda: (
        i18n.fold("ខ្ញ\u17c6\u17bb") == i18n.fold("ខ្ញ\u17bb\u17c6")
    ),
    "fold: NFC before invisible signs go": lambda: (
        i18n.fold("ຢ\u0ec8\u200b\u0eb9") == i18n.fold("ຢ\u0eb9\u0ec8")
    ),
    "split: a grapheme longer than the limit": lambda: (
        max(map(i18n.units, i18n.split(FAMILY * 2, 10))) <= 10
    ),
    "shorten: after a Lao leading vowel": lambda: i18n.shorten("ກິນເຂົ້າແລ້ວ", 4) == "ກິນ…",
    "guess_language: marks count as letters": lambda: (
        i18n.guess_language("hello there friend ບໍ່ຮູ້") is None
    ),
    "guess_language: Lao wins over more Khmer": lambda: (
        i18n.guess_language("ຂ້ອຍບໍ່ຮູ້ ខ្ញុំមិនដឹងថាត្រូវធ្វើដូចម្តេច") == "km"
    ),
    "tidy: a tab is white space": lambda: i18n.tidy("12\t30") == "12 30",
    "tidy: a lone carriage return is a line end": lambda: i18n.tidy("a\rb") == "a\nb",
    "tidy: NFC after controls go": lambda: i18n.tidy("e\x00\u0301") == "é",
    "tidy_name: right-to-left marks": lambda: i18n.tidy_name("\u200f\u061cNoy\u200e") == "Noy",
    "tidy_name: a name of nothing visible": lambda: (
        i18n.tidy_name("\u200b\u2060\u00ad\u3164") == ""
    ),
    "render: the empty text": lambda: i18n.render(Text(""), "lo", _none) == "",
}


@pytest.mark.parametrize("case", TRICKY)
@pytest.mark.usefixtures("small_catalogues")
def test_tricky_text(case: str) -> None:
    assert TRICKY[case]()
