"""Calendar: a session for the calendar of her phone, as a file and as a link."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Ref, Text, _
from bot.sessions import calendars
from bot.store import appointments, sessions
from bot.store.sessions import CANCELLED
from bot.turn import Turn

calendar = Conversation("calendar")


@calendar.action
def send(turn: Turn) -> None:
    """The newest version; a calendar that has an older one puts it in its place."""
    session = sessions.find_for(turn.db, turn.argument, turn.member.id)
    if session is None:
        return turn.say(_("This session is not there any more, so there is nothing to put down."))
    if session.state != CANCELLED and session.ends_at <= turn.now:
        return turn.say(_("This session is over, so there is nothing to put down any more."))
    discreet = turn.member.discreet or appointments.is_discreet(turn.db, session.id)
    public_url = turn.conversations.public_url
    link = calendars.link(public_url, session, turn.language, discreet=discreet)
    if link is None or not turn.limits[turn.inbound.lane].fetches:
        # A provider that fetches files takes none of calendars.
        turn.say(_file_words(session.state), file=Ref(calendars.TABLE, session.id))
    if link is not None:
        turn.say(_link_words(session.state), _("{link}", link=link))


def _file_words(state: str) -> Text:
    if state == CANCELLED:
        return _("It was cancelled. Open this file, and it leaves your calendar.")
    return _("Open this file to put it into your calendar. If the hour changes, do it again.")


def _link_words(state: str) -> Text:
    if state == CANCELLED:
        return _("It was cancelled. Open this link, and it leaves your calendar:")
    return _("With this link it comes into your calendar. If the hour changes, open it again:")
