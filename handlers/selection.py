"""Choosing a story: read or hear them one at a time, choose the one that matters most, say why."""

from __future__ import annotations

from collections.abc import Sequence

from bot import drafts
from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.posting import DRAFT_GONE
from bot.smalltalk import is_small
from bot.store import communities, consents, posts, rounds, stories, voices
from bot.store.rounds import Candidate, Round
from bot.store.stories import Part
from bot.stories import results, tale
from bot.turn import BURST, Turn

MOST = 20  # reasons in one look

selection = Conversation("selection", words=N_("choose a story, read stories"))


@selection.start
def start(turn: Turn) -> None:
    """Rounds in which she may choose now."""
    found = rounds.list_open(turn.db, turn.member.id, turn.now)
    if not found:
        return turn.say(
            _("No round of stories is open for you just now."),
            choices=(Choice("stories.choose", _("Tell a story")),),
        )
    if len(found) == 1:
        turn.argument = found[0].id
        return show(turn)
    turn.say(
        _("Rounds of stories that are open:"),
        *(
            _("{number}. {place}, until {at}", number=number, place=each.place, at=each.closes_at)
            for number, each in enumerate(found, 1)
        ),
        choices=[
            Choice(f"selection.show:{each.id}", _("Round {number}", number=number))
            for number, each in enumerate(found, 1)
        ],
    )


@selection.action
def show(turn: Turn) -> None:
    """From the first story on."""
    found = rounds.find_for(turn.db, turn.argument, turn.member.id, turn.now)
    if found is None:
        return gone(turn)
    if not found.takes_choices(turn.now):
        return over(turn)
    listed = rounds.list_candidates(turn.db, found)
    if not listed:
        return turn.say(_("There is no story to read in this round just now."))
    _tell(turn, found, listed, listed[0])


@selection.action
def read(turn: Turn) -> None:
    """The story of the button, as long as it may be read."""
    pair = rounds.find_candidate(turn.db, turn.argument)
    if pair is None or not _reads(turn, *pair):
        return gone(turn)
    found, candidate = pair
    _tell(turn, found, rounds.list_candidates(turn.db, found), candidate)


@selection.action
def read_heavy(turn: Turn) -> None:
    """She chose to read it now."""
    turn.data = {"heavy": True}
    read(turn)


def _reads(turn: Turn, found: Round, candidate: Candidate) -> bool:
    """Who chooses in it; and of what was chosen everybody who hears the result."""
    if rounds.find_for(turn.db, found.id, turn.member.id, turn.now) is not None:
        return True
    chosen = candidate.chosen and found.state == rounds.CLOSED
    return chosen and rounds.find_read(turn.db, found.id, turn.member.id) is not None


def _tell(turn: Turn, found: Round, listed: list[Candidate], candidate: Candidate) -> None:
    consent = consents.find(turn.db, candidate.story_id, found.use)
    if consent is None:
        return gone(turn)
    parts = stories.list_parts(turn.db, candidate.story_id)
    choices = _choices(turn, found, listed, candidate)
    words = tale.parts(parts)
    if _waits(turn, candidate, parts):
        words = [_("It is a heavy story."), _("You choose whether you read it, and when.")]
        choices = [Choice(f"selection.read_heavy:{candidate.id}", _("Read now")), *choices]
    turn.say(
        tale.teller(consent, candidate.teller_id),
        *words,
        *_state(turn, found, candidate),
        choices=choices,
        subject=consent.ref,
    )


def _waits(turn: Turn, candidate: Candidate, parts: Sequence[Part]) -> bool:
    """A heavy one is read by who chose to, and by its teller."""
    if turn.data.get("heavy") or candidate.teller_id == turn.member.id:
        return False
    return any(each.heavy for each in parts)


def _state(turn: Turn, found: Round, candidate: Candidate) -> list[Text]:
    if not found.takes_choices(turn.now):
        return []
    if candidate.teller_id == turn.member.id:
        return [_("This is your own story; others may choose it.")]
    mine = voices.find(turn.db, found.id, turn.member.id)
    if mine is not None and mine.candidate_id == candidate.id:
        return [_("You have chosen this one. Nobody else sees that.")]
    return []


def _choices(
    turn: Turn, found: Round, listed: list[Candidate], candidate: Candidate
) -> list[Choice]:
    """After the last one the first one comes again."""
    hides = _hides(turn, candidate)
    if not found.takes_choices(turn.now):
        return hides
    made = []
    if candidate.teller_id != turn.member.id and candidate.stands:
        made.append(Choice(f"selection.choose:{candidate.id}", _("Choose this one")))
    later = [each for each in listed if each.id > candidate.id] or listed
    if later[0].id != candidate.id:
        made.append(Choice(f"selection.read:{later[0].id}", _("Next story")))
    return [*made, *hides]


def _hides(turn: Turn, candidate: Candidate) -> list[Choice]:
    """Who facilitates in the group it comes from, whatever round it is read in."""
    story = stories.find(turn.db, candidate.story_id)
    if story is None or candidate.teller_id == turn.member.id:
        return []
    here = (turn.db, turn.member.id, story.community_id, "hide", turn.now)
    may = communities.find_where(*here) is not None
    return [Choice(f"concealing.ask:{story.id}", _("Hide it"))] if may else []


@selection.action
def why(turn: Turn) -> None:
    """All reasons that were given for a story: for its teller, and who heard the result."""
    pair = rounds.find_candidate(turn.db, turn.argument)
    if pair is None:
        return gone(turn)
    found, candidate = pair
    if candidate.teller_id != turn.member.id and not (
        found.state == rounds.CLOSED and _reads(turn, found, candidate)
    ):
        return gone(turn)
    given = voices.list_reasons(turn.db, candidate.id, MOST)
    consent = consents.find(turn.db, candidate.story_id, found.use)
    turn.say(
        _("Why others chose story {number}:", number=candidate.story_id),
        *results.said(given),
        subject=None if consent is None else consent.ref,
    )


@selection.action
def gone(turn: Turn) -> None:
    turn.say(_("That story cannot be read here any more."))


@selection.action
def over(turn: Turn) -> None:
    turn.say(_("The time for choosing is over. Thank you for reading!"))


@selection.on("tale")
def replied(turn: Turn) -> None:
    """A reply to a story as it was read."""
    turn.say(
        _("Thank you. What you say about a story goes along when you choose it."),
        choices=(Choice("selection.start", _("Read the stories")),),
    )


# Choosing ---------------------------------------------------------------------------------------


def _find(turn: Turn, candidate_id: int) -> tuple[Round, Candidate] | None:
    """What she may choose; else she is told what became of it. The round is held until the end."""
    pair = rounds.find_candidate(turn.db, candidate_id)
    held = None if pair is None else rounds.lock(turn.db, pair[0].id)
    pair = None if held is None else rounds.find_candidate(turn.db, candidate_id)
    if pair is None or rounds.find_for(turn.db, pair[0].id, turn.member.id, turn.now) is None:
        gone(turn)
        return None
    found, candidate = pair
    if not found.takes_choices(turn.now):
        over(turn)
        return None
    if candidate.teller_id == turn.member.id or not candidate.stands:
        turn.argument = found.id
        show(turn)
        return None
    return pair


@selection.action
def choose(turn: Turn) -> None:
    pair = _find(turn, turn.argument)
    if pair is None:
        return
    turn.data = {"candidate": pair[1].id}
    turn.ask(
        _(
            "Why does story {number} matter most to you? A sentence or a voice note; its teller "
            "hears it, and your group if it is chosen.",
            number=pair[1].story_id,
        ),
        choices=(CANCEL,),
        then=reason,
        free=True,
    )


@selection.step
def reason(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if is_small(turn.text, turn.files):
        return turn.again(
            _("Please say in a few words why: for the teller that is the most precious part.")
        )
    turn.data["post"] = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="reason")
    turn.ask(
        _("Your reason:"),
        _("{post}", post=posts.get(turn.db, turn.data["post"]).ref),
        _("Shall your name stand beside it?"),
        *(_warnings(turn) or [_("Without it nobody learns whose reason it is.")]),
        choices=(
            Choice("nameless", _("Without my name")),
            Choice("named", _("With my name")),
            CANCEL,
        ),
        then=confirm,
        free=True,
        after=BURST,
    )


def _warnings(turn: Turn) -> list[Text]:
    """What may tell whose a reason is, though no name stands beside it."""
    said = []
    pair = rounds.find_candidate(turn.db, turn.data["candidate"])
    if pair and len(rounds.list_choosers(turn.db, pair[0].id, turn.now)) < results.FEW:
        said.append(_("Your group is small: peers may guess who wrote it, also without a name."))
    if any(each.kind in tale.SEEN for each in turn.files):
        said.append(_("A voice or a picture may be recognised, also without a name."))
    return said


@selection.step
def confirm(turn: Turn) -> None:
    post_id = turn.data["post"]
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return drafts.add(turn, _("Added."))
    if turn.choice == "cancel":
        posts.remove(turn.db, post_id)
        return turn.say(_("Cancelled. Nothing was sent."))
    pair = _find(turn, turn.data["candidate"])
    if pair is None:
        return posts.remove(turn.db, post_id)
    found, candidate = pair
    named = turn.choice == "named"
    voices.choose(turn.db, found.id, turn.member.id, candidate.id, post_id, named=named)
    turn.say(
        _(
            "Thank you! You have chosen story {number}. Until {at} you can still change it.",
            number=candidate.story_id,
            at=found.closes_at,
        ),
        choices=(Choice(f"selection.show:{found.id}", _("Read the stories")),),
    )
