"""What my data says of how long something is kept, and of who may read it."""

from __future__ import annotations

from bot.messages import Text, _
from bot.store.programmes import Retention
from bot.store.retention import ANSWERS_LAST, PLACES_LAST

SERVICES = "Telegram, WhatsApp, Twilio"


def kept(retention: Retention) -> list[Text]:
    return [
        _("What came, as it came: {n} days.", n=retention.raw_inbound),
        _("What you began and did not finish: {n} days.", n=retention.unfinished_conversations),
        _(
            "That a question without a name was yours: until {n} days after it was closed, "
            "a year at most.",
            n=retention.sealed_links,
        ),
        _("Who did what as a facilitator: {n} days, without any words.", n=retention.audit),
        _("Where a session was: {n} days after it.", n=PLACES_LAST.days),
        _("What you answered to a session: {n} days after it.", n=ANSWERS_LAST.days),
        _("All else: until you write FORGET ME."),
    ]


def readers() -> list[Text]:
    return [
        _("Your groups read the name you gave, and what you wrote to them."),
        _("Who holds a session reads who comes to it, and what you need to take part."),
        _("No member sees your number. No facilitator sees who asked without a name."),
        _("Focal points read what was reported or referred to them, and nobody else does."),
        _("Whoever runs the server holds the keys of the store, and may open it only to mend "
          "something."),
        _("{services} see what passes through them: your number and your messages.",
          services=SERVICES),
    ]  # fmt: skip
