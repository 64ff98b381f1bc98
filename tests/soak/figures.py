"""Four numbers a part: lost, repeated, unexpected, recovered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """What one part came to on one database. Only `recovered` may be other than none."""

    part: str
    store: str
    seed: int
    what: str = ""  # how much was done
    lost: int = 0
    repeated: int = 0  # beyond what the promise allows
    unexpected: int = 0
    recovered: int = 0
    allowed: int = 0  # repeats on Telegram, which has no way to ask, within the promise
    notes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # what is behind the numbers

    def unexpect(self, what: str, count: int = 1) -> None:
        if count:
            self.unexpected += count
            self.wrong.append(what)

    def lose(self, what: str, count: int = 1) -> None:
        if count:
            self.lost += count
            self.wrong.append(what)

    def repeat(self, what: str, count: int = 1) -> None:
        if count:
            self.repeated += count
            self.wrong.append(what)

    @property
    def fine(self) -> bool:
        return not (self.lost or self.repeated or self.unexpected)

    def told(self) -> str:
        lines = [
            f"({self.part}) {self.store}, seed {self.seed}: {self.what}",
            f"    lost {self.lost}, repeated {self.repeated}, unexpected {self.unexpected},"
            f" recovered {self.recovered}",
        ]
        lines += [f"    {note}" for note in self.notes]
        wrong = Counter(self.wrong).most_common(20)
        lines += [f"    WRONG: {each} ({count} times)" for each, count in wrong]
        return "\n".join(lines)

    def row(self, commit: str) -> str:
        """Its line in README's table."""
        return (
            f"| ({self.part}) {self.what} | {self.store} | {self.lost} | {self.repeated} |"
            f" {self.unexpected} | {self.recovered} | {self.seed} | `{commit}` |"
        )
