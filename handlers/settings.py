"""Settings: what is set now for her, and the ways to change it, in two levels."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.i18n import own_name, place_of
from bot.messages import N_, Choice, Ref, Text, _
from bot.pace import PACES, RHYTHMS
from bot.store import communities, members, presence
from bot.store.communities import Membership
from bot.store.presence import Presence
from bot.timing import FOR_GOOD, Hours, hours_of, shown
from bot.turn import Turn

settings = Conversation(
    "settings",
    command="settings",
    about=_("Language, name, how much, when"),
    words=N_("settings, my settings"),
)


@settings.start
def start(turn: Turn) -> None:
    found = presence.get(turn.db, turn.member.id)
    mine = communities.list_of(turn.db, turn.member.id)
    if turn.member.timezone is None and mine:  # what is shown is what counts
        members.mark(turn.db, turn.member.id, timezone=found.timezone)
    paused = found.paused_until is not None and found.paused_until > turn.now
    choices = [
        Choice("language.start", _("Language")),
        Choice("profile.name", _("Name")),
        Choice("settings.attention", _("How much, and when")),
        Choice("pause.end", _("End the pause")) if paused else Choice("pause.start", _("Pause")),
        Choice("settings.more", _("My apps and data")),
    ]
    if _names_organisation(mine):
        choices.insert(2, Choice("profile.organisation", _("Organisation")))
    turn.say(
        _("This is how it is set now:"),
        *_who(turn, found, mine),
        *_when(turn, found),
        *_how_much(mine),
        *_weekly(found, mine),
        choices=choices,
    )


def _names_organisation(mine: list[Membership]) -> bool:
    """In discreet communities nobody has one."""
    return not mine or not all(each.community.discreet for each in mine)


def _who(turn: Turn, found: Presence, mine: list[Membership]) -> list[Text]:
    name, language = Ref("members", turn.member.id), own_name(turn.language)
    if not _names_organisation(mine):
        return [_("Name: {name}\nLanguage: {language}", name=name, language=language)]
    organisation = Ref("organisations", turn.member.id) if found.organisation else _("none")
    return [
        _(
            "Name: {name}\nOrganisation: {organisation}\nLanguage: {language}",
            name=name,
            organisation=organisation,
            language=language,
        )
    ]


def _when(turn: Turn, found: Presence) -> list[Text]:
    hours: Hours = hours_of(found.quiet_from, found.quiet_until, found.timezone)
    said = [
        _(
            "Quiet hours: {hours}\nTime zone: {place}",
            hours=shown(hours) if hours[0] != hours[1] else _("none"),
            place=place_of(found.timezone, turn.language),
        )
    ]
    if found.paused_until is not None and found.paused_until > turn.now:
        until_then = _("Paused until {at}.", at=found.paused_until)
        for_good = found.paused_until >= FOR_GOOD
        said.append(_("Paused until you come back.") if for_good else until_then)
    return said


def _how_much(mine: list[Membership]) -> list[Text]:
    labels = communities.labels(mine)
    return [
        _("{community}: {pace}", community=labels[each.community.id], pace=PACES[each.pace])
        for each in mine
        if each.is_active
    ]


def _weekly(found: Presence, mine: list[Membership]) -> list[Text]:
    if not any(each.is_active for each in mine):
        return []
    return [_("Weekly: {rhythm}", rhythm=RHYTHMS[found.rhythm])]


@settings.action
def attention(turn: Turn) -> None:
    """How much she gets, and when."""
    mine = [each for each in communities.list_of(turn.db, turn.member.id) if each.is_active]
    choices = [
        Choice("hours.start", _("Quiet hours")),
        Choice("zone.start", _("Time zone")),
        Choice("discreet.start", _("Closed messages")),
        Choice("likes.start", _("Text, voice, photos")),
        Choice("lookback.start", _("A month ago")),
    ]
    if mine:
        choices.insert(0, Choice("pace.start", _("How much")))
        choices.insert(1, Choice("weekly.start", _("Weekly")))
    if any(each.pace != "muted" for each in mine):
        choices.append(Choice("mute.start", _("Mute a group")))
    if any(each.pace == "muted" for each in mine):
        choices.append(Choice("unmute.start", _("Unmute a group")))
    turn.say(_("What would you like to change?"), choices=choices)


@settings.action
def more(turn: Turn) -> None:
    """Her apps, what we hold on her, and the ways out."""
    turn.say(
        _("What would you like to change?"),
        choices=(
            Choice("phones.start", _("My apps")),
            Choice("secret.start", _("Secret word")),
            Choice("reflections.start", _("My reflections")),
            Choice("mydata.start", _("My data")),
            Choice("leave.start", _("Leave a group")),
            Choice("forget.start", _("Forget me")),
        ),
    )
