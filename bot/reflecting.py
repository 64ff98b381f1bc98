"""Reflecting: the questions, what a reflection may be marked with, and what is offered under it."""

from __future__ import annotations

from bot.messages import Choice, Text, _

QUESTIONS: dict[str, Text] = {  # one at a time, in this order, then from the first one again
    "went_well": _("What went better than you had expected lately? What did you do for it?"),
    "surprise": _("What surprised you this week, and what does it tell you?"),
    "tried": _("What did you try that was new to you? How did it turn out?"),
    "hard": _("What was hard lately? What would have made it easier?"),
    "taught": _("Who taught you something lately, perhaps without knowing it? What was it?"),
    "change": _("What small change have you seen in the people you work with?"),
    "again": _("If you could do this week again, what would you do differently?"),
    "proud": _("What are you proud of, even if nobody saw it?"),
    "spoke_up": _("When did somebody speak up who is usually silent? What made it possible?"),
    "understood": _("What do you understand now that you did not understand a month ago?"),
    "strength": _("What gave you strength lately?"),
    "next": _("What would you like to try next, even in a small way?"),
}
PATHWAYS: dict[str, Text] = {
    "empowerment": _("Empowerment"),
    "influence": _("Influence"),
    "amplifying": _("Amplifying voices"),
}
WHICH_PATHWAY = _(
    "What kind of change is it about? Empowerment: people gain confidence and skills. Influence: "
    "rules, leaders or services change. Amplifying voices: more people are heard."
)
FEELINGS: dict[str, Text] = {
    "glad": _("😊 Glad"),
    "strong": _("💪 Strong"),
    "thankful": _("🙏 Thankful"),
    "thoughtful": _("🤔 Thoughtful"),
    "worried": _("😟 Worried"),
    "tired": _("😔 Tired"),
}
MINE = Choice("reflections.start", _("My reflections"))


def after(question: str | None) -> str:
    """The question that comes next; of one that is gone, and at the beginning, the first."""
    slugs = list(QUESTIONS)
    at = slugs.index(question) + 1 if question in slugs else 0
    return slugs[at % len(slugs)]


def readers(reflection_id: int, *, but: str = "me") -> tuple[Choice, ...]:
    """Who else may see it; `but`: who sees it now."""
    found = {
        "facilitators": _("To my facilitator"),
        "community": _("To my group"),
        "me": _("Only me"),
    }
    return tuple(
        Choice(f"confide.{who}:{reflection_id}", label)
        for who, label in found.items()
        if who != but
    )


def when_kept(reflection_id: int, *, shares: bool, more: bool) -> tuple[Choice, ...]:
    """Under "Kept, for you alone"; `shares`: she has a group to show it to."""
    return (
        *((*readers(reflection_id), _story(reflection_id)) if shares else ()),
        *((Choice(f"reflect.more:{reflection_id}", _("More")),) if more else ()),
        Choice(f"reflect.fine:{reflection_id}", _("Fine")),
    )


def when_opened(reflection_id: int) -> tuple[Choice, ...]:
    """Under one that she looks at again."""
    return (
        Choice(f"reflections.edit:{reflection_id}", _("Edit words")),
        Choice(f"confide.readers:{reflection_id}", _("Who sees it")),
        _story(reflection_id),
        Choice(f"reflect.more:{reflection_id}", _("More")),
        Choice(f"reflections.delete:{reflection_id}", _("Delete")),
    )


def _story(reflection_id: int) -> Choice:
    return Choice(f"reflections.grow:{reflection_id}", _("Make it a story"))
