"""Rounds move on by themselves: voices are counted, checked, told, taken to the next level.

A tie is decided by a second, short choice; then by a facilitator, with a reason; and if nobody
decides, all that were ahead are chosen. Each step is said once: its key names the round.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, _, _n
from bot.scheduler import Counts, Progress, attempt
from bot.store import communities, consents, media, posts, rounds, voices
from bot.store.audiences import Audience
from bot.store.rounds import CHECKING, CLOSED, READING, TIE, WAITING, Candidate, Round
from bot.stories import results
from bot.stories.results import FEW
from bot.telling import tell
from bot.timing import coarse, zone
from bot.when import evenings

AGAIN = timedelta(hours=1)  # what failed is tried again
# Days, each until the evening of the last one:
SHORT = 2  # a second choice
CHECKED = 3  # so long a facilitator may ask back
DECIDED = 7  # so long a tie waits for a facilitator
ABOVE = 7  # the choice among what the communities chose


def look(db: Connection, now: datetime) -> Counts | Progress:
    """One that is due; each is a transaction of its own."""
    due = rounds.list_due(db, now, 1)
    if not due:
        return {}
    done = attempt(db, partial(_go_on, db, now, due[0]))
    if done is None:
        rounds.change(db, due[0], next_at=now + AGAIN)
    return Progress({done or "failed": 1}, then=look)


def _go_on(db: Connection, now: datetime, round_id: int) -> str:
    found = rounds.lock(db, round_id)
    if found is None or found.next_at is None or found.next_at > now:
        return "overtaken"
    if found.state == WAITING:
        return _open(db, now, found)
    if found.state == READING:
        return _count(db, now, found)
    if found.state == TIE:
        return choose(db, now, found, rounds.list_candidates(db, found))
    if found.state == CHECKING:
        return publish(db, now, found)
    rounds.change(db, found.id, next_at=None)
    return "still"


# Counting ---------------------------------------------------------------------------------------


def _count(db: Connection, now: datetime, found: Round) -> str:
    who = rounds.list_choosers(db, found.id, now)
    standing = rounds.list_candidates(db, found)
    counted = voices.count(db, found.id, who)
    voiced = {each.id: counted.get(each.id, 0) for each in standing}
    every = sum(voiced.values())
    _settle(db, now, found, who, names=every >= FEW)
    if every >= FEW:
        for id_, count in voiced.items():
            rounds.mark_candidate(db, id_, voices=count)
    ahead = [each for each in standing if every and voiced[each.id] == max(voiced.values())]
    if len(ahead) <= 1:
        return choose(db, now, found, ahead)
    return _decide(db, now, found, ahead) if found.again else _again(db, now, found, ahead)


def _settle(
    db: Connection, now: datetime, found: Round, who: Sequence[int], *, names: bool
) -> None:
    """From here on nobody knows who chose what; `names`: but of those who wished it.

    Of who takes part no more not even the reason stays.
    """
    given = voices.list_given(db, found.id)
    for each in given:
        if each.member_id in who:
            named = names and each.named
            keep_reason(db, now, each.candidate_id, each.post_id, each.member_id if named else None)
    voices.remove(db, [each.post_id for each in given])


def keep_reason(
    db: Connection, now: datetime, candidate_id: int, post_id: int, author_id: int | None
) -> None:
    """The same words in new rows; of nobody, recordings too, where there is no author."""
    hour = coarse(now)
    said = [
        (
            each.kind,
            each.text,
            each.media_id
            if author_id is not None
            else media.put_back(db, media.take_out(db, each.media_id), hour),
            each.forwarded,
        )
        for each in posts.list_bubbles(db, post_id)
    ]
    voices.add_reason(db, candidate_id, author_id, said, hour)


def _again(db: Connection, now: datetime, found: Round, ahead: Sequence[Candidate]) -> str:
    """Once more, among those that are ahead; what was counted so far is over."""
    _leave_standing(db, found, ahead)
    for each in rounds.list_candidates(db, found, standing=False):
        rounds.mark_candidate(db, each.id, voices=None)
    closes = _evening(db, now, found, SHORT)
    rounds.change(db, found.id, again=True, closes_at=closes, next_at=closes)
    message = Message(
        (
            _(
                "More than one story is ahead in {place}. Until {at}, please choose once more "
                "among them.",
                place=found.place,
                at=closes,
            ),
        ),
        (Choice(f"selection.show:{found.id}", _("Read the stories")),),
    )
    call(db, now, found, message, f"round/{found.id}/again", closes)
    return "again"


def _leave_standing(db: Connection, found: Round, ahead: Sequence[Candidate]) -> None:
    kept = {each.id for each in ahead}
    for each in rounds.list_candidates(db, found):
        if each.id not in kept:
            rounds.mark_candidate(db, each.id, stands=False)


def _decide(db: Connection, now: datetime, found: Round, ahead: Sequence[Candidate]) -> str:
    _leave_standing(db, found, ahead)
    until = _evening(db, now, found, DECIDED)
    rounds.change(db, found.id, state=TIE, next_at=until)
    message = Message(
        (
            _(
                "Again more than one story is ahead in {place}. Please decide, and say why. "
                "Otherwise all of them are chosen on {at}.",
                place=found.place,
                at=until,
            ),
        ),
        (Choice(f"checking.decide:{found.id}", _("Decide")),),
    )
    _tell_leaders(db, now, found, message, f"round/{found.id}/tie")
    return "tie"


def choose(db: Connection, now: datetime, found: Round, chosen: Sequence[Candidate]) -> str:
    """These are ahead; before it is told, who leads may ask their tellers one question back."""
    if not chosen:
        return publish(db, now, found)
    for each in chosen:
        rounds.mark_candidate(db, each.id, chosen=True)
    until = _evening(db, now, found, CHECKED)
    rounds.change(db, found.id, state=CHECKING, next_at=until)
    message = Message(
        (
            _("The choices in {place} are counted.", place=found.place),
            *(_("Chosen: story {number}.", number=each.story_id) for each in chosen),
            _(
                "Before everybody hears it, you may ask its teller one question. "
                "Otherwise it is told on {at}.",
                at=until,
            ),
        ),
        (
            *(
                Choice(f"checking.ask:{each.id}", _("Ask about {number}", number=each.story_id))
                for each in chosen
            ),
            Choice(f"checking.publish:{found.id}", _("Tell it now")),
        ),
        subject=_consent(db, found, chosen),
    )
    _tell_leaders(db, now, found, message, f"round/{found.id}/counted")
    return "counted"


def _consent(db: Connection, found: Round, chosen: Sequence[Candidate]) -> Ref | None:
    consent = consents.find(db, chosen[0].story_id, found.use)
    return None if consent is None else consent.ref


def publish(db: Connection, now: datetime, found: Round) -> str:
    """The result is final; what waits above for it may begin."""
    rounds.change(db, found.id, state=CLOSED, next_at=None)
    results.publish(db, now, found)
    if found.parent_id is not None and rounds.count_below(db, found.parent_id) == 0:
        rounds.change(db, found.parent_id, next_at=now)
    return "told"


# The level above --------------------------------------------------------------------------------


def _open(db: Connection, now: datetime, found: Round) -> str:
    """Among what the communities chose; where that is one story, there is nothing to choose."""
    selected = rounds.list_selected(db, found.id)
    if len(selected) < 2 or rounds.count_below(db, found.id):
        over = not rounds.count_below(db, found.id)
        rounds.change(db, found.id, state=CLOSED if over else WAITING, next_at=None)
        return "still"
    closes = _evening(db, now, found, ABOVE)
    rounds.enter(db, found.id, selected)
    rounds.change(db, found.id, state=READING, opened_at=now, closes_at=closes, next_at=closes)
    message = Message(
        (
            _n(
                "{n} story was chosen by the groups of {place}.",
                "{n} stories were chosen by the groups of {place}.",
                n=len(selected),
                place=found.place,
            ),
            _(
                "Until {at}, please read or listen, choose the one that matters most, and say why.",
                at=closes,
            ),
        ),
        (Choice(f"selection.show:{found.id}", _("Read the stories")),),
    )
    call(db, now, found, message, f"round/{found.id}/opened", closes)
    return "opened"


def _evening(db: Connection, now: datetime, found: Round, days: int) -> datetime:
    """Before the quiet hours where it is, so that what comes of it can be told on that day."""
    places = rounds.list_places(db, found.id)
    where = communities.get(db, places[0]).timezone if places else None
    return evenings.after(now, days, zone(where))


# Saying it --------------------------------------------------------------------------------------


def call(
    db: Connection,
    now: datetime,
    found: Round,
    message: Message,
    key: str,
    expires_at: datetime,
    but: tuple[int, ...] = (),
) -> None:
    """To all who choose in it."""
    if found.community_id is not None:
        audience = Audience("community", found.community_id, but)
        place = found.community_id
        tell(
            db, now, key, audience, message,
            kind="session", community_id=place, expires_at=expires_at,
        )  # fmt: skip
        return
    for member_id in rounds.list_choosers(db, found.id, now):
        one = Audience("member", member_id)
        each = f"{key}/{member_id}"
        tell(db, now, each, one, message, kind="session", expires_at=expires_at, wide=True)


def _tell_leaders(db: Connection, now: datetime, found: Round, message: Message, key: str) -> None:
    """Who facilitates where it is; of the whole programme whoever does in one of its groups."""
    places = rounds.list_places(db, found.id)
    for number, place_id in enumerate(places):
        before = rounds.list_members(db, places[:number], ("facilitator",))
        audience = Audience("facilitators", place_id, tuple(before))
        tell(db, now, f"{key}/{place_id}", audience, message, kind="session", community_id=place_id)
