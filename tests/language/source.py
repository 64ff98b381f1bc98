"""What the code says: its sentences, and which of them are labels, lists of words, descriptions."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import IO, Any

import regex
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from bot.proofreading import without_fields

CONFIG = Path(__file__).resolve().parents[2] / "babel.cfg"
KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "_n": (1, 2),
    "ngettext": (1, 2),
}
MARKS = ("_", "_n", "N_")  # those that must get a literal
NOTE = "NOTE:"  # a comment above a call that begins so reaches the translators
FOLDERS = ("bot", "handlers")


@dataclass(slots=True)
class Sentence:
    """One sentence of the code, and where it stands."""

    msgid: str
    plural: str | None = None
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in the code that no translator can mend."""

    file: str
    line: int
    msgid: str
    what: str


@dataclass(slots=True)
class Source:
    """All that the code says."""

    sentences: dict[str, Sentence] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    abouts: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)  # list -> the conversation or file it is of
    oddities: list[Oddity] = field(default_factory=list)


def read_source(root: Path) -> Source:
    """Everything in the folders that babel.cfg names, in the order of files and lines."""
    source = Source()
    with CONFIG.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file, str(CONFIG))  # type: ignore[no-untyped-call]
    found = extract_from_dir(
        root, methods, options, keywords=KEYWORDS, comment_tags=(NOTE,), strip_comment_tags=True
    )
    for file_name, line, message, notes, _context in sorted(found, key=lambda each: each[:2]):
        _take(source, file_name.replace("\\", "/"), line, message, notes)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            _Reader(source, path.relative_to(root).as_posix(), path.read_text("utf-8")).read()
    return source


def _take(source: Source, file: str, line: int, message: Any, notes: list[str]) -> None:
    singular, plural = (message, None) if isinstance(message, str) else message
    known = source.sentences.setdefault(singular, Sentence(singular, plural))
    if known.plural and plural and known.plural != plural:
        source.oddities.append(Oddity(file, line, singular, "has two different plurals"))
    known.plural = known.plural or plural
    known.files += [file] if file not in known.files else []
    known.notes += [note for note in notes if note not in known.notes]


# The extractor that babel.cfg names -----------------------------------------------------------


def extract(
    file: IO[bytes],
    keywords: Mapping[str, Any],
    comment_tags: Collection[str],
    options: Mapping[str, Any],
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """Babel's interface: (line, function, its literal arguments or None for others, notes)."""
    text = file.read().decode("utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and _name(node.func) in keywords:
            strings = tuple(_literal(each) for each in node.args)
            if strings and strings[0] is not None:
                notes = _notes_above(lines, node.lineno, comment_tags)
                message = strings if len(strings) > 1 else strings[0]
                yield node.args[0].lineno, _name(node.func), message, notes


def _notes_above(lines: list[str], line: int, tags: Collection[str]) -> list[str]:
    notes: list[str] = []
    for above in reversed(lines[: line - 1]):
        if not above.strip().startswith("#"):
            break
        notes.insert(0, above.strip().lstrip("#").strip())
    return notes if notes and notes[0].startswith(tuple(tags)) else []


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


# What the sentences are used for ----------------------------------------------------------------


class _Reader:
    """Walks one file for labels, lists of words, descriptions, and what is odd."""

    def __init__(self, source: Source, file: str, text: str) -> None:
        self._source = source
        self._file = file
        self._tree = ast.parse(text)
        self._meanings: dict[str, list[ast.expr]] = defaultdict(list)

    def read(self) -> None:
        for node in ast.walk(self._tree):
            self._learn(node)
        calls = [node for node in ast.walk(self._tree) if isinstance(node, ast.Call)]
        for call in calls:
            self._call(call)
        for call in calls:
            self._take_list(call)

    def _learn(self, node: ast.AST) -> None:
        """What each name of the file may stand for."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._bind_each(node.target, node.iter)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                self._meanings[each.id].append(value)

    def _bind_each(self, target: ast.expr, value: ast.expr) -> None:
        """`for key, label in (("a", A), …)`: each name stands for its own column."""
        rows = self._rows(value)
        columns = target.elts if isinstance(target, ast.Tuple) else []
        for row in rows:
            if columns and isinstance(row, ast.Tuple) and len(row.elts) == len(columns):
                for column, part in zip(columns, row.elts, strict=True):
                    self._bind(column, part)
            else:
                self._bind(target, row)
        if not rows:
            self._bind(target, value)

    def _rows(self, value: ast.expr) -> list[ast.expr]:
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            return self._rows_of_dict(value.func.value, value.func.attr)
        for meaning in self._stands_for(value):
            if isinstance(meaning, ast.Tuple | ast.List | ast.Set):
                return meaning.elts
        return []

    def _rows_of_dict(self, value: ast.expr, method: str) -> list[ast.expr]:
        for meaning in self._stands_for(value):
            if isinstance(meaning, ast.Dict) and method == "values":
                return meaning.values
            if isinstance(meaning, ast.Dict) and method == "items":
                pairs = zip(meaning.keys, meaning.values, strict=True)
                return [ast.Tuple([key, each]) for key, each in pairs if key is not None]
        return []

    def _stands_for(self, value: ast.expr) -> list[ast.expr]:
        return self._meanings.get(value.id, []) if isinstance(value, ast.Name) else [value]

    def _sentences_in(self, value: ast.expr | None, depth: int = 4) -> set[str]:
        """The msgids that an expression may come to, also through names of this file."""
        if value is None or depth == 0:
            return set()
        if isinstance(value, ast.Call) and _name(value.func) in MARKS:
            literals = {_literal(each) for each in value.args}
            return {each for each in literals if each is not None}
        if isinstance(value, ast.Name):
            meanings = self._meanings.get(value.id, [])
            return set().union(*(self._sentences_in(each, depth - 1) for each in meanings))
        parts = [each for each in ast.iter_child_nodes(value) if isinstance(each, ast.expr)]
        return set().union(*(self._sentences_in(each, depth) for each in parts))

    def _call(self, node: ast.Call) -> None:
        name = _name(node.func)
        given = {each.arg: each.value for each in node.keywords}
        if name == "Choice":
            label = node.args[1] if len(node.args) > 1 else given.get("label")
            self._source.labels |= self._sentences_in(label)
        elif name == "Conversation":
            self._source.abouts |= self._sentences_in(given.get("about"))
            for words in self._sentences_in(given.get("words")):
                self._take_words(node, words)
        elif name in MARKS and isinstance(node.func, ast.Name):
            self._check_marked(node, name)
        elif name == "Text":
            self._check_bare(node)

    def _take_words(self, node: ast.Call, words: str) -> None:
        name = (_literal(node.args[0]) if node.args else None) or self._file
        other = self._source.words.setdefault(words, name)
        if other != name:
            self._odd(node, words, f"the words of {other} are also those of {name}")

    def _take_list(self, node: ast.Call) -> None:
        """N_("hello, hi") that starts no talk is a list of words all the same."""
        words = _literal(node.args[0]) if node.args else None
        if _name(node.func) == "N_" and words and "," in words and words[-1] not in ".?!:":
            self._source.words.setdefault(words, self._file)

    def _check_marked(self, node: ast.Call, name: str) -> None:
        wanted = 2 if name == "_n" else 1
        literals = [_literal(each) for each in node.args]
        if len(literals) != wanted or None in literals:
            self._odd(node, ast.unparse(node)[:60], f"{name}() takes {wanted} literal sentence(s)")
            return
        for each in node.keywords:
            for words in _words_in(each.value):
                self._odd(node, words, f"{each.arg}= fills in words: mark them with _() too")
        passed = {each.arg for each in node.keywords}
        if name != "N_" and None not in passed:
            used = set().union(*(_fields(each) for each in literals if each is not None))
            self._compare(node, str(literals[0]), used, {str(each) for each in passed}, name)

    def _compare(
        self, node: ast.Call, msgid: str, used: set[str], passed: set[str], name: str
    ) -> None:
        for missing in sorted(used - passed):
            self._odd(node, msgid, f"nothing is passed for {{{missing}}}")
        for spare in sorted(passed - used - ({"n"} if name == "_n" else set())):
            self._odd(node, msgid, f"{spare}= is passed, but the sentence has no {{{spare}}}")

    def _check_bare(self, node: ast.Call) -> None:
        """Text("Hello") reaches people, but no catalogue."""
        words = _literal(node.args[0]) if node.args else None
        if words is not None and any(sign.isalpha() for sign in without_fields(words)):
            self._odd(node, words, "Text() of a sentence: mark it with _() instead")

    def _odd(self, node: ast.AST, msgid: str, what: str) -> None:
        line = getattr(node, "lineno", 0)
        self._source.oddities.append(Oddity(self._file, line, msgid, what))


def _words_in(value: ast.expr) -> Iterator[str]:
    """Words that stand in the code itself, where a value is filled in."""
    if isinstance(value, ast.Constant | ast.JoinedStr):
        parts = value.values if isinstance(value, ast.JoinedStr) else [value]
        said = "".join(_literal(part) or " " for part in parts)
        if regex.search(r"\p{L}{2,}", said):
            yield said.strip()
    elif isinstance(value, ast.IfExp):
        yield from (*_words_in(value.body), *_words_in(value.orelse))
    elif isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from _words_in(each)


def _fields(text: str) -> set[str]:
    try:
        return {each for _text, each, _spec, _conversion in Formatter().parse(text) if each}
    except ValueError:
        return set()
