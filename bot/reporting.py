"""Reporting: how a voice, a picture or a file comes into a report, and who waits for it meanwhile.

While she is asked, its handle stands in the sealed talk alone: what is cancelled was never fetched.
Then it is held in an envelope for a random time, so that neither the order of rows nor the moment
of a file tells who reported. Until it is fetched a second envelope knows whom to tell if it cannot
be; what joins it to her ends with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.judging import ARRIVES_IN
from bot.messages import File, Inbound
from bot.smalltalk import PASSED_ON
from bot.store import enclosures, envelopes, media, reports

HELD = "report_files"  # the kind of envelope that holds handles of files
FETCHED = "report_fetch"  # ... of the one that waits for what becomes of them
READERS = "report"  # ... after which its readers are told
SENDER = "report_answer"  # ... and after which the one who reported is
SOON = timedelta(seconds=30)  # between two looks at what is being fetched

Handle = dict[str, Any]  # of a file at its provider, as JSON


def handles(inbound: Inbound) -> list[Handle]:
    """Of what came along and can be passed on."""
    files = (each for each in inbound.files if each.kind in PASSED_ON)
    return [{"lane": inbound.lane, "file": asdict(each)} for each in files]


def kinds(given: Iterable[Handle]) -> set[str]:
    return {each["file"]["kind"] for each in given}


def add_words(data: dict[str, Any], inbound: Inbound, text: str) -> None:
    """A bubble of hers, in the sealed talk."""
    data["said"] = {**data.get("said", {}), inbound.id or inbound.key: text}


def change_words(data: dict[str, Any], inbound: Inbound, text: str) -> bool:
    """What she takes out of a bubble in her app must not go out; False if it is none of these."""
    said = data.get("said", {})
    if said.get(inbound.id, text) == text:
        return False
    data["said"] = {**said, inbound.id: text}
    return True


def words(data: Mapping[str, Any]) -> str:
    """All she wrote; in one piece in a talk that was begun before bubbles were told apart."""
    said = (data.get("words"), *data.get("said", {}).values())
    return "\n".join(each for each in said if each)


def pass_on(
    db: Connection,
    report_id: int,
    member_id: int,
    what: str,
    given: Sequence[Handle],
    now: datetime,
    due_at: datetime,
) -> None:
    """At that moment files come into a report; then its readers hear of what is new, or more."""
    content = {"kind": READERS, "report": report_id, "what": what}
    if given:
        held = {"kind": HELD, "member": member_id, "report": report_id, "files": list(given)}
        envelopes.add(db, held | patience(given, now), due_at)
        # After an outage both are due: what comes later is opened later.
        due_at += SOON
    envelopes.add(db, content | patience(given, now), due_at)


def patience(given: Sequence[Handle], now: datetime) -> dict[str, str]:
    """What an envelope says that waits for these before it tells others."""
    return {"since": now.isoformat()} if given else {}


def take_in(db: Connection, content: Mapping[str, Any], now: datetime) -> None:
    """They are fetched now; whoever sent them hears if that fails."""
    ids = []
    for each in content["files"]:
        file = [File(**each["file"])]
        ids += reports.add_files(
            db, content["report"], reports.REPORTER, None, each["lane"], file, now
        )
    watch = {**content, "kind": FETCHED, "files": [], "media": ids}
    envelopes.add(db, watch, now + SOON)


def is_early(db: Connection, content: Mapping[str, Any], now: datetime) -> bool:
    """Whether others are told later, as what belongs to it is still on its way; held again then."""
    since = content.get("since")
    if since is None or now >= datetime.fromisoformat(since) + ARRIVES_IN:
        return False
    if not (_is_held(db, content["report"]) or enclosures.is_awaited(db, content["report"])):
        return False
    envelopes.add(db, dict(content), now + SOON)
    return True


def _is_held(db: Connection, report_id: int) -> bool:
    held = envelopes.list_contents(db)
    return any((each["kind"], each.get("report")) == (HELD, report_id) for each in held)


def what_became(db: Connection, content: Mapping[str, Any], now: datetime) -> set[str]:
    """Of what was to be fetched: failed; late, where others were told without it."""
    states = set(media.list_states(db, content["media"]))
    if "waiting" in states:
        envelopes.add(db, dict(content), now + SOON)
        return set()
    if "stored" in states and now >= datetime.fromisoformat(content["since"]) + ARRIVES_IN:
        states.add("late")
    return states & {"failed", "late"}
