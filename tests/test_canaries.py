"""The canaries of the whole suite do sing: what a log must not hold is found in it."""

from __future__ import annotations

import logging

import pytest

from bot import logs
from tests.canaries import Canaries, Overheard, canaries


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> Overheard:
    found = Overheard()
    found.install(monkeypatch, None)
    return found


def test_a_leak_is_heard(overheard: Overheard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ALLOWED", logs.ALLOWED | {"text"})
    own = Canaries()
    own.person("Noy", "85620550000", "9001")
    own.words("ທ່ານນັບສິນຄ້າແນວໃດ?")
    own.words("cancel")
    for text in ("Noy says", "number ໘໕໖໒໐໕໕໐໐໐໐", "to=៩០០១", "ທ່ານນັບສິນຄ້າແນວໃດ?", "cancel"):
        logs.get("test").debug("event", text=text)
    assert own.found_in("\n".join(overheard.lines)) == {
        "Noy",
        "໘໕໖໒໐໕໕໐໐໐໐",
        "៩០០១",
        "ທ່ານນັບສິນຄ້າແນວໃດ?",
    }
    assert not own.found_in("Noyance 19001 seconds=0.90011")


def test_the_hour_of_a_line_is_nobodys(overheard: Overheard) -> None:
    logs.get("test").debug("event", reason="14:00")
    own = Canaries()
    own.words("14:00")
    assert overheard.lines == ["level=debug event=event reason=14:00"]
    assert own.found_in(overheard.lines[0]) == {"14:00"}


def test_libraries_are_heard_at_any_level(overheard: Overheard) -> None:
    canaries.person("Darazebra")
    for level in (logging.DEBUG, logging.INFO, logging.ERROR):
        try:
            raise ValueError("Darazebra")
        except ValueError:
            logging.getLogger("some.library").log(level, "to %s", "Darazebra", exc_info=True)
    assert len([each for each in overheard.lines if "some.library" in each]) == 3
    assert not canaries.found_in("\n".join(overheard.lines))
