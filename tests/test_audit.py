"""The audit: every act of a role leaves a line, without words; nobody changes one."""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bot import clock, models
from bot.cli.audit import HEAD, _line
from bot.store import audit
from tests.stage import Stage
from tests.test_facilitators import programme, staged, wait_outside
from tests.test_house import MODULES
from tests.test_roles import _id_of


def actions(stage: Stage) -> list[str]:
    def work(db: Any) -> list[str]:
        return list(db.execute(select(models.audit.c.action).order_by(models.audit.c.id)).scalars())

    return stage.app.database.run_now(work)


def test_what_facilitators_do_leaves_lines(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await wait_outside(stage, ["Dara", "Kham"])
        await stage.choose("Alex", "Welcome all 2")
        await wait_outside(stage, ["Bopha"])
        await stage.choose("Mali", "Not this time")
        await stage.say("Alex", "invite")
        await stage.choose("Alex", "End it")
        await stage.say("Alex", "announce")
        await stage.say("Alex", "We meet on Friday.")
        await stage.choose("Alex", "Send")
        await stage.choose("Alex", "Undo")
        await stage.say("Alex", "figures")
        await stage.say("Alex", "facilitate")
        for words in ("Share the work", "=Noy", "Host", "For a month"):
            if words.startswith("="):
                await stage.say("Alex", words[1:])
            else:
                await stage.choose("Alex", words)
        await stage.choose("Noy", "I will")
        await stage.say("Noy", "my roles")
        await stage.choose("Noy", "Hand it back")
        await stage.choose("Noy", "Hand it back")
        await stage.say("Alex", "new number")
        await stage.say("Alex", "Noy")
        assert actions(stage) == [
            "admit",
            "admit",
            "decline",
            "invite.end",
            "announce",
            "announce.undo",
            "figures",
            "role.offered host",
            "role.given host",
            "role.handed_back host",
            "vouch",
        ]

    staged(database_url, play, approval=True)


def test_the_programme_file_leaves_a_line_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        kea = stage.add("Kea", "telegram", "en")
        for _again in range(2):
            stage.load(programme(monitors=[kea.address]))
        assert actions(stage) == ["role.named monitor"]

    staged(database_url, play)


def test_what_is_refused_leaves_none(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for words in ("announce", "invite", "figures", "administer", "concerns"):
            await stage.say("Noy", words)
        assert actions(stage) == []

    staged(database_url, play)


def test_what_the_operator_reads(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Alex", "invite")
        database = stage.app.database
        since = clock.now() - timedelta(days=1)
        alex = database.run_now(lambda db: _id_of(db, stage, "Alex"))
        [line] = database.run_now(lambda db: audit.list_lines(db, since))
        assert len(_line(line).split("\t")) == len(HEAD.split("\t"))
        assert f"\tmember {alex}\tinvite.member\tweavers\t" in _line(line)
        assert "Alex" not in _line(line)
        for slug, count in (("weavers", 1), ("elsewhere", 0)):
            lines = database.run_now(lambda db, s=slug: audit.list_lines(db, since, s))
            assert len(lines) == count

    staged(database_url, play)


def test_no_code_changes_a_line() -> None:
    """Only the retention job deletes, through this one function; nothing updates."""
    found = {
        f"{module.name}.{function.name}"
        for module in MODULES
        if not module.name.startswith("bot.models")
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _changes_audit(call)
    }
    assert found == {"bot.store.retention.forget_audit"}
    callers = {
        module.name
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "forget_audit"
    }
    assert callers == {"bot.upkeep"}


READS = ("select", "insert", "outerjoin", "join")


def _changes_audit(call: ast.Call) -> bool:
    """The table goes into anything but reading and adding, or into words of SQL."""
    name = ast.unparse(call.func).rpartition(".")[2]
    given = [ast.unparse(each) for each in call.args]
    if ast.unparse(call.func).endswith(("audit.update", "audit.delete")):
        return True
    if name == "text":
        words = " ".join(given).casefold()
        return "audit" in words and ("update" in words or "delete" in words)
    return name not in READS and any(each in ("audit", "models.audit") for each in given)
