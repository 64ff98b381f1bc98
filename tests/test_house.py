"""The house rules, read from the code itself: who may import whom, sizes, names, logs, settings.

`python -m tests.test_house --write` keeps the names of all steps and actions in step_names.txt.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

import handlers
from bot.conversation import Conversation
from bot.logs import ALLOWED
from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
STEP_NAMES = Path(__file__).resolve().parent / "step_names.txt"

# Who stands on whom: a module imports only from rows above its own, never from beside it.
LEVELS = (
    ("bot.messages", "bot.clock", "bot.logs", "bot.metrics", "bot.seals", "bot.qr", "bot.cutting",
     "bot.sheets", "bot.strictly", "bot.when", "bot.sessions", "bot.media", "bot.media.unfit",
     "bot.media.confine", "bot.media.names", "bot.stories", "bot.voice", "bot.voice.engines"),
    ("bot.settings", "bot.i18n", "bot.codec", "bot.columns", "bot.discretion", "bot.talk",
     "bot.timing", "bot.roles", "bot.archive", "bot.captioned",
     "bot.voice.hearing", "bot.media.cell", "bot.media.sounds", "bot.media.bare",
     "bot.media.archives"),
    ("bot.when.words", "bot.voice.judging", "bot.voice.local", "bot.voice.endpoint",
     "bot.media.shelves", "bot.media.voices", "bot.media.pictures", "bot.media.cleaning",
     "bot.media.films", "bot.media.papers", "bot.media.offices", "bot.mydata.labels"),
    ("bot.when.said", "bot.media.vault", "bot.media.documents", "bot.media.soundtracks"),
    ("bot.when.dayrules", "bot.when.hourrules"),
    ("bot.when.rules",),
    ("bot.invitation", "bot.offers", "bot.typed", "bot.naming", "bot.workdays", "bot.likeness",
     "bot.pace", "bot.templates", "bot.proofreading", "bot.sentences", "bot.catalogues",
     "bot.sessions.links", "bot.reflecting", "bot.themes"),
    ("bot.when.dates", "bot.when.lengths", "bot.hiding"),
    ("bot.tree", "bot.tree.words", "bot.tree.scenery"),
    ("bot.tree.lettering",),
    ("bot.tree.foliage",),
    ("bot.tree.crown", "bot.tree.signs", "bot.tree.wood"),
    ("bot.tree.picture",),
    ("bot.models.keys",),
    ("bot.models.*",),
    ("bot.rehearsal.phones", "bot.rehearsal.transcripts", "bot.rehearsal.samples",
     "bot.connecting"),
    ("bot.models", "bot.db", "bot.fitting", "bot.listing", "bot.smalltalk", "bot.channels",
     "bot.disks"),
    ("bot.channels.telegram.errors", "bot.channels.whatsapp.errors", "bot.downloads"),
    ("bot.channels.telegram.*", "bot.channels.whatsapp.*"),
    ("bot.store.audiences.*", "bot.store.references.words"),
    ("bot.store.references.beneath",),
    ("bot.store.references.bubbles",),
    ("bot.store.references",),
    ("bot.channels.*", "bot.store.*", "bot.locks", "bot.tenancy", "bot.wakes",
     "bot.rehearsal.journal", "bot.rates"),
    ("bot.trees",),
    ("bot.when.evenings", "bot.sessions.visiting", "bot.gathering", "bot.windows", "bot.ledgers",
     "bot.backup", "bot.responses", "bot.library", "bot.mydata.mysessions",
     "bot.mydata.myproposals", "bot.mydata.promises", "bot.media.telling", "bot.mydata.mycaptions",
     "bot.counting", "bot.mydata.myreflections", "bot.mydata.mystories", "bot.stories.tale",
     "bot.stories.exporting"),
    ("bot.judging",),
    ("bot.conversation", "bot.scheduler", "bot.planning", "bot.truth", "bot.telling", "bot.posting",
     "bot.nameless", "bot.rotation", "bot.mydata", "bot.eraser", "bot.sessions.calendars",
     "bot.recalling", "bot.allowances", "bot.hearing", "bot.reading", "bot.restoring", "bot.weekly",
     "bot.choosing", "bot.translating", "bot.rewording", "bot.reporting"),
    ("bot.ahead", "bot.sessions.matching", "bot.sessions.reminding", "bot.sessions.seats",
     "bot.captioning", "bot.media.arriving", "bot.stories.withdrawing", "bot.stories.results"),
    ("bot.rhythm", "bot.sessions.calling", "bot.timetable", "bot.almanac", "bot.briefing",
     "bot.media.fetching", "bot.stories.settling"),
    ("bot.turn", "bot.envelopes", "bot.parts", "bot.digests", "bot.treasurer", "bot.programme",
     "bot.followups", "bot.unfinished", "bot.sessions.plans", "bot.sessions.recurring",
     "bot.sessions.harvest", "bot.sessions.duties", "bot.proposing", "bot.voice.scribe",
     "bot.lookback"),
    ("bot.flight", "bot.returning", "bot.desk", "bot.deadlines", "bot.drafts",
     "bot.stories.agreement"),
    ("bot.nudging", "bot.routes", "bot.sender", "bot.upkeep", "bot.erasing",
     "bot.rehearsal.playing", "bot.rehearsal.weekly", "bot.rehearsal.planned", "handlers.*"),
    ("bot.router", "bot.rehearsal.room", "bot.approving"),
    ("bot.app",),
    ("bot.web.*", "bot.doctor"),
    ("bot.web",),
    ("bot.cli.store",),
    ("bot.cli.*",),
    ("bot.cli",),
    ("bot.__main__",),
)  # fmt: skip

# Folders whose files all look the same: what each file in them may know of ours.
MAY_KNOW = {
    "bot.channels.*": ("bot.messages", "bot.settings", "bot.clock", "bot.logs", "bot.metrics",
        "bot.qr", "bot.rehearsal.phones", "bot.channels", "bot.channels.telegram.*",
        "bot.channels.whatsapp.*", "bot.rehearsal.samples", "bot.downloads"),
    "bot.store.*": ("bot.messages", "bot.captioned", "bot.i18n", "bot.codec", "bot.seals",
        "bot.columns", "bot.models.*", "bot.db", "bot.discretion", "bot.timing", "bot.roles",
        "bot.store.audiences.*", "bot.store.references.*"),
    "handlers.*": ("bot.messages", "bot.captioning", "bot.i18n", "bot.smalltalk", "bot.discretion",
        "bot.invitation", "bot.offers", "bot.timing", "bot.typed", "bot.when.*", "bot.naming",
        "bot.deadlines", "bot.drafts",
        "bot.pace", "bot.roles", "bot.allowances", "bot.sessions.*", "bot.hearing", "bot.digests",
        "bot.rhythm", "bot.weekly", "bot.ahead", "bot.almanac", "bot.desk", "bot.followups",
        "bot.unfinished", "bot.briefing", "bot.store.*", "bot.conversation", "bot.turn",
        "bot.scheduler", "bot.truth", "bot.telling", "bot.posting", "bot.responses", "bot.nameless",
        "bot.envelopes", "bot.sentences", "bot.proofreading", "bot.proposing", "bot.counting",
        "bot.reflecting", "bot.lookback", "bot.themes", "bot.hiding", "bot.stories.*", "bot.trees",
        "bot.reporting"),
}  # fmt: skip
FOLDERS = ("bot.channels", "bot.store", "bot.web", "handlers")  # siblings are strangers

# Each of these libraries has one home.
HOMES = {
    "telegram": ("bot.channels.telegram", "bot.channels.telegram.*"),
    "twilio": ("bot.channels.whatsapp", "bot.channels.whatsapp.*"),
    "aiohttp": ("bot.channels.*", "bot.downloads", "bot.voice.endpoint"),
    "starlette": ("bot.web", "bot.web.*"),
    "jinja2": ("bot.web", "bot.web.*"),
    "apscheduler": ("bot.scheduler",),
    "structlog": ("bot.logs",),
    "logging": ("bot.logs",),
    "babel": ("bot.i18n", "bot.sentences", "bot.catalogues"),
    "cryptography": ("bot.seals",),
    "segno": ("bot.qr",),
    "docx": ("bot.mydata",),
    "icalendar": ("bot.sessions.calendars",),
    "openpyxl": ("bot.sheets",),
    "obstore": ("bot.media.shelves",),
    "av": ("bot.media.sounds", "bot.media.voices", "bot.media.films"),
    "PIL": ("bot.media.pictures", "bot.tree.*"),
    "ctypes": ("bot.media.confine",),
    "psycopg": ("bot.wakes",),
    "sqlite3": ("bot.db", "bot.wakes"),
    "click": ("bot.cli", "bot.cli.*"),
    "handlers": ("bot.app",),
    "importlib": ("bot.app", "bot.cli"),
    "pkgutil": ("bot.app", "bot.cli"),
    "sqlalchemy": (
        "bot.columns",
        "bot.db",
        "bot.connecting",
        "bot.models",
        "bot.models.*",
        "bot.store.*",
    ),
    "lxml": ("bot.media.offices",),
    "pypdf": ("bot.media.papers",),
    "faster_whisper": ("bot.voice.hearing",),
    "icu4py": ("bot.tree.lettering",),
    "fontTools": ("bot.tree.words",),
    "justmytype_intl_sea": ("bot.tree.words",),
}
# Elsewhere a Connection is only passed on; the two others say one sentence of SQL each.
CONNECTION = frozenset({"Connection"})
MORE_SQL = {
    "bot.locks": frozenset({"Connection", "text"}),
    "bot.web": frozenset({"text"}),
    "bot.settings": frozenset({"make_url", "ArgumentError"}),  # is it an address at all?
}

LONGEST_CHAIN = 11  # imports one after the other, from the command line down
LONGEST_FILE = 330
LONGEST_FUNCTION = 40
# Longer than they should be; these figures may only go down.
STILL_LONGER: dict[str, int] = {}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}
MAY_PRINT = ("bot.cli", "bot.cli.*")


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the house."""

    name: str  # bot.store.posts
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


_PATHS = {
    _name_of(path): path
    for folder in ("bot", "handlers")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
MODULES = [Module(name, path.read_text(encoding="utf-8")) for name, path in _PATHS.items()]

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda each: each.name)


def _is_one_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _imported(module: Module) -> Iterator[tuple[str, str]]:
    """(module, name taken from it or ""), anywhere in the file."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = "." * node.level + (node.module or "")
            yield from ((home, alias.name) for alias in node.names)


def _ours(module: Module) -> set[str]:
    """Which files of ours it imports; a package counts when something of its own is taken."""
    found = set()
    for home, name in _imported(module):
        whole = f"{home}.{name}"
        if whole in _PATHS:
            found.add(whole)
        elif home in _PATHS:
            found.add(home)
    return found


def _level(name: str) -> int | None:
    return next((at for at, row in enumerate(LEVELS) if _is_one_of(name, row)), None)


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


# Direction ---------------------------------------------------------------------------------------


@each_module
def test_imports_point_one_way(module: Module) -> None:
    assert _wrong_way(module) == []


def _wrong_way(module: Module) -> list[str]:
    if module.name in ("bot", "bot.rehearsal", "bot.store", "handlers"):
        return sorted(_ours(module))  # nothing but a sentence on what the folder is for
    level = _level(module.name)
    assert level is not None, f"{module.name} stands in no row of LEVELS: give it its place"
    found = []
    for name in sorted(_ours(module) - {"handlers"}):
        other = _level(name)
        if other is None or other >= level:
            found.append(f"{module.name} (row {level}) imports {name} (row {other})")
    return found


@each_module
def test_files_of_a_folder_know_only_what_they_need(module: Module) -> None:
    for pattern, known in MAY_KNOW.items():
        if fnmatchcase(module.name, pattern):
            assert [name for name in _ours(module) if not _is_one_of(name, known)] == []


@each_module
def test_siblings_do_not_import_each_other(module: Module) -> None:
    folder = module.name.rpartition(".")[0]
    if folder in FOLDERS:
        beside = [name for name in _ours(module) if name.startswith(f"{folder}.")]
        assert [name for name in beside if not name.startswith(f"{module.name}.")] == []


@each_module
def test_each_library_has_one_home(module: Module) -> None:
    assert _away_from_home(module) == []


def _away_from_home(module: Module) -> list[str]:
    found = []
    for home, name in _imported(module):
        library = home.partition(".")[0]
        if module.name.partition(".")[0] == library or library not in HOMES:
            continue
        passed_on = library == "sqlalchemy" and (home == library or home == "sqlalchemy.exc")
        if passed_on and name in MORE_SQL.get(module.name, CONNECTION):
            continue
        if not _is_one_of(module.name, HOMES[library]):
            found.append(f"{module.name} imports {home} {name}")
    return found


@each_module
def test_imports_stand_at_the_top(module: Module) -> None:
    assert _imports_below_the_top(module) == []


def _imports_below_the_top(module: Module) -> list[str]:
    top = {id(node) for node in module.tree.body}
    return [
        f"{module.name}:{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
    ]


def test_there_are_no_cycles_and_no_long_chains() -> None:
    chain = _longest_chain({module.name: _ours(module) for module in MODULES})
    chain = [name for name in chain if name != "bot.__main__"]  # the doorstep
    assert len(chain) - 1 <= LONGEST_CHAIN, " > ".join(chain)


def _longest_chain(graph: dict[str, set[str]]) -> list[str]:
    """The longest way down; raises AssertionError for a cycle."""
    longest: dict[str, list[str]] = {}

    def below(name: str, above: tuple[str, ...]) -> list[str]:
        assert name not in above, "a cycle: " + " > ".join((*above, name))
        if name not in longest:
            ways = [below(each, (*above, name)) for each in sorted(graph[name])]
            longest[name] = [name, *max(ways, key=len, default=[])]
        return longest[name]

    return max((below(name, ()) for name in sorted(graph)), key=len, default=[])


# Shape -------------------------------------------------------------------------------------------


@each_module
def test_a_module_says_what_it_is(module: Module) -> None:
    parts = set(module.name.split("."))
    assert not parts & EMPTY_NAMES, f"{module.name} says nothing about what is in it"
    first = (ast.get_docstring(module.tree) or "").split("\n")[0]
    assert re.fullmatch(r"\S.*\.", first), f"{module.name} does not begin with one sentence"


@each_module
def test_files_and_functions_are_short(module: Module) -> None:
    assert module.text.count("\n") <= STILL_LONGER.get(module.name, LONGEST_FILE)
    assert _long_functions(module, LONGEST_FUNCTION) == []


def _long_functions(module: Module, most: int) -> list[str]:
    lengths = [(each.name, (each.end_lineno or 0) - each.lineno + 1) for each in _functions(module)]
    return [f"{module.name}.{name}: {length}" for name, length in lengths if length > most]


def test_what_has_become_short_is_no_exception_any_more() -> None:
    lengths = {module.name: module.text.count("\n") for module in MODULES}
    assert [name for name in STILL_LONGER if lengths.get(name, 0) <= LONGEST_FILE] == []


@each_module
def test_public_functions_are_annotated(module: Module) -> None:
    assert _unannotated(module) == []


def _unannotated(module: Module) -> list[str]:
    found = []
    for each in _functions(module):
        if each.name.startswith("_") and each.name != "__init__":
            continue
        given = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]
        given += [arg for arg in (each.args.vararg, each.args.kwarg) if arg is not None]
        bare = [
            arg.arg for arg in given if arg.annotation is None and arg.arg not in ("self", "cls")
        ]
        if bare or each.returns is None:
            found.append(f"{module.name}.{each.name}")
    return found


@each_module
def test_nothing_is_printed_but_by_the_command_line(module: Module) -> None:
    if not _is_one_of(module.name, MAY_PRINT):
        assert "print" not in _called_names(module)


def _called_names(module: Module) -> set[str]:
    calls = (node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return {call.id for call in calls if isinstance(call, ast.Name)}


# Logs --------------------------------------------------------------------------------------------

LOG_VERBS = {"debug", "info", "warning", "error", "critical", "exception", "msg", "bind"}


@each_module
def test_logs_are_without_people(module: Module) -> None:
    assert _bad_logs(module) == []


def _bad_logs(module: Module) -> list[str]:
    """One literal event name, then only fields of the allow-list, each given by its name."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _is_log(node.func):
            fields = {each.arg for each in node.keywords}
            named = len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
            if not named or not fields <= ALLOWED:
                found.append(f"{module.name}:{node.lineno}: {ast.unparse(node)}")
    return found


def _is_log(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in LOG_VERBS:
        return False
    owner = function.value
    if isinstance(owner, ast.Call):
        owner = owner.func
        return "get" in ast.unparse(owner).rpartition(".")[2]
    return isinstance(owner, ast.Name) and owner.id in ("log", "logger", "logging", "structlog")


# Settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "line"), [(".env.example", r"^#? ?{name}="), ("README.md", r"^\| ?`{name}`")]
)
def test_every_setting_is_told(file: str, line: str) -> None:
    path = ROOT / file
    if not path.exists():
        pytest.skip(f"there is no {file} yet")
    text = path.read_text(encoding="utf-8")
    names = {name.upper() for name in Settings.model_fields}
    told = {name for name in names if re.search(line.format(name=name), text, re.MULTILINE)}
    assert sorted(names - told) == []


def test_the_example_names_no_setting_that_is_none() -> None:
    path = ROOT / ".env.example"
    if not path.exists():
        pytest.skip("there is no .env.example yet")
    told = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(told) - {name.upper() for name in Settings.model_fields}) == []


# Names that are stored ---------------------------------------------------------------------------


def _stored_names() -> list[str]:
    """Steps wait in the store, actions on bubbles that were delivered: both outlive a deploy."""
    names = set()
    for found in pkgutil.iter_modules(handlers.__path__):
        module = importlib.import_module(f"handlers.{found.name}")
        for each in vars(module).values():
            if isinstance(each, Conversation):
                names |= {f"step {name}" for name in each.steps}
                names |= {f"action {name}" for name in each.actions}
    return sorted(names)


def test_the_names_of_steps_are_kept() -> None:
    """A renamed step says `formerly=`; the list is renewed with --write, see above."""
    if not STEP_NAMES.exists():
        pytest.skip("there is no step_names.txt yet")
    kept = STEP_NAMES.read_text(encoding="utf-8").split("\n")[:-1]
    now = _stored_names()
    assert sorted(set(kept) - set(now)) == [], "somebody may still wait there: keep the name"
    assert sorted(set(now) - set(kept)) == [], "new: python -m tests.test_house --write"


def _write_stored_names() -> None:
    STEP_NAMES.write_text("".join(f"{name}\n" for name in _stored_names()), encoding="utf-8")


# The rules can be broken -------------------------------------------------------------------------

BROKEN: list[tuple[Callable[[Module], list[str]], str, str]] = [
    (_wrong_way, "bot.messages", "from bot.i18n import fold"),
    (_wrong_way, "bot.db", "from bot.store import posts"),
    (_wrong_way, "bot.router", "from bot import app"),
    (_wrong_way, "bot.store", "from bot.store import posts"),
    (_away_from_home, "handlers.ask", "import telegram"),
    (_away_from_home, "handlers.ask", "from sqlalchemy import select"),
    (_away_from_home, "bot.router", "from sqlalchemy.exc import DBAPIError"),
    (_away_from_home, "bot.web", "from sqlalchemy import Connection"),
    (_away_from_home, "bot.router", "import handlers.ask"),
    (_imports_below_the_top, "bot.db", "def late() -> None:\n    import os"),
    (lambda module: _long_functions(module, 2), "bot.db", "def f() -> None:\n    1\n    2"),
    (_unannotated, "bot.db", "def f(x) -> None: ..."),
    (_unannotated, "bot.db", "class A:\n    def f(self): ..."),
    (_bad_logs, "bot.db", "log.info('seen', name='Noy')"),
    (_bad_logs, "bot.db", "log.info(f'seen {name}')"),
    (_bad_logs, "bot.db", "log.info('seen %s', name)"),
    (_bad_logs, "bot.db", "log.info('seen', **everything)"),
    (_bad_logs, "bot.db", "logs.get('db').info('seen', text='hello')"),
]


@pytest.mark.parametrize(("rule", "name", "code"), BROKEN)
def test_a_broken_rule_is_found(rule: Callable[[Module], list[str]], name: str, code: str) -> None:
    assert len(rule(Module(name, code))) == 1


def test_a_cycle_is_found() -> None:
    with pytest.raises(AssertionError, match="a cycle: a > b > a"):
        _longest_chain({"a": {"b"}, "b": {"a"}})
    assert _longest_chain({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ["a", "b", "c"]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    _write_stored_names()
