"""Time zone: that of her community, until she chooses another."""

from __future__ import annotations

from bot import digests, typed
from bot.conversation import Conversation
from bot.i18n import country_name, place_of
from bot.messages import N_, Choice, _
from bot.offers import CANCEL
from bot.sessions import reminding
from bot.store import communities, members, presence
from bot.turn import Turn

zone = Conversation("zone", words=N_("timezone, time zone"))

NEAR = {
    "Asia/Vientiane": "LA",
    "Asia/Phnom_Penh": "KH",
    "Asia/Bangkok": "TH",
    "Asia/Ho_Chi_Minh": "VN",
    "Asia/Yangon": "MM",
    "Asia/Manila": "PH",
}
EXAMPLE = "UTC+7"


@zone.start
def start(turn: Turn) -> None:
    found = presence.get(turn.db, turn.member.id)
    places = {each: country_name(code, turn.language) for each, code in NEAR.items()}
    for each in communities.list_of(turn.db, turn.member.id):
        there = each.community.timezone
        places.setdefault(there, place_of(there, turn.language))
    turn.ask(
        _(
            "Your time zone is {place}. Where are you? Choose, "
            "or write a city, or the difference, like {example}.",
            example=EXAMPLE,
            place=place_of(found.timezone, turn.language),
        ),
        choices=[
            *(Choice(f"zone:{each}", _("{place}", place=place)) for each, place in places.items()),
            CANCEL,
        ],
        then=chosen,
        free=True,
    )


@zone.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    wanted = turn.chosen if turn.choice else typed.timezone(turn.text)
    if wanted is None:
        return turn.again(
            _(
                "I do not know that place. Please write a larger city near you, or {example}.",
                example=EXAMPLE,
            )
        )
    members.mark(turn.db, turn.member.id, timezone=wanted)
    digests.look_again(turn.db, turn.member.id, turn.now)
    reminding.look_soon(turn.db, turn.member.id, turn.now)
    turn.say(
        _(
            "Your time zone is {place} now. There it is {at}.",
            place=place_of(wanted, turn.language),
            at=turn.now,
        ),
        choices=(Choice("zone.start", _("Change it again")),),
    )
