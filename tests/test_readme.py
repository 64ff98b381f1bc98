"""What the README shows is what the tests run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.S)
SHOWN = re.compile(r"<!-- transcript: (\w+) -->\n```\n(.*?)```", re.S)


def test_transcripts_shown_are_transcripts_played() -> None:
    shown = SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    for name, words in shown:
        played = (ROOT / "tests" / "conversations" / f"{name}.txt").read_text(encoding="utf-8")
        assert words in played, f"{name}.txt says something else"


def test_files_shown_are_the_files() -> None:
    shown = FILES.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert shown
    for name, code in shown:
        assert code == (ROOT / name).read_text(encoding="utf-8"), name


def test_files_the_readme_points_to_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
