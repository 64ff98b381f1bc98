"""A programme file: communities and facilitators, in YAML; loading it again changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from sqlalchemy import Connection

from bot import library, strictly
from bot.i18n import languages, tidy
from bot.messages import Message
from bot.store import audit, communities, contents, meeting, messages, programmes
from bot.timetable import HolidayPart, Names, RhythmPart, known_zone, save_holidays, save_rhythm

CONSENT_DEMO = "demo"
NAMED = ("facilitator", "focal_point", "monitor", "administrator")  # in lists, with an s
# What a community is in the file, and not in its own row of the store.
NOT_COLUMNS = {"ended", "names", "purpose", "rhythm", *(f"{role}s" for role in NAMED)}
LONGEST_PURPOSE = 400  # characters


class ProgrammeError(Exception):
    """The file is not usable; the text names the place and the mend, in one line."""


def _known_language(value: str) -> str:
    if value not in languages():
        raise ValueError(f"{value} is no language here; use one of {', '.join(languages())}")
    return value


def _some_languages(value: dict[str, str]) -> dict[str, str]:
    tidied = {_known_language(code): tidy(text) for code, text in value.items()}
    empty = next((code for code, text in tidied.items() if not text), None)
    if empty is not None or not tidied:
        raise ValueError(f"the text in {empty or 'any language'} is empty; leave it out instead")
    long = next((code for code, text in tidied.items() if len(text) > LONGEST_PURPOSE), None)
    if long is not None:
        raise ValueError(f"the text in {long} is longer than {LONGEST_PURPOSE} characters")
    return tidied


def _known_address(value: str) -> str:
    if not re.fullmatch(r"telegram:[0-9]{1,20}|whatsapp:\+[0-9]{6,15}", value):
        raise ValueError("write an address like telegram:123456789 or whatsapp:+8562055123456")
    return value


def _days(least: int, most: int) -> BeforeValidator:
    """Whole days within sane limits."""

    def check(value: object) -> object:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"use a whole number of days from {least} to {most}")
        return value

    return BeforeValidator(check)


def _dollars(value: object) -> object:
    if value is not None and (type(value) is not int or not 1 <= value <= 1_000_000):
        raise ValueError("use a whole number of US dollars a month, such as 50; no sign, no words")
    return value


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Purpose = Annotated[dict[str, str], AfterValidator(_some_languages)]
Address = Annotated[str, AfterValidator(_known_address)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CommunityPart(_Part):
    slug: Slug
    names: Names
    purpose: Purpose | None = None  # what it is for, in one or more languages
    language: Annotated[str, AfterValidator(_known_language)]
    timezone: Annotated[str, AfterValidator(known_zone)]
    approval: bool = False
    discreet: bool = False
    ended: bool = False
    rhythm: RhythmPart = RhythmPart()  # what is said every week; as usual, if it is left out
    facilitators: list[Address] = []
    focal_points: list[Address] = []  # they read reports, and what is referred to them
    monitors: list[Address] = []  # they see figures, no names
    administrators: list[Address] = []  # they see rules and figures, no messages

    @model_validator(mode="after")
    def _one_role_each(self) -> CommunityPart:
        for first, second in combinations(NAMED, 2):
            if set(getattr(self, f"{first}s")) & set(getattr(self, f"{second}s")):
                raise ValueError(f"somebody is in {first}s and {second}s; each has one role")
        return self


class DemoMember(_Part):
    """Somebody who is there from the start; simulator phones only, since nobody asked her."""

    address: Annotated[str, Field(pattern=r"^simulator:[\w-]{1,40}$")]
    name: str
    organisation: str | None = None
    look: Literal["whatsapp", "telegram"]
    language: Annotated[str, AfterValidator(_known_language)]
    role: Literal["member", "host", "facilitator", "monitor", "focal_point", "administrator"] = (
        "member"
    )
    communities: list[Slug]


class HelpPart(_Part):
    """Where somebody in need gets help now: name, number and hours, in each language."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    words: Names


class ProgrammePart(_Part):
    slug: Slug
    names: Names
    contact: str = Field(min_length=3, max_length=200)
    discreet: bool = False  # all of its communities are
    help: list[HelpPart] = []
    holidays: list[HolidayPart] = []
    transcribe: bool = False  # voices become text, where an engine is set up for their language
    # US dollars a month for WhatsApp; administrators hear when most of it is used
    budget: Annotated[int | None, BeforeValidator(_dollars)] = None


class RetentionPart(_Part):
    """For how many days something is kept; what is left out is kept as long as usual."""

    raw_inbound: Annotated[int | None, _days(1, 90)] = None
    unfinished_conversations: Annotated[int | None, _days(1, 7)] = None
    sealed_links: Annotated[int | None, _days(1, 90)] = None
    audit: Annotated[int | None, _days(30, 1095)] = None


class Programme(_Part):
    programme: ProgrammePart
    retention: RetentionPart = RetentionPart()
    communities: list[CommunityPart] = Field(min_length=1)
    demo_members: list[DemoMember] = []

    @model_validator(mode="after")
    def _known_communities(self) -> Programme:
        slugs = [each.slug for each in self.communities]
        twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
        if twice is not None:
            raise ValueError(f"two communities have the slug {twice}")
        for member in self.demo_members:
            for slug in member.communities:
                if slug not in slugs:
                    raise ValueError(f"{slug}, of a demo member, is no community of this file")
        return self


def read(path: Path) -> Programme:
    """Raises ProgrammeError with one line."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return Programme.model_validate(strictly.load(text))
    except OSError as error:
        raise ProgrammeError(f"{path.name} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ProgrammeError(f"{path.name} is no YAML{line}: mend it and load again") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"]) or "the file"
        reason = str(first["msg"]).removeprefix("Value error, ")
        line = _line_of(text, first["loc"])
        raise ProgrammeError(f"{path.name}, {line}{place}: {reason}") from None


def _line_of(text: str, place: tuple[int | str, ...]) -> str:
    """The line on which a place begins, or the nearest that there is around it."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for each in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(each, int):
            node = node.value[each]
        elif isinstance(node, yaml.MappingNode):
            inside = next((part for key, part in node.value if key.value == each), None)
            node = inside or node
    return "" if node is None or not place else f"line {node.start_mark.line + 1}, "


def load(
    db: Connection, programme: Programme, lanes: Mapping[str, str], now: datetime
) -> dict[str, int]:
    """Add what is new, bring the rest up to date; counts. Raises ProgrammeError."""
    about = programme.programme
    programme_id = programmes.save(
        db,
        about.slug,
        about.names,
        about.contact,
        programme.retention.model_dump(exclude_none=True),
        about.budget,
        transcribe=about.transcribe,
    )
    programmes.save_help(db, programme_id, [(each.country, each.words) for each in about.help])
    save_holidays(db, programme_id, about.holidays)
    ids = {}
    for number, each in enumerate(programme.communities):
        row = each.model_dump(exclude=NOT_COLUMNS)
        row["discreet"] |= about.discreet
        ids[each.slug] = id_ = communities.save_community(db, programme_id, row)
        communities.mark_ended(db, id_, now, ended=each.ended)
        _describe(db, each, id_, now)
        if not each.ended:
            save_rhythm(db, id_, each.rhythm, now)
        for role in NAMED:
            for nth, address in enumerate(getattr(each, f"{role}s")):
                place = f"communities.{number}.{role}s.{nth}"
                _expect(db, address, role, place, id_, lanes, now)
    for member in programme.demo_members:
        _add_demo_member(db, member, ids, now)
    return {
        "communities": len(programme.communities),
        "facilitators": sum(len(each.facilitators) for each in programme.communities),
    }


def _describe(db: Connection, part: CommunityPart, id_: int, now: datetime) -> None:
    """What it is called and what it is for, in the words of the file."""
    said = {"name": part.names, "purpose": part.purpose}
    items = [
        library.of_community(id_, kind, part.language, texts)
        for kind, texts in said.items()
        if texts
    ]
    library.take(db, items, now)
    if part.purpose is None:
        library.retire_unsaid(db, contents.key_of(id_, "purpose"), now)


def _expect(
    db: Connection,
    address: str,
    role: str,
    place: str,
    community_id: int,
    lanes: Mapping[str, str],
    now: datetime,
) -> None:
    """Who has a role is known by her address; she is welcomed when she first writes."""
    channel, _colon, name = address.partition(":")
    lane = lanes.get(channel)
    if lane is None:
        raise ProgrammeError(
            f"{place} has a {channel}: address, but {channel} is not set up; "
            f"set it up first (`linkline doctor` says how)"
        )
    name = address if channel == "whatsapp" else name
    member_id = meeting.find_by_address(db, lane, name)
    if member_id is None:
        member_id = meeting.add(db, lane, [name], now, state="new")
    before = communities.find_membership(db, member_id, community_id)
    communities.appoint(db, member_id, community_id, now, role)
    if before is None or before.role != role:
        audit.add(
            db, None, f"role.named {role}", now, community_id=community_id, subject_id=member_id
        )


def _add_demo_member(
    db: Connection, member: DemoMember, ids: Mapping[str, int], now: datetime
) -> None:
    lane = f"simulator/{member.look}"
    member_id, address_id = meeting.add_ready(
        db,
        lane,
        member.address.partition(":")[2],
        now,
        name=member.name,
        organisation=member.organisation,
        language=member.language,
        consent_version=CONSENT_DEMO,
        consent_language=member.language,
        consent_at=now,
    )
    if address_id is None:
        return  # she is there already, and may have left or stopped since
    for slug in member.communities:
        communities.join(db, member_id, ids[slug], member.role, "active", now)
    menu = (f"demo/{member.address}", Message(commands=True), now)
    messages.say(db, [menu], (address_id, member_id, lane), now)
