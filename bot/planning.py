"""What a lane may send now: claim what is due, judge it, render and freeze it; one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from bot import gathering, logs
from bot.channels import Channel
from bot.discretion import is_bubble, needs_closing
from bot.fitting import Fitted, fit
from bot.i18n import Own
from bot.judging import Judge
from bot.listing import said_in_full
from bot.media.names import name_of
from bot.messages import Message, _, refs_in, refs_of, tells_time
from bot.store import deliveries, fates, inbox, notices, overrides, presence, repeating, templates
from bot.store.deliveries import Due, Frozen, Part, Planned
from bot.store.enclosures import shown_in_full
from bot.store.fates import Fate
from bot.store.references import References
from bot.store.references.bubbles import Medium
from bot.store.references.words import plain
from bot.windows import NUDGE

NOTHING = Message()
_NOT_PASSED = {
    "voice": _("The voice note could not be brought to this phone."),
    "video": _("The video could not be brought to this phone."),
    "photo": _("The photo could not be brought to this phone."),
    "document": _("The file could not be brought to this phone."),
}
CLAIMS = 4  # in one transaction, while others wait behind what may not leave yet

log = logs.get("planning")


@dataclass(frozen=True, slots=True)
class _Round:
    """What all that is rendered in one transaction shares."""

    db: Connection
    now: datetime
    lookup: References
    sids: Mapping[str, str]  # of templates that show choices, by name; none where not set up
    own: Mapping[overrides.Who, Own]  # what readers' programmes word otherwise

    def lookup_for(self, due: Due) -> References:
        return self.lookup.reading(self.own.get((due.community_id, due.member_id)))


class Planner:
    """Decides for one channel; holds nothing else."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lane = channel.lane
        self._judge = Judge(channel)

    def plan(
        self,
        db: Connection,
        fence: int,
        busy: Collection[int],
        room: int,
        now: datetime,
        *,
        urgent: bool = False,
    ) -> list[Planned]:
        """What goes out now, in order per address; `urgent`: only answers and threads."""
        due = self._claim(db, fence, busy, room, now, urgent=urgent)
        planned = self._freeze(db, due, now)
        return sorted(planned, key=lambda each: each[0].address_id)

    def _claim(
        self,
        db: Connection,
        fence: int,
        busy: Collection[int],
        room: int,
        now: datetime,
        *,
        urgent: bool,
    ) -> list[Due]:
        """What may be said; a notice that takes the place of something leaves in the same round."""
        fine: list[Due] = []
        for _number in range(CLAIMS):
            taken = {*busy, *(each.address_id for each in fine)}
            wanted = room - len(fine)
            due, unreadable = deliveries.claim(
                db, self._lane, fence, taken, wanted, now, urgent=urgent
            )
            found, waiting = self._judge.judge(db, due, unreadable, now)
            fine += found
            told = waiting and notices.announce(db, sorted(waiting), now)
            more_behind = len(due) + len(unreadable) == wanted
            if len(fine) >= room or not (told or more_behind):
                break
        return fine

    def _freeze(self, db: Connection, due: Sequence[Due], now: datetime) -> list[Planned]:
        """Render what is said for the first time; what was frozen before keeps its words."""
        wordless = [each for each in due if each.parts and any(map(_is_lost, each.parts))]
        said = [each for each in due if not each.parts] + wordless
        lookup = References(db, (ref for each in said for ref in refs_of(each.message)))
        tappable = self._channel.limits.tappable and any(each.message.choices for each in said)
        sids = templates.list_sids(db, self._lane) if tappable else {}
        own = overrides.read(db, {(each.community_id, each.member_id) for each in said})
        here = _Round(db, now, lookup, sids, own)
        restored = {each.id: self._restore(here, each) for each in wordless}
        due = [replace(each, parts=restored.get(each.id, each.parts)) for each in due]
        fresh = [each for each in due if not each.parts]
        # What will stand in the list of chats.
        last = {each.address_id: each.id for each in due if is_bubble(each.message)}
        frozen = []
        for each in fresh:
            closes = each.discreet and last.get(each.address_id) == each.id
            closing = closes and needs_closing(each.kind, each.message)
            rendered = self._render(here, each, closing=closing)
            if rendered is not None:
                frozen.append(rendered)
        parts = deliveries.freeze(db, frozen, now) if frozen else {}
        gathering.count(db, [each.due for each in frozen], now)
        again = [part.id for each in due for part in each.parts if part.state == "failed"]
        if again:
            fates.mark_sending(db, again)
        planned = [(each, each.parts or parts.get(each.id, ())) for each in due]
        return [(each, its_parts) for each, its_parts in planned if its_parts]

    def _restore(self, here: _Round, due: Due) -> tuple[Part, ...]:
        """What its provider took and did not bring home says the same once more.

        None of its parts if it reads otherwise now: then it is said as a whole.
        """
        closing = due.discreet and needs_closing(due.kind, due.message)
        fitted = self._render(here, due, closing=closing)
        if fitted is None:
            return due.parts
        if len(fitted.contents) != len(due.parts):
            repeating.forget_parts(here.db, due.id)
            return ()
        contents = {part.id: fitted.contents[part.number] for part in due.parts if _is_lost(part)}
        for id_ in repeating.list_without_file(here.db, list(contents)):
            contents[id_] = _without_file(contents[id_], due.language)
        repeating.restore(here.db, contents)
        if fitted.prompt_token is not None and due.parts[fitted.asks_at].id in contents:
            repeating.show(here.db, fitted.prompt_token, due.address_id, due.message_id, here.now)
        return tuple(
            replace(part, content=contents[part.id], state="sending")
            if part.id in contents
            else part
            for part in due.parts
        )

    def _render(self, here: _Round, due: Due, *, closing: bool) -> Frozen | None:
        """One message that cannot be rendered must not hold up the others."""
        try:
            fitted = self._fit(here, due, closing=closing)
        except Exception as error:
            log.error(
                "render_failed",
                lane=self._lane,
                error=type(error).__name__,
                where=logs.where(error),
            )
            fates.settle(here.db, self._lane, [Fate(due.id, "failed", "render")])
            return None
        if not fitted.contents:
            fates.settle(here.db, self._lane, [Fate(due.id, "dropped", "nothing")])
            return None
        tokens = [secrets.token_urlsafe(9) for _content in fitted.contents]
        return Frozen(due, fitted.contents, tokens, fitted.prompt_token, closing)

    def _fit(self, here: _Round, due: Due, *, closing: bool) -> Fitted:
        if due.message.retract is not None:
            return Fitted(self._retraction(here.db, due, here.now), None)
        if due.message.nudge:
            sid = templates.find_approved(here.db, self._lane, NUDGE, due.language)
            return Fitted(() if sid is None else ({"nudge": sid},), None)
        limits, timezone = self._channel.limits, _clocks(here.db, due)
        lookup = here.lookup_for(due)
        message = said_in_full(
            _for_this_phone(due, lookup), limits.text, lookup, due.language, timezone
        )
        if message == NOTHING:
            return Fitted((), None)
        return fit(
            message,
            due.language,
            limits,
            lookup,
            timezone=timezone,
            experienced=due.experienced,
            closing=closing,
            templates=here.sids,
            media=[_content_of(each) for each in _media_of(due, lookup)],
        )

    def _retraction(self, db: Connection, due: Due, now: datetime) -> tuple[dict[str, Any], ...]:
        """The bubbles that can still be deleted, a hundred to a call."""
        retract, young = due.message.retract, self._channel.limits.retract
        assert retract is not None and young is not None
        if retract.table == "inbox":  # one bubble of hers
            ids = inbox.list_bubbles(db, retract.id)
        else:
            post_id = retract.id if retract.table == "posts" else None
            ids = notices.list_bubbles(db, due.address_id, post_id, now - young)
        return tuple({"retract": ids[start : start + 100]} for start in range(0, len(ids), 100))


def _for_this_phone(due: Due, lookup: References) -> Message:
    """No leaf whose words are gone is named, and no picture shows itself on a discreet phone."""
    message, tree = due.message, due.message.tree
    if tree is None:
        return message
    if due.discreet and due.kind != "direct":
        told = (*tree.caption[:1], *message.paragraphs)
        return replace(message, paragraphs=told, tree=None)
    left = [
        text
        for text in tree.caption
        if all(ref in lookup for ref in refs_in(text) if ref.table == "leaves")
    ]
    return replace(message, tree=replace(tree, caption=tuple(left)))


def _clocks(db: Connection, due: Due) -> str:
    """Whose hours she reads: those where she is; if she never said it, those of her group."""
    if due.timezone is None and tells_time(due.message):
        return presence.get(db, due.member_id).timezone
    return due.timezone or "UTC"


def _media_of(due: Due, lookup: References) -> list[Medium]:
    """What goes along with what is told in full; each once. A digest brings none unasked."""
    if due.kind in ("digest", "rhythm"):
        return []
    shown = shown_in_full(due.message)
    return list(dict.fromkeys(each for ref in shown for each in lookup.media(ref, due.language)))


def _content_of(medium: Medium) -> dict[str, Any]:
    name = name_of(medium.kind, medium.mime)
    return {"text": "", "media": medium.id, "kind": medium.kind, "name": name}


def _without_file(content: dict[str, Any], language: str) -> dict[str, Any]:
    """What is said where its picture or recording did not pass."""
    if "media" in content:
        return {"text": plain(_NOT_PASSED[content["kind"]], language, MappingProxyType({}))}
    return {"text": content["text"]} if {"qr", "tree"} & content.keys() else content


def _is_lost(part: Part) -> bool:
    """Its words were forgotten when its provider took it, and then it did not arrive."""
    return part.state == "failed" and part.content is None
