"""Before a result is final: one question back to a teller, a tie decided, the word given."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.desk import note
from bot.messages import Choice, Message, Ref, _
from bot.offers import CANCEL
from bot.smalltalk import is_small
from bot.store import communities, posts, rounds, voices
from bot.store.audiences import Audience
from bot.store.rounds import CHECKING, TIE, Candidate, Round
from bot.stories import settling
from bot.telling import tell
from bot.turn import Turn

checking = Conversation("checking")


def _held(turn: Turn, round_id: int, state: str) -> Round | None:
    """A round in this state that she may settle, held until the end; else she is told."""
    found = rounds.lock(turn.db, round_id)
    if found is None or not _leads(turn, found):
        turn.start("facilitate.refuse")
        return None
    if found.state != state:
        turn.say(_("That has been decided already."))
        return None
    return found


def _leads(turn: Turn, found: Round) -> bool:
    return any(
        communities.find_where(turn.db, turn.member.id, place_id, "rounds", turn.now) is not None
        for place_id in rounds.list_places(turn.db, found.id)
    )


def _note(turn: Turn, action: str, found: Round) -> None:
    place = rounds.list_places(turn.db, found.id)[0]
    note(turn, action, place, found.id)


# A question back --------------------------------------------------------------------------------


def _candidate(turn: Turn, candidate_id: int) -> tuple[Round, Candidate] | None:
    pair = rounds.find_candidate(turn.db, candidate_id)
    if pair is None:
        turn.start("selection.gone")
        return None
    found = _held(turn, pair[0].id, CHECKING)
    return None if found is None else (found, pair[1])


@checking.action
def ask(turn: Turn) -> None:
    pair = _candidate(turn, turn.argument)
    if pair is None:
        return
    if voices.has_question(turn.db, pair[1].id):
        return turn.say(_("One question was asked already."))
    turn.data = {"candidate": pair[1].id}
    turn.ask(
        _(
            "What would you like to ask about story {number}? Its teller gets it, and may answer.",
            number=pair[1].story_id,
        ),
        choices=(CANCEL,),
        then=asked,
        free=True,
    )


@checking.step
def asked(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if is_small(turn.text, turn.files):
        return turn.again(_("Please say a little more."))
    pair = _candidate(turn, turn.data["candidate"])
    if pair is None:
        return
    candidate = pair[1]
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="asked", state="live")
    if not voices.add_question(turn.db, candidate.id, turn.member.id, post_id):
        posts.mark(turn.db, post_id, state="draft")
        posts.remove(turn.db, post_id)
        return turn.say(_("One question was asked already."))
    turn.tell(
        Audience("member", candidate.teller_id),
        _("The facilitators have a question about your story {number}:", number=candidate.story_id),
        _("{post}", post=Ref("posts", post_id)),
        _("They do not learn your name by your answer."),
        kind="session",
        choices=(
            Choice(f"checking.answer:{candidate.id}", _("Answer")),
            Choice("checking.leave", _("Not now")),
        ),
        once=f"story/asked/{candidate.id}",
    )
    _note(turn, "stories.asked", pair[0])
    turn.say(_("It is on its way. I bring you the answer."))


@checking.action
def leave(turn: Turn) -> None:
    turn.say(_("That is fine. Nothing more is needed."))


def _mine(turn: Turn, candidate_id: int) -> tuple[Round, Candidate, int] | None:
    """What she is asked about her own story, as long as it may be there."""
    pair = rounds.find_candidate(turn.db, candidate_id)
    question = None if pair is None else voices.find_question(turn.db, candidate_id)
    if pair is None or question is None or pair[1].teller_id != turn.member.id:
        turn.say(_("That question is over. Thank you!"))
        return None
    return (*pair, question[0] or 0)


@checking.action
def answer(turn: Turn) -> None:
    found = _mine(turn, turn.argument)
    if found is None:
        return
    turn.data = {"candidate": found[1].id}
    turn.ask(
        _("Please write your answer, or say it in a voice note."),
        choices=(CANCEL,),
        then=answered,
        free=True,
    )


@checking.step
def answered(turn: Turn) -> None:
    if turn.choice == "cancel":
        return leave(turn)
    if is_small(turn.text, turn.files):
        return turn.again(_("Please say a little more."))
    found = _mine(turn, turn.data["candidate"])
    if found is None:
        return
    held, candidate, asker_id = found
    voices.mark_answered(turn.db, candidate.id)
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="asked", state="live")
    message = Message(
        (
            _("The answer to your question about story {number}:", number=candidate.story_id),
            _("{post}", post=Ref("posts", post_id)),
        ),
        (Choice(f"checking.publish:{held.id}", _("Tell it now")),),
    )
    _tell_asker(turn, held, asker_id, message, f"story/answered/{candidate.id}")
    turn.say(_("Thank you! Your answer is on its way."))


def _tell_asker(turn: Turn, held: Round, asker_id: int, message: Message, key: str) -> None:
    """As long as she facilitates; else those who do."""
    places = rounds.list_places(turn.db, held.id)
    hers = [
        each
        for each in places
        if communities.find_where(turn.db, asker_id, each, "rounds", turn.now) is not None
    ]
    audience = Audience("member", asker_id) if hers else Audience("facilitators", places[0])
    tell(
        turn.db,
        turn.now,
        key,
        audience,
        message,
        kind="session",
        community_id=(hers or places)[0],
        for_role="facilitator",
    )


# The word ---------------------------------------------------------------------------------------


@checking.action
def publish(turn: Turn) -> None:
    found = _held(turn, turn.argument, CHECKING)
    if found is None:
        return
    _note(turn, "stories.result", found)
    settling.publish(turn.db, turn.now, found)
    turn.say(_("Everybody hears it now."))


# A tie ------------------------------------------------------------------------------------------


@checking.action
def decide(turn: Turn) -> None:
    found = _held(turn, turn.argument, TIE)
    if found is None:
        return
    listed = rounds.list_candidates(turn.db, found)
    if any(each.teller_id == turn.member.id for each in listed):
        return yours(turn, found)
    turn.data = {"round": found.id}
    turn.ask(
        _("Which story matters most?"),
        choices=[
            *(
                Choice(f"of:{each.id}", _("Story {number}", number=each.story_id))
                for each in listed
            ),
            CANCEL,
        ],
        then=decided,
    )


def yours(turn: Turn, found: Round) -> None:
    """Nobody decides about her own story."""
    turn.say(
        _(
            "One of these stories is yours, so another facilitator decides. "
            "Otherwise all of them are chosen on {at}.",
            at=found.next_at,
        )
    )


@checking.step
def decided(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    turn.data["candidate"] = int(turn.chosen)
    turn.ask(
        _("Why this one? A sentence or a voice note; all of them hear it."),
        choices=(CANCEL,),
        then=settle,
        free=True,
    )


@checking.step
def settle(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if is_small(turn.text, turn.files):
        return turn.again(
            _("Please say in a few words why: for the teller that is the most precious part.")
        )
    pair = rounds.find_candidate(turn.db, turn.data["candidate"])
    if pair is None:
        return turn.start("selection.gone")
    found = _held(turn, pair[0].id, TIE)
    if found is None:
        return
    post_id = posts.add(
        turn.db, turn.member.id, turn.content, turn.now, kind="reason", state="live"
    )
    settling.keep_reason(turn.db, turn.now, pair[1].id, post_id, None)
    voices.remove(turn.db, [post_id])
    _note(turn, "stories.decided", found)
    settling.choose(turn.db, turn.now, found, [pair[1]])
    turn.say(_("Thank you. It is decided."))
