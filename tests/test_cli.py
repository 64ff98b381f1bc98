"""The command line: 0 is fine, 1 a failure in one line, 2 wrong use."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select, text, update

from bot import cli, clock, models, qr, seals
from bot.app import App
from bot.cli import serve
from bot.db import Database
from bot.store import communities, invites
from bot.store.secrets import open_store

COMMANDS = [
    "audit", "backup", "content", "doctor", "invite", "keys", "lanes", "ledger", "load", "migrate",
    "restore", "run", "stories", "web", "whatsapp", "why", "worker",
]  # fmt: skip
NOWHERE = "postgresql://linkline:geheim@127.0.0.1:1/linkline"
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "an-auth-token",
    "TWILIO_WHATSAPP_FROM": "whatsapp:+14155238886",
    "PUBLIC_URL": "https://bot.example.org",
}


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Shell:
    """Runs a command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, *words: str) -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["linkline", *words])
        self.capsys.readouterr()
        code: Any = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        out, err = self.capsys.readouterr()
        return Ended(code, out, err)

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self.monkeypatch.setenv(name, value)

    def fails(self, *words: str) -> str:
        """The one line of a failure."""
        ended = self(*words)
        assert ended.code == 1, ended
        [line] = ended.err.splitlines()
        assert line.startswith("linkline: ")
        assert not ended.out
        return line


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


@pytest.fixture
def fresh(shell: Shell, tmp_path: Path) -> Shell:
    """With a store that is not there yet."""
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'folder' / 'new.db'}")
    return shell


@pytest.fixture
def ready(shell: Shell, database_url: str) -> Shell:
    """With a migrated store, on both databases, and the demo in it."""
    shell.set(DATABASE_URL=database_url)
    assert shell("load", str(cli.DEMO)).code == 0
    return shell


def names_in_store() -> dict[str, str]:
    """Of the community of the demo, by language."""
    statement = select(models.wordings.c.language, models.wordings.c.text).where(
        models.wordings.c.content_id.in_(
            select(models.contents.c.id).where(models.contents.c.kind == "name")
        )
    )
    return in_store(lambda db: {row.language: row.text for row in db.execute(statement)})  # type: ignore[no-any-return]


def in_store(work: Any) -> Any:
    database = Database(cli.read_settings().database_url)
    try:
        return database.run_now(work)
    finally:
        database.close()


# Use


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(command: str, flag: str, shell: Shell) -> None:
    ended = shell(*filter(None, (command, flag)))
    assert ended.code == 0
    assert f"linkline {command}".strip() in ended.out
    assert not ended.err


def test_help_lists_every_command(shell: Shell) -> None:
    assert sorted(cli.cli.commands) == COMMANDS
    shown = shell("--help").out
    for name, command in cli.cli.commands.items():
        assert name in shown
        assert command.help


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["--no-such-option"],
        ["migrate", "surplus"],
        ["load"],
        ["load", "/no/such/file.yaml"],
        ["load", "/"],
        ["invite"],
        ["invite", "crafts", "--role", "queen"],
        ["invite", "crafts", "--uses", "0"],
        ["invite", "crafts", "--uses", "many"],
        ["invite", "crafts", "--days", "367"],
        ["run", "--port", "80"],
    ],
    ids=" ".join,
)
def test_wrong_use(words: list[str], fresh: Shell) -> None:
    ended = fresh(*words)
    assert ended.code == 2
    assert "Error: " in ended.err
    assert "Traceback" not in ended.err
    assert not ended.out


@pytest.mark.parametrize(
    "words",
    [
        [each]
        for each in COMMANDS
        if each
        not in ("content", "load", "invite", "keys", "whatsapp", "restore", "stories", "why")
    ]
    + [["invite", "x"], ["keys", "rotate"], ["whatsapp", "templates"], ["whatsapp", "reconcile"]]
    + [["why", "m1"], ["content", "coverage"], ["stories", "export", "out.xlsx"]],
)
def test_wrong_settings(words: list[str], shell: Shell) -> None:
    shell.set(PORT="many")
    assert "PORT is not usable" in shell.fails(*words)


@pytest.mark.parametrize(
    "words",
    [["web"], ["worker"], ["invite", "crafts"], ["load", str(cli.DEMO)], ["keys", "rotate"]],
)
def test_a_store_without_tables(words: list[str], fresh: Shell) -> None:
    assert "linkline migrate" in fresh.fails(*words)


@pytest.mark.parametrize("words", [["web"], ["invite", "crafts"], ["load", str(cli.DEMO)]])
def test_a_postgresql_store_without_tables(words: list[str], shell: Shell, postgresql: str) -> None:
    shell.set(DATABASE_URL=postgresql)
    assert "linkline migrate" in shell.fails(*words)


@pytest.mark.parametrize(
    "words", [["web"], ["worker"], ["invite", "x"], ["load", str(cli.DEMO)], ["keys", "rotate"]]
)
def test_a_store_that_does_not_answer(words: list[str], shell: Shell) -> None:
    shell.set(DATABASE_URL=NOWHERE)
    line = shell.fails(*words)
    assert "DATABASE_URL" in line
    assert "geheim" not in line


@pytest.mark.parametrize("words", [["migrate"], ["run"]])
def test_migrating_a_store_that_does_not_answer(words: list[str], shell: Shell) -> None:
    shell.set(DATABASE_URL=NOWHERE)
    assert "DATABASE_URL" in shell.fails(*words)


@pytest.mark.parametrize("words", [["migrate"], ["web"], ["invite", "x"]])
def test_a_file_that_is_no_store(words: list[str], shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear all, " * 500, encoding="utf-8")
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'letter.db'}")
    assert "DATABASE_URL" in shell.fails(*words)


def test_a_folder_that_cannot_be_made(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'file' / 'x.db'}")
    assert "DATABASE_URL" in shell.fails("migrate")


@pytest.mark.parametrize(
    "words",
    [["web"], ["worker"], ["invite", "crafts"], ["load", str(cli.DEMO)], ["keys", "rotate"]],
)
def test_foreign_keys(words: list[str], ready: Shell) -> None:
    ready.set(LINKLINE_KEYS=seals.new_key())
    assert "LINKLINE_KEYS do not fit this store" in ready.fails(*words)


def test_a_damaged_kept_key(ready: Shell, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("damaged", encoding="ascii")
    assert "key" in ready.fails("invite", "crafts")


# migrate


def test_migrate_twice(fresh: Shell) -> None:
    for _ in range(2):
        ended = fresh("migrate")
        assert (ended.code, ended.out) == (0, "The store is up to date.\n")
    assert in_store(communities.list_slugs) == []


def test_migrating_a_store_from_the_future(ready: Shell) -> None:
    in_store(lambda db: db.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    ready.fails("migrate")


# load


def test_load(ready: Shell) -> None:
    ended = ready("load", str(cli.DEMO))
    assert (ended.code, ended.out) == (0, "Loaded 1 communities, 0 facilitators.\n")
    assert in_store(communities.list_slugs) == ["crafts"]


def test_load_a_wrong_file(fresh: Shell, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("programme: {slug: a}\n", encoding="utf-8")
    assert "wrong.yaml, line 1, programme.names" in fresh.fails(
        "load", str(tmp_path / "wrong.yaml")
    )


def test_no_demo_members_in_production(ready: Shell) -> None:
    before = in_store(lambda db: db.execute(select(func.count(models.members.c.id))).scalar())
    ready.set(LINKLINE_ENV="production", LINKLINE_KEYS=seals.new_key())
    assert "demo_members are for development only" in ready.fails("load", str(cli.DEMO))
    assert before == 3


# invite


def test_invite(ready: Shell) -> None:
    ended = ready("invite", "crafts", "--uses", "7", "--days", "3")
    assert ended.code == 0
    assert " (member, 7 uses, 3 days)" in ended.out
    assert invites.find_code(ended.out) is not None
    row = in_store(lambda db: db.execute(select(models.invites)).one())
    assert (row.role, row.uses, row.used, row.code) == (
        "member",
        7,
        0,
        invites.find_code(ended.out),
    )


@pytest.mark.parametrize(("role", "uses"), [("member", 30), ("facilitator", 1)])
def test_invite_as_json(role: str, uses: int, ready: Shell) -> None:
    ended = ready("invite", "crafts", "--role", role, "--json")
    found = json.loads(ended.out)
    code = found.pop("code")
    assert found == {"role": role, "uses": uses, "days": 30}
    assert code == invites.find_code(code)


def providers(shell: Shell) -> None:
    """Both are set up, and Telegram answers."""

    async def answer(*_: Any, **__: Any) -> tuple[int, bytes]:
        me = {"id": 123456, "is_bot": True, "first_name": "L", "username": "linkline_bot"}
        return 200, json.dumps({"ok": True, "result": me}).encode()

    shell.monkeypatch.setattr("bot.channels.telegram.Transport.do_request", answer)
    shell.set(**TWILIO, TELEGRAM_BOT_TOKEN="123456:ABC-DEF", TELEGRAM_WEBHOOK_SECRET="word")


def test_invite_links(ready: Shell) -> None:
    providers(ready)
    found = json.loads(ready("invite", "crafts", "--json").out)
    assert set(found) == {"code", "role", "uses", "days", "telegram", "whatsapp"}
    assert found["telegram"] == f"https://t.me/linkline_bot?start={found['code']}"
    assert found["whatsapp"] == f"https://wa.me/14155238886?text={found['code']}"


def test_invite_gives_words_to_send_on(ready: Shell) -> None:
    """First what is for her own eyes, then what she sends on, with the name in each language."""
    providers(ready)
    head, words = ready("invite", "crafts").out.split("To send on:\n")
    assert [line.partition(":")[0] for line in head.splitlines()] == [
        "Code",
        "telegram",
        "whatsapp",
    ]
    *languages, telegram, whatsapp = words.strip().split("\n\n")
    assert len(languages) == 3
    assert names_in_store()["en"] in languages[0]
    code = invites.find_code(head)
    assert telegram == f"https://t.me/linkline_bot?start={code}"
    assert whatsapp == f"https://wa.me/14155238886?text={code}"


def test_words_for_a_discreet_community_do_not_name_it(ready: Shell) -> None:
    providers(ready)
    quiet = update(models.communities).values(discreet=True)
    in_store(lambda db: db.execute(quiet))
    words = ready("invite", "crafts").out.split("To send on:\n")[1]
    assert "Here is the link we talked about:" in words
    assert not [
        name for name in [*names_in_store().values(), "crafts", "organisation"] if name in words
    ]


@pytest.mark.parametrize("role", ["facilitator", "focal_point"])
def test_other_roles_have_no_words_to_send_on(role: str, ready: Shell) -> None:
    ended = ready("invite", "crafts", "--role", role)
    assert ended.code == 0
    assert f" ({role}, 1 uses, 30 days)" in ended.out
    assert "To send on" not in ended.out
    row = in_store(lambda db: db.execute(select(models.invites)).one())
    assert (row.role, row.uses) == (role, 1)


def test_invite_with_pictures(ready: Shell, tmp_path: Path) -> None:
    """Each says the link of its app; no decoder is at hand, so they are drawn once more."""
    providers(ready)
    folder = tmp_path / "not" / "there" / "yet"
    found = json.loads(ready("invite", "crafts", "--qr", str(folder), "--json").out)
    assert sorted(path.name for path in folder.iterdir()) == ["telegram.png", "whatsapp.png"]
    for name in ("telegram", "whatsapp"):
        drawn = (folder / f"{name}.png").read_bytes()
        assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
        assert drawn == qr.png(found[name])
    assert qr.png(found["telegram"]) != qr.png(found["whatsapp"])


def test_pictures_where_nothing_can_be_written(ready: Shell, tmp_path: Path) -> None:
    """One line, and no code that nobody has seen."""
    providers(ready)
    (tmp_path / "file").touch()
    ended = ready("invite", "crafts", "--qr", str(tmp_path / "file"))
    assert ended.code in (1, 2)
    assert "file" in ended.err
    assert "Traceback" not in ended.err
    assert in_store(lambda db: db.execute(select(models.invites)).first()) is None


# invite --end


def given(ready: Shell) -> str:
    code: str = json.loads(ready("invite", "crafts", "--json").out)["code"]
    return code


@pytest.mark.parametrize("typed", [str, str.lower, lambda code: code.replace("-", "")])
def test_end_an_invite(typed: Callable[[str], str], ready: Shell) -> None:
    code, other = given(ready), given(ready)
    ended = ready("invite", "crafts", "--end", typed(code))
    assert ended == Ended(0, "Ended: nobody else comes in with this code.\n", "")
    assert in_store(lambda db: invites.find(db, code, clock.now())) is None
    assert in_store(lambda db: invites.find(db, other, clock.now())) is not None
    again = ready("invite", "crafts", "--end", typed(code))
    assert again.code == 2
    assert "there is no such code for crafts, or it has ended already" in again.err
    assert "Traceback" not in again.err
    assert not again.out


@pytest.mark.parametrize("wrong", ["ABCD-EFGH", "", "x", "' OR 1=1", "ຂ"])
def test_end_a_code_that_is_none(wrong: str, ready: Shell) -> None:
    code = given(ready)
    ended = ready("invite", "crafts", "--end", wrong)
    assert ended.code == 2
    assert "there is no such code for crafts" in ended.err
    assert in_store(lambda db: invites.find(db, code, clock.now())) is not None


def test_end_a_code_of_another_community(ready: Shell, tmp_path: Path) -> None:
    code = given(ready)
    more = cli.DEMO.read_text(encoding="utf-8").replace("slug: crafts", "slug: weaving")
    found = yaml.safe_load(more)
    found.pop("demo_members", None)
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(found), encoding="utf-8")
    assert ready("load", str(tmp_path / "more.yaml")).code == 0
    ended = ready("invite", "weaving", "--end", code)
    assert ended.code == 2
    assert "there is no such code for weaving" in ended.err
    unknown = ready("invite", "nowhere", "--end", code)
    assert unknown.code == 2
    assert "there is no community nowhere" in unknown.err
    assert in_store(lambda db: invites.find(db, code, clock.now())) is not None


def test_a_community_that_has_ended_has_no_invites(ready: Shell) -> None:
    code = given(ready)
    over = update(models.communities).values(ended_at=clock.now())
    in_store(lambda db: db.execute(over))
    ended = ready("invite", "crafts")
    assert ended.code == 2
    assert "there is no community crafts; there are: none; load a programme first" in ended.err
    assert not ended.out
    assert in_store(lambda db: db.execute(select(func.count(models.invites.c.id))).scalar()) == 1
    assert in_store(lambda db: invites.find(db, code, clock.now())) is None


def test_invite_without_telegram(ready: Shell) -> None:
    """Telegram is away: the code is there all the same."""
    ready.set(TELEGRAM_BOT_TOKEN="123456:ABC-DEF", TELEGRAM_API_URL="http://127.0.0.1:1")
    ended = ready("invite", "crafts", "--json")
    assert ended.code == 0
    assert set(json.loads(ended.out)) == {"code", "role", "uses", "days"}


def test_invite_for_an_unknown_community(ready: Shell) -> None:
    ended = ready("invite", "weaving")
    assert ended.code == 2
    assert "there is no community weaving; there are: crafts" in ended.err
    assert in_store(lambda db: db.execute(select(models.invites)).first()) is None


def test_invite_without_a_programme(fresh: Shell) -> None:
    fresh("migrate")
    ended = fresh("invite", "crafts")
    assert ended.code == 2
    assert "load a programme first" in ended.err


# doctor


def test_doctor_makes_keys(shell: Shell) -> None:
    shell.set(PORT="many")  # it needs no settings for that
    made = {shell("doctor", "--new-key").out.strip() for _ in range(3)}
    assert len(made) == 3
    for key in made:
        seals.Keyring([key])


def test_doctor_on_no_store(fresh: Shell) -> None:
    ended = fresh("doctor")
    assert ended.code == 1
    assert "FAIL  store: SQLite; tables are not up to date, run `linkline migrate`" in ended.out
    assert not ended.err


def test_doctor_on_an_empty_store(fresh: Shell) -> None:
    fresh("migrate")
    ended = fresh("doctor")
    assert ended.code == 1
    assert "ok    store: SQLite, up to date" in ended.out
    assert "FAIL  communities: no community yet; run `linkline load FILE.yaml`" in ended.out


def test_doctor_on_a_good_store(ready: Shell) -> None:
    ended = ready("doctor")
    assert ended.code == 0, ended.out
    assert "ok    communities: crafts" in ended.out
    for language in ("lo", "km"):
        assert f"ok    catalogue {language}: read" in ended.out
    assert "FAIL" not in ended.out
    assert "No provider is set up yet" in ended.out


def test_doctor_on_a_store_that_does_not_answer(shell: Shell) -> None:
    shell.set(DATABASE_URL=NOWHERE)
    ended = shell("doctor")
    assert ended.code == 1
    assert "FAIL  store: PostgreSQL does not answer" in ended.out
    assert "geheim" not in ended.out + ended.err


def test_doctor_with_foreign_keys(ready: Shell) -> None:
    ready.set(LINKLINE_KEYS=seals.new_key())
    ended = ready("doctor")
    assert ended.code == 1
    assert "FAIL  LINKLINE_KEYS are not the keys of this store" in ended.out


def test_doctor_with_providers_that_are_away(ready: Shell) -> None:
    away = "http://127.0.0.1:1"
    secrets = {"TELEGRAM_BOT_TOKEN": "123456:ABC-DEF", "TELEGRAM_WEBHOOK_SECRET": "hidden-word"}
    ready.set(**TWILIO, **secrets, TELEGRAM_API_URL=away, TWILIO_API_URL=away)
    ended = ready("doctor")
    assert ended.code == 1
    assert "FAIL  Telegram: TELEGRAM_BOT_TOKEN is refused" in ended.out
    assert "FAIL  WhatsApp: Twilio refuses TWILIO_AUTH_TOKEN" in ended.out
    assert ended.out.count("https://bot.example.org/webhooks/whatsapp#rc=5&rp=all") == 2
    for secret in ("ABC-DEF", "hidden-word", "an-auth-token", "0a0a"):
        assert secret not in ended.out + ended.err


# run, web, worker


def test_run_sets_everything_up(fresh: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[bool] = []
    monkeypatch.setattr(serve, "_serve", lambda _settings, work: served.append(work))
    for _ in range(2):
        assert fresh("run").code == 0
    assert in_store(communities.list_slugs) == ["crafts"]
    assert served == [True, True]


def test_run_in_production_loads_no_demo(fresh: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_serve", lambda _settings, work: None)
    fresh.set(LINKLINE_ENV="production", LINKLINE_KEYS=seals.new_key())
    assert fresh("run").code == 0
    assert in_store(communities.list_slugs) == []


def test_web_does_not_send(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[bool] = []
    monkeypatch.setattr(serve, "_serve", lambda _settings, work: served.append(work))
    assert ready("web").code == 0
    assert served == [False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_stops_when_told(
    number: signal.Signals, ready: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened: list[App] = []

    def listen(self: App) -> None:
        """By now the worker hears signals."""
        listened.append(self)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(App, "start_listening", listen)
    ended = ready("worker")
    assert ended.code == 0
    assert ended.out.startswith("Linkline worker is at work.")
    assert len(listened) == 1


def test_the_store_is_opened_only_with_its_keys(ready: Shell) -> None:
    """What a command writes can be read by the next one, and by nobody else."""
    ready("invite", "crafts")
    sealed = in_store(lambda db: db.execute(text("SELECT code FROM invites")).scalar())
    seals.use(seals.Keyring(cli.read_settings().keys()))
    in_store(open_store)
    assert "-" in seals.keyring().open(bytes(sealed), "invites.code")
    with pytest.raises(seals.SealError):
        seals.Keyring([seals.new_key()]).open(bytes(sealed), "invites.code")
