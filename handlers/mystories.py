"""My stories: what she has told, who may read it, and how she takes it back."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.store import stories
from bot.store.stories import DRAFT, HIDDEN, TOLD, Story
from bot.stories import agreement, tale
from bot.turn import Turn

LISTED = 6  # stories in one list
LINE = 60  # graphemes of each

mystories = Conversation("mystories", words=N_("my stories"))


@mystories.start
def start(turn: Turn) -> None:
    """Behind her secret word, if she has one."""
    turn.start("secret.ask", then="mystories.list_mine")


@mystories.action
def list_mine(turn: Turn) -> None:
    """An app that was linked later shows nothing from before."""
    found = stories.list_hers(turn.db, turn.member.id, LISTED, turn.sender.linked_at)
    if not found:
        return turn.say(
            _("There are no stories of yours here yet."),
            choices=(Choice("stories.choose", _("Tell a story")),),
        )
    turn.say(
        _("Your stories:"),
        *(_line(turn, each) for each in found),
        choices=[
            *(
                Choice(f"mystories.show:{each.id}", _("Story {number}", number=each.id))
                for each in found
            ),
            Choice("stories.choose", _("Tell a story")),
        ],
    )


def _line(turn: Turn, story: Story) -> Text:
    first = stories.list_parts(turn.db, story.id)[0]
    about: dict[str, object] = {"number": story.id, "post": Ref("stories", first.post_id, LINE)}
    if story.state == TOLD:
        return _("Story {number}: {post}", **about)
    return _("Story {number}, only you see it: {post}", **about)


@mystories.action
def show(turn: Turn) -> None:
    turn.start("secret.ask", then="mystories.open_one")


@mystories.action
def open_one(turn: Turn) -> None:
    found = _hers(turn, turn.argument)
    if found is None:
        return gone(turn)
    choices = [Choice(f"stories.change:{found.id}", _("Change a part"))]
    if found.state != HIDDEN:
        choices.insert(0, Choice(f"consents.begin:{found.id}", _("Who may read it")))
    if found.state == DRAFT:
        choices.append(Choice(f"stories.go_on:{found.id}", _("Go on")))
    if found.state == TOLD:
        choices.append(Choice(f"mystories.take_back:{found.id}", _("Take it back")))
    choices.append(Choice(f"mystories.delete:{found.id}", _("Delete it")))
    turn.say(
        _("Your story {number}:", number=found.id),
        *tale.parts(stories.list_parts(turn.db, found.id)),
        *agreement.who_reads(turn.db, found),
        choices=choices,
    )


def _hers(turn: Turn, story_id: int) -> Story | None:
    found = stories.find_hers(turn.db, story_id, turn.member.id)
    return None if found is None or not turn.sender.knows(found.created_at) else found


@mystories.action
def take_back(turn: Turn) -> None:
    _ask(
        turn,
        _(
            "Take story {number} back? Nobody reads it here any more, it leaves every choice, "
            "and it is deleted on phones where they allow it. You keep it.",
            number=turn.argument,
        ),
        Choice("keep", _("Take it back")),
    )


@mystories.action
def delete(turn: Turn) -> None:
    _ask(
        turn,
        _("Delete story {number}? It is taken back everywhere, and gone.", number=turn.argument),
        Choice("delete", _("Delete it")),
    )


def _ask(turn: Turn, question: Text, yes: Choice) -> None:
    if _hers(turn, turn.argument) is None:
        return gone(turn)
    turn.data = {"story": turn.argument}
    turn.ask(question, choices=(yes, CANCEL), then=confirm)


@mystories.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _hers(turn, turn.data["story"])
    if found is None:
        return gone(turn)
    was_told = found.state == TOLD
    said = agreement.apply(turn, found, {})
    if turn.choice == "delete":
        stories.delete_words(turn.db, found.id)
        return turn.say(_("Story {number} is deleted.", number=found.id), *said)
    if not was_told:
        return turn.say(_("Only you see it."))
    turn.say(
        _("Story {number} is taken back. Only you see it now.", number=found.id),
        *said,
        _("Who has it in a file is asked to take it out; nobody is told that it is yours."),
    )


@mystories.action
def gone(turn: Turn) -> None:
    """Deleted, or never hers: all look alike."""
    turn.say(_("I do not find that story any more."))
