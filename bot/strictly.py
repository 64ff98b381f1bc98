"""Strictly: YAML whose odd values are refused with their line, like all that is no YAML."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import ConstructorError

# What a date that is in no calendar, a number without digits and their like raise.
_ODD = (ValueError, KeyError, AttributeError, IndexError, OverflowError)


class _Loader(yaml.SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except _ODD:
            problem = "this is no value of its kind"
            raise ConstructorError(None, None, problem, node.start_mark) from None


def load(text: str) -> Any:
    """Raises yaml.YAMLError, with its mark where there is one."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - safe: a SafeLoader
