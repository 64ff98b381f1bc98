"""Language: everything that comes later is in the one she chose."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.i18n import languages, own_name
from bot.messages import N_, Choice, Text, _
from bot.store import members
from bot.turn import Turn

language = Conversation(
    "language",
    command="language",
    about=_("Lao, Khmer or English"),
    words=N_("language, change language"),
)


@language.start
def start(turn: Turn) -> None:
    turn.ask(
        _("Which language would you like?"),
        choices=[Choice(code, Text(own_name(code))) for code in languages()],
        then=chosen,
    )


@language.step
def chosen(turn: Turn) -> None:
    members.mark(turn.db, turn.member.id, language=turn.choice)
    turn.refresh_commands()
    # NOTE: name your own language here, and use your own word for LANGUAGE
    turn.say(_("From now on I write English. Write LANGUAGE to change it again."))
