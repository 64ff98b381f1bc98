"""Group chats: one polite sentence, once; nothing of a group is read or kept."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.i18n import languages
from bot.messages import Text, _
from bot.turn import Turn

groups = Conversation("groups")


@groups.on("group")
def once(turn: Turn) -> None:
    if turn.sender.last_inbound_at is None:
        sentence = _("Hello! I work in private chats only. Please write to me there.")
        turn.say(*(Text(sentence.msgid, language=code) for code in languages()))
