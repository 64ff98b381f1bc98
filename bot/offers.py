"""What is offered again and again: under a draft, to end a talk, under a post."""

from __future__ import annotations

from bot.messages import Choice, _

SEND = Choice("send", _("Send"))
CHANGE = Choice("change", _("Change"))
CANCEL = Choice("cancel", _("Cancel"))
# Under a warning that a voice or a picture may tell who she is.
AS_IT_IS = _("Nothing was sent yet. Shall it go out as it is?")
ANYWAY = Choice("anyway", _("Send anyway"))
WRITE_INSTEAD = Choice("write", _("Write it instead"))


def under_question(thread_id: int, *, followed: bool = False) -> tuple[Choice, ...]:
    """`followed`: everybody hears what comes there, who does not want to says so."""
    follow = Choice(f"threads.follow:{thread_id}", _("Follow"))
    if followed:
        follow = Choice(f"threads.unfollow:{thread_id}", _("Stop following"))
    return (Choice(f"answers.begin:{thread_id}", _("Answer")), follow)


def under_answer(post_id: int) -> tuple[Choice, ...]:
    return (
        Choice(f"answers.helps:{post_id}", _("This helps")),
        Choice(f"answers.looking:{post_id}", _("Still looking")),
    )


def under_voice(post_id: int) -> Choice:
    """For those who cannot hear it."""
    return Choice(f"captions.begin:{post_id}", _("Write it down"))


def under_heavy(post_id: int) -> tuple[Choice, ...]:
    """Before it is read: she chooses whether and when."""
    return (
        Choice(f"heavy.read:{post_id}", _("Read now")),
        Choice(f"heavy.later:{post_id}", _("Later")),
        Choice(f"heavy.skip:{post_id}", _("Skip")),
    )


def came_of(thread_id: int) -> tuple[Choice, ...]:
    """What came of a question that was helped."""
    return (
        Choice(f"outcomes.worked:{thread_id}", _("It worked")),
        Choice(f"outcomes.partly:{thread_id}", _("Partly")),
        Choice(f"outcomes.not_tried:{thread_id}", _("Not tried")),
    )
