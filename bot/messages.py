"""The plain nouns that cross the layers: Text, Message, Inbound, Receipt, Outbound, Limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Ref:
    """A row, looked up only when the text is rendered: what was erased meanwhile stays unsaid."""

    table: str  # members, communities, threads, posts, ...: store/references.py reads them
    id: int
    most: int | None = None  # graphemes of it to show


@dataclass(frozen=True, slots=True)
class Month:
    """A month and its year, where the day does not matter."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence of the catalogues, rendered in the language of the one who receives it."""

    msgid: str  # the English sentence with {named} placeholders
    params: Mapping[str, object] = field(
        default_factory=dict
    )  # scalars, Text, datetime, date, Month, Ref
    plural: str | None = None  # the English plural; params["n"] decides
    language: str | None = None  # said in this language whoever receives it


def _(msgid: str, /, **params: object) -> Text:
    """Mark a sentence for the catalogues; it is rendered later, for each recipient."""
    return Text(msgid, params)


def _n(singular: str, plural: str, /, *, n: int, **params: object) -> Text:
    """Like _(), with a number that decides between singular and plural."""
    return Text(singular, {"n": n, **params}, plural)


def N_(msgid: str, /) -> str:
    """Mark a string for the catalogues without making a Text of it."""
    return msgid


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may be tapped, typed as a number, or typed in words."""

    key: str  # what the step gets; on delivered messages "conversation.action:argument"
    label: Text  # at most 20 characters in every language


@dataclass(frozen=True, slots=True)
class Listing:
    """Short lines under a heading; a line with words that are gone by then is left out."""

    heading: Text
    lines: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The picture of a Happy Tree, drawn when it is handed over; its caption says the same."""

    communities: tuple[int, ...]  # whose leaves hang on it
    caption: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be said, to one or to many, before anybody's language is known."""

    paragraphs: tuple[Text, ...] = ()
    choices: tuple[Choice, ...] = ()
    hint: Text | None = None  # how to answer; left out for those who know it
    step: str | None = None  # the step that waits for the answer, "ask.confirm"
    free: bool = False  # the step also takes free text beside the choices
    subject: Ref | None = None  # what a reply to it is about
    qr: str | None = None  # a QR picture that says this comes with it; the words are its caption
    tree: Tree | None = None  # a picture that comes before the words
    file: Ref | None = None  # a file that is made at the moment it is handed over
    commands: bool = False  # not a bubble: the chat's command menu, in its member's language
    retract: Ref | None = None  # not a bubble: takes back a post, or all there is in a chat
    nudge: bool = False  # a template the provider has approved, which tells that something waits
    listings: tuple[Listing, ...] = ()  # said after the paragraphs, all in one bubble


def refs_of(message: Message) -> Iterator[Ref]:
    """All references that must be looked up to render a message."""
    caption = () if message.tree is None else message.tree.caption
    for text in (*caption, *message.paragraphs, *(choice.label for choice in message.choices)):
        yield from refs_in(text)
    for listing in message.listings:
        for text in (listing.heading, *listing.lines):
            yield from refs_in(text)
    if message.hint is not None:
        yield from refs_in(message.hint)


def refs_in(text: Text) -> Iterator[Ref]:
    """All references of one text."""
    for value in text.params.values():
        if isinstance(value, Ref):
            yield value
        elif isinstance(value, Text):
            yield from refs_in(value)


def tells_time(message: Message) -> bool:
    """Whether it shows a moment, which is another hour on other clocks."""
    listed = [line for each in message.listings for line in (each.heading, *each.lines)]
    return any(_has_moment(text) for text in (*message.paragraphs, *listed))


def _has_moment(text: Text) -> bool:
    return any(
        isinstance(value, datetime) or (isinstance(value, Text) and _has_moment(value))
        for value in text.params.values()
    )


@dataclass(frozen=True, slots=True)
class Tap:
    """A button that was pressed, as the provider hands it back."""

    token: str  # which prompt
    index: int  # which of its choices


@dataclass(frozen=True, slots=True)
class File:
    """Something that came along and is not text; fetched later, by its reference."""

    kind: str  # voice, video, photo, document, location, contact, sticker
    reference: str  # the provider's handle (file id, media address)
    seconds: int | None = None  # claimed by the sender
    mime: str | None = None  # claimed by the sender


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing somebody did in a chat, in no provider's words."""

    lane: str  # the sending identity it came to
    key: str  # names this event at its provider, for ever; seen twice = one effect
    sender: tuple[str, ...]  # names of the address, the one to write to first
    kind: str = "message"  # message, edit, tap, blocked, unblocked, group, moved
    text: str = ""
    files: tuple[File, ...] = ()
    tap: Tap | None = None
    id: str | None = None  # the provider's id of this bubble
    reply_to: str | None = None  # the provider's id of the bubble that is quoted
    forwarded: bool = False
    name: str | None = None  # what the person calls herself at the provider; never trusted
    language: str | None = None  # a hint from her app, an IETF tag
    receipt: str | None = None  # what acknowledge() needs to stop a button's spinner
    moved_to: str | None = None  # the other name of this chat from now on


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says became of something we sent."""

    lane: str
    # sent, delivered, read; or what did not arrive: failed, gone, window, later (it may be tried
    # again), settings (nothing passes until somebody mends it), media (its words may), template
    state: str
    token: str | None = None  # our own token, where the callback carries it
    id: str | None = None  # the provider's id
    error: str | None = None  # the provider's code, for what did not arrive
    template: str | None = None  # what became of the template: rejected, paused, disabled


@dataclass(frozen=True, slots=True)
class Button:
    """A choice as it is shown: its data names a prompt and a position, never words."""

    label: str
    data: str  # at most 64 bytes


@dataclass(frozen=True, slots=True)
class Say:
    """One bubble, rendered and fitted to the channel's limits."""

    to: str
    text: str
    token: str  # names this part at the provider, where it has a place for it
    buttons: tuple[Button, ...] = ()
    reply_to: str | None = None
    template: str | None = None  # shows the buttons, where nothing else does
    opens: str = ""  # the label of what opens them as a list, where the template shows one


@dataclass(frozen=True, slots=True)
class Menu:
    """The list of commands in one chat, in its member's language."""

    to: str
    token: str
    language: str
    commands: tuple[tuple[str, str], ...]  # (command, what it does)


@dataclass(frozen=True, slots=True)
class Media:
    """A recording, a picture or a file, with words below it where there are any."""

    to: str
    text: str  # the words below it
    token: str
    kind: str  # voice, video, photo, document
    name: str  # of the file; it tells nothing of whose it is
    content: bytes = b""  # empty where the provider fetches it from us, by its token


@dataclass(frozen=True, slots=True)
class Retract:
    """Bubbles to be deleted from one chat, ours and hers; those that are gone are no harm."""

    to: str
    token: str
    ids: tuple[str, ...]  # the provider's, at most 100


@dataclass(frozen=True, slots=True)
class Nudge:
    """A template that the provider has approved: it alone passes when her window is closed."""

    to: str
    token: str
    template: str  # the provider's id of it


@dataclass(frozen=True, slots=True)
class Template:
    """A bubble that its provider knows beforehand; {{1}}, {{2}}, ... are filled in later."""

    name: str  # ours: nudge, choices_3, ...
    language: str  # of the member; "" = any
    code: str  # the provider's own code of its language
    body: str
    buttons: tuple[Button, ...] = ()
    opens: str = ""  # the label of what opens the buttons as a list; "" = they just stand there
    approved: bool = True  # it is said when a window is closed, so somebody there reads it first


@dataclass(frozen=True, slots=True)
class Standing:
    """How a template stands at its provider."""

    sid: str  # the provider's id
    name: str  # as the provider knows it
    state: str  # unsubmitted, received, pending, approved, rejected, paused, disabled
    reason: str | None = None  # in the provider's words


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many calls in any stretch of so many seconds."""

    count: int
    seconds: float


Outbound = Say | Media | Menu | Retract | Nudge


@dataclass(frozen=True, slots=True)
class Trace:
    """A bubble that its provider still has, ours or hers, of somebody who is being forgotten."""

    lane: str
    to: str
    id: str  # the provider's
    at: datetime
    parting: bool = False  # our last word to her, which stays on her phone


@dataclass(frozen=True, slots=True)
class Tappable:
    """Choices that a template shows: bot/templates.py names them by their number."""

    most: int  # choices
    label: int  # characters of each
    text: int  # UTF-16 units above them


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry."""

    text: int  # UTF-16 units in one bubble
    buttons: int  # buttons under one bubble; 0 = choices become a numbered list
    label: int = 20  # characters on a button
    window: timedelta | None = None  # after her last word we may answer freely for this long
    commands: bool = False  # the chat has a menu of commands
    retract: timedelta | None = None  # bubbles younger than this can be deleted
    fetches: bool = False  # files are not handed over: the provider fetches them from us
    reassigned: bool = False  # an address may pass to another person one day
    receipts: bool = False  # the provider says what was delivered, and what was read
    price: float = 0.0  # US dollars, about, that the provider takes for one bubble
    nudge_price: float = 0.0  # US dollars, about, for a template, with what its owner takes
    rate: Rate | None = None  # of all there is on the lane
    chat_rate: Rate | None = None  # to one person
    group_rate: Rate | None = None  # to one group
    groups: str | None = None  # what the address of a group begins with
    tappable: tuple[Tappable, ...] = ()  # with few choices first; only where they are set up
