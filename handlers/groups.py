"""Group chats: one polite sentence, once; nothing of a group is read or kept."""

from __future__ import annotations

from bot.conversation import Conversation, Turn
from bot.i18n import languages
from bot.messages import Text, _

groups = Conversation("groups")


@groups.on("group")
def once(turn: Turn) -> None:
    if turn.first:
        sentence = _("Hello! I work in private chats only. Please write to me there.")
        turn.say(*(Text(sentence.msgid, language=code) for code in languages()))
