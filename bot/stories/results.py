"""What came of a round: told to the communities, and to each teller whose story was in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, Text, _
from bot.roles import TAKING_PART
from bot.store import consents, rounds, voices
from bot.store.audiences import Audience
from bot.store.rounds import Candidate, Round
from bot.store.voices import Reason
from bot.telling import tell

FEW = 5  # of fewer choosers no numbers are told, and nobody is named beside a reason
SHOWN = 3  # reasons in one message; the others can be read


def publish(db: Connection, now: datetime, found: Round) -> None:
    """Only of stories that may still be read there."""
    every = rounds.list_candidates(db, found, standing=False)
    chosen = [each for each in every if each.chosen]
    if not chosen:
        _tell(db, now, found, _over(found), f"round/{found.id}/over", ())
    for each in chosen:
        told = _result(db, found, each, every)
        _tell(db, now, found, told, f"round/{found.id}/of/{each.id}", (each.teller_id,))
    for each in every:
        message = _for_teller(db, found, each, has_result=bool(chosen))
        key = f"round/{found.id}/teller/{each.id}"
        tell(db, now, key, Audience("member", each.teller_id), message, kind="session")


def _tell(
    db: Connection,
    now: datetime,
    found: Round,
    message: Message,
    key: str,
    but: tuple[int, ...],
) -> None:
    """To all its communities; who is in several of them hears it in the first one."""
    places = rounds.list_places(db, found.id)
    for number, place_id in enumerate(places):
        before = rounds.list_members(db, places[:number], TAKING_PART)
        audience = Audience("community", place_id, but=(*but, *before))
        one = f"{key}/{place_id}"
        tell(db, now, one, audience, message, kind="session", community_id=place_id)


def _over(found: Round) -> Message:
    return Message(
        (
            _(
                "The round of stories in {place} is over. Thank you to all who told, read and "
                "chose!",
                place=found.place,
            ),
        )
    )


def _result(db: Connection, found: Round, chosen: Candidate, every: Sequence[Candidate]) -> Message:
    """It belongs to the consent: without that it is not said any more."""
    consent = consents.find(db, chosen.story_id, found.use)
    said = [
        _("The round of stories in {place} is over.", place=found.place),
        _("Chosen: story {number}.", number=chosen.story_id),
    ]
    voiced = [each.voices for each in every if each.voices is not None]
    if chosen.voices is not None and sum(voiced) >= FEW:  # others may have left since
        said.append(
            _("{n} of {every} chose it.", n=chosen.voices, every=sum(voiced)),
        )
    return Message(
        (*said, *why(db, chosen)),
        (
            Choice(f"selection.read:{chosen.id}", _("Read it")),
            *_more(db, chosen),
        ),
        subject=None if consent is None else consent.ref,
    )


def _for_teller(db: Connection, found: Round, candidate: Candidate, *, has_result: bool) -> Message:
    about: dict[str, object] = {"number": candidate.story_id, "place": found.place}
    first = _(
        "Your story {number} was read in {place}; this time another one was chosen. "
        "Thank you for telling it!",
        **about,
    )
    if candidate.chosen:
        first = _("Your story {number} was chosen in {place}. Thank you for telling it!", **about)
    if not has_result:
        first = _("Your story {number} was read in {place}. Thank you for telling it!", **about)
    return Message((first, *why(db, candidate)), tuple(_more(db, candidate)))


def why(db: Connection, candidate: Candidate) -> list[Text]:
    """Some of the reasons, with a name where that was wished."""
    found = voices.list_reasons(db, candidate.id, SHOWN)
    return [_("Why others chose it:"), *said(found)] if found else []


def _more(db: Connection, candidate: Candidate) -> list[Choice]:
    if len(voices.list_reasons(db, candidate.id, SHOWN + 1)) <= SHOWN:
        return []
    return [Choice(f"selection.why:{candidate.id}", _("All reasons"))]


def said(found: Sequence[Reason]) -> list[Text]:
    return [
        _("{post}", post=each.ref)
        if each.author_id is None
        else _("{name}: {post}", name=Ref("members", each.author_id), post=each.ref)
        for each in found
    ]
