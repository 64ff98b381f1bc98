"""Agreement: what a teller allows from now on takes effect everywhere at once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from bot import nameless
from bot.i18n import render
from bot.messages import Text, _, refs_in
from bot.store import communities, consents, presence, stories
from bot.store.consents import NAME, USES
from bot.store.copies import Copies
from bot.store.references import References
from bot.store.stories import HIDDEN, PARTS, TOLD, WITHDRAWN, Part, Story
from bot.stories import tale, withdrawing
from bot.truth import remaining
from bot.turn import Turn


def apply(turn: Turn, story: Story, hows: Mapping[str, str]) -> list[Text]:
    """`hows`: how she is named, by use; what is not in it is not allowed. What there is to say.

    Where less is allowed than before, or in another way, the words go on in new posts: what is on
    its way or on phones was allowed in the old way.
    """
    live = consents.list_live(turn.db, story.id)
    over = [use for use, each in live.items() if hows.get(use) != each.how]
    said = _take_back(turn, story) if over else []
    consents.end(turn.db, story.id, turn.now, over)
    for use in USES:
        if use in hows and (use not in live or use in over):
            words = _as_read(turn, use, hows[use])
            consents.give(turn.db, story.id, use, hows[use], words, turn.now)
    state = "live" if hows else "kept"
    if over:
        stories.renew(turn.db, story, PARTS, state)
    stories.mark_posts(turn.db, story, state)
    _mark(turn, story, hows)
    withdrawing.leave(turn.db, turn.now, story, [use for use in over if use not in hows])
    withdrawing.take_out(turn.db, turn.now, story, over)
    return said


def _mark(turn: Turn, story: Story, hows: Mapping[str, str]) -> None:
    if hows and story.state != TOLD:
        return stories.mark(turn.db, story.id, state=TOLD, told_at=turn.now)
    if not hows and story.state == TOLD:
        stories.mark(turn.db, story.id, state=WITHDRAWN)


def replace(turn: Turn, story: Story, before: Part) -> list[Text]:
    """The old words go, also from where others have them, and are asked back from files."""
    copies = take_back(turn, before, story)
    stories.empty(turn.db, before.post_id)
    if story.state != TOLD:
        return [_("Your change is saved.")]
    withdrawing.take_out(turn.db, turn.now, story, USES)
    said = _("Your change is saved, and the old words are taken back.")
    return [said, *remaining(copies), *worded(turn, story)]


def worded(turn: Turn, story: Story) -> list[Text]:
    """Who reads new words of a story that was told without her name may know whose they are."""
    unnamed = any(each.how != NAME for each in consents.list_live(turn.db, story.id).values())
    return warnings(turn, story) if story.state == TOLD and unnamed else []


def who_reads(db: Connection, story: Story) -> list[Text]:
    """In words, as things stand now."""
    if story.state == HIDDEN:
        return [tale.HIDDEN]
    hows = {use: each.told for use, each in consents.list_live(db, story.id).items()}
    return tale.agreed(hows) if hows else [_("Only you see it.")]


def warnings(turn: Turn, story: Story) -> list[Text]:
    """What may tell who she is, though her name is not said."""
    said, words = [], stories.list_words(turn.db, story.id)
    if communities.count_active(turn.db, story.community_id) < nameless.SMALL:
        said.append(
            _("Your group is small: also without a name, others may guess whose story it is.")
        )
    if any(kind in tale.SEEN for kind, _text in words):
        said.append(_("A voice or a picture may be recognised, also without a name."))
    hers = presence.get(turn.db, turn.member.id)
    names = (turn.member.name, hers.organisation)
    if any(nameless.tells_who(text, *names) for kind, text in words if kind == "text"):
        said.append(nameless.TELLING)
    return said


def hide(turn: Turn, story: Story) -> list[Text]:
    """A facilitator ends all uses for good; its teller keeps the words. What there is to say."""
    said = _take_back(turn, story)
    consents.end(turn.db, story.id, turn.now)
    stories.renew(turn.db, story, PARTS, "kept")
    stories.mark(turn.db, story.id, state=HIDDEN)
    withdrawing.leave(turn.db, turn.now, story, USES)
    withdrawing.take_out(turn.db, turn.now, story, USES)
    return said


def _take_back(turn: Turn, story: Story) -> list[Text]:
    found = [take_back(turn, each, story) for each in stories.list_parts(turn.db, story.id)]
    taken, kept = (max(each) for each in zip(*((c.taken_back, c.kept) for c in found), strict=True))
    return remaining(Copies(taken, kept))


def take_back(turn: Turn, part: Part, story: Story) -> Copies:
    """From where it stands; what still waits is looked at when it is to be said."""
    return turn.take_back(part.post_id, None, story.member_id or 0)


def _as_read(turn: Turn, use: str, how: str) -> str:
    """The question and her answer, in the language in which she read them."""
    question, answer = tale.may(use), tale.HOWS[how]
    lookup = References(turn.db, [*refs_in(question), *refs_in(answer)])
    return "\n".join(render(each, turn.language, lookup) for each in (question, answer))
