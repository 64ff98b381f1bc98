"""Peers: what they answered to the weekly questions, in full, for whoever wants to read it."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _
from bot.store import responses, weekly
from bot.store.responses import Response
from bot.turn import Turn

LISTED = 5  # answers in one look

peers = Conversation("peers", words=N_("what peers said"))


@peers.start
def start(turn: Turn) -> None:
    """The last that was told to a group of hers."""
    last = responses.find_last_told(turn.db, turn.member.id)
    _show(turn, [] if last is None else _list(turn, last))


@peers.action
def read(turn: Turn) -> None:
    """[Read it all]: from the first one on."""
    _show(turn, _list(turn, turn.argument))


@peers.action
def more(turn: Turn) -> None:
    """After the one of the button."""
    last = responses.find_told(turn.db, turn.member.id, turn.argument)
    if last is None:
        return turn.start("myanswers.gone")
    _show(turn, _list(turn, last.said_id or 0, last))


def _list(turn: Turn, edition_id: int, after: Response | None = None) -> list[Response]:
    ids = weekly.list_together(turn.db, turn.member.id, edition_id)
    return responses.list_told(turn.db, turn.member.id, ids, LISTED + 1, after)


def _show(turn: Turn, found: list[Response]) -> None:
    if not found:
        return turn.say(_("There is nothing here that peers said lately."))
    shown, lines = found[:LISTED], list[Text]()
    for number, each in enumerate(shown):
        if each.content_id and (not number or each.edition_id != shown[number - 1].edition_id):
            lines.append(_("{question}", question=Ref("contents", each.content_id)))
        name = Ref("members", each.author_id or 0)
        lines.append(_("{name}: {post}", name=name, post=Ref("posts", each.id)))
    choices = [Choice(f"peers.more:{shown[-1].id}", _("Read on"))] if len(found) > LISTED else []
    turn.say(*lines, choices=choices)
