"""Library: which tips and questions were useful, were never said, or wait for a translation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.conversation import Conversation
from bot.i18n import languages, own_name
from bot.messages import Choice, Ref, Text, _, _n
from bot.offers import CANCEL
from bot.store import communities, contents, editions, opinions
from bot.store.communities import Community
from bot.store.contents import Content, Wording
from bot.store.opinions import Opinions
from bot.turn import Turn

BEST = 5  # in one list
SHOWN = 60  # graphemes of each
KINDS = ("tip", "prompt")

library = Conversation("library")


@library.action
def show(turn: Turn) -> None:
    """What members thought of it, and what is still to be done."""
    community = communities.find_where(turn.db, turn.member.id, turn.argument, "rhythm", turn.now)
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    known = {kind: contents.list_for(turn.db, community.id, kind) for kind in KINDS}
    everything = [each for kind in KINDS for each in known[kind]]
    found = [
        *_judged(turn, known["tip"]),
        *_never_said(turn, community, known),
        *_translations(turn, everything),
    ]
    own = [each for each in everything if each.community_id is not None]
    choices = [Choice(f"rhythm.show:{community.id}", _("The next weeks"))]
    if own:
        choices.insert(0, Choice(f"library.own:{community.id}", _("Written here")))
    turn.say(*found, choices=choices)


def _judged(turn: Turn, tips: list[Content]) -> Iterator[Text]:
    """The most useful ones first; then those that more found nothing for them."""
    counts = opinions.count(turn.db, [each.id for each in tips])
    best = sorted(counts, key=lambda id_: _score(counts[id_]), reverse=True)
    liked = [id_ for id_ in best if _score(counts[id_]) > 0]
    if not liked:
        yield _("No tip was found useful yet, or nobody has said so.")
    else:
        yield _("Most useful, as members of all groups said:")
    for id_ in liked[:BEST]:
        yield _opinion(id_, counts[id_])
    others = [id_ for id_ in reversed(best) if _score(counts[id_]) < 0]
    if others:
        yield _("Rather not for them:")
    for id_ in others[:BEST]:
        yield _opinion(id_, counts[id_])


def _score(found: Opinions) -> int:
    return found.useful - found.not_for_me


def _opinion(content_id: int, found: Opinions) -> Text:
    return _(
        "{content}: useful {useful}, not for me {not_for_me}",
        content=Ref("contents", content_id, SHOWN),
        useful=found.useful,
        not_for_me=found.not_for_me,
    )


def _never_said(
    turn: Turn, community: Community, known: dict[str, list[Content]]
) -> Iterator[Text]:
    for kind, found in known.items():
        said = editions.count_said(turn.db, community.id, kind)
        new = sum(each.id not in said for each in found)
        shown = {"new": new, "all": len(found)}
        if kind == "tip":
            yield _("Tips not said here yet: {new} of {all}.", **shown)
        else:
            yield _("Questions not asked here yet: {new} of {all}.", **shown)


def _translations(turn: Turn, found: list[Content]) -> Iterator[Text]:
    """How many are missing in each language, or were translated before the source changed."""
    texts = contents.list_wordings(turn.db, [each.id for each in found])
    counts = Counter(
        (code, why)
        for each in found
        for code in languages()
        for why in _wants(texts[each.id], code)
    )
    if not counts:
        yield _("Everything is translated.")
    for code in languages():
        missing, stale = counts[code, "missing"], counts[code, "stale"]
        if missing or stale:
            yield _(
                "{language}: not translated {missing}, changed since then {stale}.",
                language=own_name(code),
                missing=missing,
                stale=stale,
            )


def _wants(texts: dict[str, Wording], code: str) -> Iterator[str]:
    if code not in texts:
        yield "missing"
    elif texts[code].is_stale:
        yield "stale"


# Written here ------------------------------------------------------------------------------------


@library.action
def own(turn: Turn) -> None:
    """Those of this community, to look at or to take out."""
    community = communities.find_where(turn.db, turn.member.id, turn.argument, "rhythm", turn.now)
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    found = [
        each
        for kind in KINDS
        for each in contents.list_for(turn.db, community.id, kind)
        if each.community_id is not None
    ]
    if not found:
        return turn.say(_("Nothing was written here yet."))
    latest = sorted(found, key=lambda each: each.id, reverse=True)[:BEST]
    turn.data = {"community": community.id}
    turn.ask(
        _n("{n} was written here:", "{n} were written here, the latest:", n=len(found)),
        *(
            _("{number}. {content}", number=number, content=Ref("contents", each.id, SHOWN))
            for number, each in enumerate(latest, 1)
        ),
        choices=[
            *(
                Choice(f"content:{each.id}", _("Number {number}", number=number))
                for number, each in enumerate(latest, 1)
            ),
            CANCEL,
        ],
        then=one,
    )


@library.step
def one(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    content = contents.find(turn.db, int(turn.chosen))
    community_id = turn.data["community"]
    if not communities.find_where(turn.db, turn.member.id, community_id, "rhythm", turn.now):
        return turn.start("facilitate.refuse", **turn.data)
    if content is None or content.community_id != community_id:
        return turn.conversations.events["stale"](turn)
    texts = contents.list_wordings(turn.db, [content.id])[content.id]
    looks = []
    for code in texts:
        looks.append(_("In {language}:", language=own_name(code)))
        looks.append(Text("{content}", {"content": content.ref}, language=code))
    turn.say(
        *looks,
        choices=(
            Choice(f"own.remove:{content.id}", _("Take it out")),
            Choice(f"rhythm.show:{community_id}", _("The next weeks")),
        ),
    )
