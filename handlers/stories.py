"""Stories of change: four short questions, one at a time, by text or voice, then read back."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.reflecting import WHICH_PATHWAY
from bot.smalltalk import is_small
from bot.store import communities, messages, posts, stories
from bot.store.communities import Community
from bot.store.posts import Post
from bot.store.stories import DOMAINS, DRAFT, PARTS, TOLD, Story
from bot.stories import agreement, tale
from bot.turn import BURST, Turn

stories_ = Conversation(
    "stories",
    command="story",
    about=_("Tell a story of change"),
    words=N_("story, tell a story, story of change"),
)


@stories_.start
def start(turn: Turn) -> None:
    """What she has begun is offered first."""
    latest = stories.list_hers(turn.db, turn.member.id, 1, turn.sender.linked_at)
    if latest and latest[0].state == DRAFT:
        return turn.say(
            _("You have begun story {number}. Would you like to go on?", number=latest[0].id),
            choices=(
                Choice(f"stories.go_on:{latest[0].id}", _("Go on")),
                Choice("stories.choose", _("A new story")),
                tale.MINE,
            ),
        )
    choose(turn)


@stories_.action
def start_from(turn: Turn) -> None:
    """A post of hers, of which turn.argument is the id, grows into a story, but only into one."""
    found = _growing(turn, turn.argument)
    if found is None:
        return turn.start("mystories.gone")
    grown = stories.find_grown(turn.db, turn.member.id, found.id)
    if grown is not None:
        turn.argument = grown.id
        return go_on(turn) if grown.state == DRAFT else turn.start("mystories.show")
    turn.data, turn.argument = {"copy": found.id}, found.community_id or 0
    return _choose(turn) if _place(turn, turn.argument) is None else _begin(turn)


def _growing(turn: Turn, post_id: int) -> Post | None:
    """None also if it was hidden or taken back meanwhile."""
    found = posts.find(turn.db, post_id)
    if found is None or found.author_id != turn.member.id or found.state == "hidden":
        return None
    return found if posts.list_bubbles(turn.db, post_id) else None


@stories_.action
def choose(turn: Turn) -> None:
    """In which of her groups."""
    turn.data = {}
    _choose(turn)


def _choose(turn: Turn) -> None:
    found = communities.list_where(turn.db, turn.member.id, "ask", turn.now)
    if not found:
        return turn.say(_("With an invite code you can join a group, and then ask there."))
    if len(found) == 1:
        turn.argument = found[0].id
        return _begin(turn)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    turn.ask(
        _("Which group is it about?"),
        choices=[Choice(f"community:{each.id}", labels[each.id]) for each in found],
        then=community,
    )


@stories_.step
def community(turn: Turn) -> None:
    turn.argument = int(turn.chosen)
    _begin(turn)


def _begin(turn: Turn) -> None:
    place = _place(turn, turn.argument)
    if place is None:
        return turn.start("mystories.gone")
    turn.data |= {"community": place.id, "skipped": []}
    said = [
        _(
            "A story of change takes four short questions. Write, or say it in voice notes. "
            "Only you see it until you agree that others may."
        )
    ]
    copied = turn.data.pop("copy", None)
    if copied is not None and _growing(turn, copied) is not None:
        post_id = stories.copy(turn.db, copied, turn.member.id, turn.now)
        _hold(turn, "happened", post_id)
        said.append(_("What you have said already is kept as “What happened”."))
    _next(turn, *said)


def _place(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "ask", turn.now)


@stories_.action
def go_on(turn: Turn) -> None:  # behind her secret word, since the whole is read back
    turn.start("secret.ask", then="stories.resume")


@stories_.action
def resume(turn: Turn) -> None:
    """From the first question that has no answer; chosen twice, it is one talk."""
    found = stories.find_hers(turn.db, turn.argument, turn.member.id)
    if found is None or not turn.sender.knows(found.created_at):
        return turn.start("mystories.gone")
    talk = turn.talk
    if talk and talk.step == "stories.answer" and talk.data.get("story") == found.id:
        turn.answer(talk)
    else:
        turn.data = {"story": found.id, "community": found.community_id, "skipped": []}
    _next(turn)


# The questions ----------------------------------------------------------------------------------


def _next(turn: Turn, *before: Text, after: timedelta = timedelta(0)) -> None:
    """The first part with nothing in it; after the last one the whole is read back."""
    has = [each.name for each in stories.list_parts(turn.db, turn.data.get("story", 0))]
    left = [each for each in PARTS if each not in (*has, *turn.data["skipped"])]
    if left:
        turn.data["part"] = left[0]
        return turn.ask(
            *before,
            _(
                "{number} of 4. {question}",
                number=PARTS.index(left[0]) + 1,
                question=tale.QUESTIONS[left[0]],
            ),
            choices=(Choice("skip", _("Skip")), Choice("later", _("Go on later"))),
            then=answer,
            free=True,
            after=after,
        )
    if not has:
        return turn.say(_("Nothing is kept. Whenever a story comes to your mind, write STORY."))
    _ask_kind(turn, after)


@stories_.step
def answer(turn: Turn) -> None:
    if turn.choice == "later":
        return _later(turn)
    if turn.choice == "skip":
        turn.data["skipped"] = [*turn.data["skipped"], turn.data["part"]]
        turn.data.pop("last", None)
        return _next(turn)
    if _belongs_to_last(turn):
        return turn.wait()
    if is_small(turn.text, turn.files):
        return turn.again(_("Please say a little more, or choose Skip."))
    if not _keep(turn):
        return turn.start("mystories.gone")
    turn.data["last"] = turn.data["part"]
    _next(turn, after=BURST)


def _later(turn: Turn) -> None:
    if "story" not in turn.data:
        return turn.say(_("All right. Whenever you like, write STORY."))
    found = stories.find_hers(turn.db, turn.data["story"], turn.member.id)
    if found is not None and found.state == TOLD:
        return turn.say(_("Your change is saved."), choices=(tale.MINE,))
    turn.say(
        _("It is kept as story {number}, for you alone.", number=turn.data["story"]),
        choices=(
            Choice(f"stories.go_on:{turn.data['story']}", _("Go on")),
            tale.MINE,
        ),
    )


def _belongs_to_last(turn: Turn) -> bool:
    """A further bubble, before the next question has left, belongs to the answer before it."""
    waiting = turn.talk.message_id if turn.talk else None
    if "last" not in turn.data or waiting is None or turn.choice is not None:
        return False
    part = stories.find_part(turn.db, turn.data["story"], turn.data["last"])
    if part is None or not messages.postpone(turn.db, waiting, turn.now + BURST):
        return False
    posts.add_bubbles(turn.db, part.post_id, turn.content, turn.now)
    return True


def _keep(turn: Turn) -> bool:
    """False if the story is gone meanwhile."""
    begun = turn.data.get("story")
    if begun is not None and stories.find_hers(turn.db, begun, turn.member.id) is None:
        return False
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="story", state="kept")
    _hold(turn, turn.data["part"], post_id)
    return True


def _hold(turn: Turn, part: str, post_id: int) -> None:
    if "story" not in turn.data:
        place = turn.data["community"]
        turn.data["story"] = stories.add(turn.db, turn.member.id, place, turn.now)
    stories.put(turn.db, turn.data["story"], part, post_id)


def _ask_kind(turn: Turn, after: timedelta) -> None:
    choices = [Choice(each, tale.KINDS[each]) for each in DOMAINS]
    turn.ask(
        WHICH_PATHWAY,
        choices=[*choices, Choice("none", _("I do not know"))],
        then=kind,
        free=True,
        after=after,
    )


@stories_.step
def kind(turn: Turn) -> None:
    if turn.choice is None:
        if _belongs_to_last(turn):
            return turn.wait()
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    chosen = turn.choice if turn.choice in DOMAINS else None
    stories.mark(turn.db, turn.data["story"], domain=chosen)
    _review(turn)


# Read back --------------------------------------------------------------------------------------


def _review(turn: Turn, *before: Text, after: timedelta = timedelta(0)) -> None:
    found = stories.find_hers(turn.db, turn.data["story"], turn.member.id)
    if found is None:
        return turn.start("mystories.gone")
    told = Choice("agree", _("Who may read it"))
    turn.ask(
        *before,
        _("Your story {number}:", number=found.id),
        *tale.preview(stories.list_parts(turn.db, found.id)),
        *agreement.who_reads(turn.db, found),
        choices=(told, Choice("change", _("Change a part")), Choice("later", _("Go on later"))),
        then=reviewed,
        free=True,
        after=after,
    )


@stories_.step
def reviewed(turn: Turn) -> None:
    turn.argument = turn.data["story"]
    if turn.choice == "agree":
        return turn.start("consents.begin")
    if turn.choice == "change":
        return change(turn)
    if turn.choice == "later":
        return _later(turn)
    if _belongs_to_last(turn):
        return turn.wait()
    turn.again(_("Please choose one of these. You can tap it or type its number."))


# Changing a part --------------------------------------------------------------------------------


@stories_.action
def change(turn: Turn) -> None:
    found = stories.find_hers(turn.db, turn.argument, turn.member.id)
    if found is None or not turn.sender.knows(found.created_at):
        return turn.start("mystories.gone")
    turn.data = {"story": found.id, "community": found.community_id, "skipped": []}
    turn.ask(
        _("Which part would you like to say anew?"),
        choices=[*(Choice(name, tale.HEADS[name]) for name in PARTS), CANCEL],
        then=which,
    )


@stories_.step
def which(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    turn.data["part"] = turn.choice
    turn.ask(
        tale.QUESTIONS[turn.choice or ""],
        _("What you say now takes the place of what stands there."),
        choices=(CANCEL,),
        then=anew,
        free=True,
    )


@stories_.step
def anew(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if is_small(turn.text, turn.files):
        return turn.again(_("Please say a little more."))
    found = stories.find_hers(turn.db, turn.data["story"], turn.member.id)
    if found is None:
        return turn.start("mystories.gone")
    said = _take_place(turn, found)
    turn.data["last"] = turn.data["part"]
    _review(turn, *said, after=BURST)


def _take_place(turn: Turn, story: Story) -> list[Text]:
    before = stories.find_part(turn.db, story.id, turn.data["part"])
    _keep(turn)
    if story.state == TOLD:
        stories.mark_posts(turn.db, story, "live")
    if before is None:
        return [_("Your change is saved."), *agreement.worded(turn, story)]
    return agreement.replace(turn, story, before)
