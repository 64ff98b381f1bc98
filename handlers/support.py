"""Get help now: whom to call, in her country, without asking anybody."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.hearing import learn_language
from bot.i18n import country_of
from bot.messages import N_, Choice, Ref, Text, _
from bot.store import communities, programmes
from bot.turn import Turn

support = Conversation("support", words=N_("get help now, help now, emergency"), anywhere=True)


@support.start
def start(turn: Turn) -> None:
    learn_language(turn.db, turn.member, turn.inbound)
    show(turn)


@support.action
def show(turn: Turn) -> None:
    """The contacts of her own country first; if we know none there, all we know."""
    contacts = programmes.list_help(turn.db)
    places = communities.list_of(turn.db, turn.member.id)
    mine = {country_of(each.community.timezone) for each in places}
    near = [id_ for id_, country in contacts if country in mine]
    lines: list[Text] = [
        _("{contact}", contact=Ref("help_contacts", id_))
        for id_ in near or [id_ for id_, _country in contacts]
    ]
    tell = (Choice("report.start", _("Report a concern")),)
    if not lines:
        return turn.say(
            _("I know no place to call yet. Please ask somebody you trust."), choices=tell
        )
    turn.say(_("You can get help here now:"), *lines, choices=tell)
