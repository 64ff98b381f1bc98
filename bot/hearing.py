"""The language of somebody who has not chosen one yet, from what she writes or from her app."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.i18n import SOURCE, guess_language, negotiate
from bot.messages import Inbound
from bot.store import members
from bot.store.meeting import Member


def learn_language(db: Connection, member: Member, inbound: Inbound) -> None:
    """Her script tells more than her app, which often speaks English; she may change it later."""
    if member.language is None:
        found = guess_language(inbound.text) or negotiate(inbound.language)
        if found not in (None, SOURCE):
            members.mark(db, member.id, language=found)
