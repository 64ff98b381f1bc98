"""Readers: an answer to a weekly question gets the readers she chose; fewer of them, or more."""

from __future__ import annotations

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _
from bot.posting import DRAFT_GONE
from bot.store import posts, responses, weekly
from bot.store.audiences import Audience
from bot.store.responses import GROUP, ME, WIDTH, Response
from bot.store.weekly import Question
from bot.truth import remaining
from bot.turn import Turn

readers = Conversation("readers")


@readers.action
def give(turn: Turn) -> None:
    """The draft data["post"] answers data["edition"], or is in place of data["replaces"]."""
    question, draft = _question(turn), turn.data.get("post")
    if question is None:
        return turn.start("threads.gone")
    if draft is None:  # words for one that stays as it was
        return turn.say(_("All right, nothing was changed."))
    if not posts.is_draft_of(turn.db, draft, turn.member.id):
        return turn.say(DRAFT_GONE)
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    before, seen_by = _given(turn, question), turn.data["seen_by"]
    said = _put(turn, question, draft, before)
    if before is None or before.said_id is None or seen_by != GROUP:  # else they have read it
        said.append(_thanks(turn, question, seen_by))
    turn.say(*said, choices=(Choice("myanswers.start", _("My answers")),))


def _question(turn: Turn) -> Question | None:
    return weekly.find_question(turn.db, turn.member.id, turn.data["edition"])


def _given(turn: Turn, question: Question) -> Response | None:
    """What she wants to change, or what she adds to.

    She adds to what has the same readers: she saw only her new words when she chose them, so
    nothing that she wrote before gets others. What her group has read stands alone, and so does
    what this app of hers does not know.
    """
    changed = turn.data.get("replaces")
    if changed is not None:
        return _known(turn, changed)
    since = turn.sender.linked_at
    return responses.find_untold(
        turn.db, turn.member.id, question.edition_id, turn.data["seen_by"], since
    )


def _known(turn: Turn, post_id: int) -> Response | None:
    found = responses.find_own(turn.db, turn.member.id, post_id)
    return None if found is None or not turn.sender.knows(found.created_at) else found


def _put(turn: Turn, question: Question, draft: int, before: Response | None) -> list[Text]:
    """Alone, or together with what she answered before; what there is to say of it."""
    seen_by = turn.data["seen_by"]
    if before is None:
        _publish(turn, draft, question, seen_by)
        return []
    if "replaces" not in turn.data:
        said = [_("It is added to what you answered before.")]
    elif WIDTH[seen_by] < WIDTH[before.seen_by]:
        said = [*_changed(before), *_withdraw(turn, before, None)]
        _publish(turn, draft, question, seen_by)
        return said
    else:
        said = _changed(before)
        responses.drop_words(turn.db, before.id)
    responses.move_words(turn.db, draft, before.id)
    posts.remove(turn.db, draft)
    _publish(turn, before.id, question, seen_by)
    return said


def _changed(before: Response) -> list[Text]:
    if before.seen_by == ME:
        return [_("Your change is saved.")]
    return [_("Your change is saved. Phones that have the old words already keep them.")]


def _publish(turn: Turn, post_id: int, question: Question, seen_by: str) -> None:
    place = question.community_id
    responses.publish(turn.db, post_id, question.edition_id, place, seen_by)


def _withdraw(turn: Turn, before: Response, to: int | None) -> list[Text]:
    """Whoever may not read it any more finds it nowhere; its words go on in another post."""
    copies = turn.take_back(before.id, None, turn.member.id)
    if to is not None:
        responses.move_words(turn.db, before.id, to)
    responses.empty(turn.db, before.id)
    return remaining(copies)


def _thanks(turn: Turn, question: Question, seen_by: str) -> Text:
    community = Ref("communities", question.community_id)
    if seen_by == ME:
        return _("It is kept for you alone.")
    if seen_by == GROUP:
        return _(
            "Thank you! {community} reads it together with the answers of others.",
            community=community,
        )
    others = Audience("facilitators", question.community_id, but=(turn.member.id,))
    if turn.reach(others).all == 0:
        return _(
            "Thank you. Nobody facilitates {community} just now. It waits there.",
            community=community,
        )
    return _("Thank you! Only the facilitators of {community} read it.", community=community)


@readers.action
def move(turn: Turn) -> None:
    """Other readers for an answer that stands: data["post"], data["edition"], data["seen_by"]."""
    question = _question(turn)
    before = _known(turn, turn.data["post"])
    if question is None or before is None:
        return turn.start("myanswers.gone")
    seen_by, said = turn.data["seen_by"], []
    if seen_by != ME and not responses.has_words(turn.db, before.id):
        return turn.start("responses.needs_words", edition=question.edition_id)
    if WIDTH[seen_by] < WIDTH[before.seen_by]:
        new = responses.add_empty(turn.db, turn.member.id, before.created_at)
        said = _withdraw(turn, before, new)
        _publish(turn, new, question, seen_by)
    elif seen_by != before.seen_by:
        _publish(turn, before.id, question, seen_by)
    turn.say(*said, _thanks(turn, question, seen_by))
