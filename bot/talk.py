"""Where somebody is in a talk, as it is stored between two of her messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Talk:
    """Where somebody is: the step that waits, its data, and the talk it interrupted."""

    step: str
    data: dict[str, Any]  # JSON scalars and ids; the rest is read fresh
    message_id: int | None = None  # as it was asked last; its choices are taps of this talk
    question_id: int | None = None  # the plain question, without "please choose"
    free: bool = False  # the answer is free text, with no choices beside it
    beneath: Talk | None = None
    # recordings and pictures that came where something was to be chosen: inbox rows, which are
    # taken up when she has chosen
    kept: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "data": self.data,
            "message_id": self.message_id,
            "question_id": self.question_id,
            "free": self.free,
            "beneath": None if self.beneath is None else self.beneath.to_json(),
            "kept": list(self.kept),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Talk:
        beneath = stored.get("beneath")
        return cls(
            str(stored.get("step")),
            dict(stored.get("data") or {}),
            stored.get("message_id"),
            stored.get("question_id"),
            bool(stored.get("free")),
            None if beneath is None else cls.from_json(beneath),
            tuple(stored.get("kept") or ()),
        )


def unwound(talk: Talk | None, message_id: int) -> Talk | None:
    """The talk whose question this message was; talks above it are dropped."""
    while talk is not None and talk.message_id != message_id:
        talk = talk.beneath
    return talk
