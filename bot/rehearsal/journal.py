"""The journal of the phones, written as a transcript that the tests can play."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.i18n import catalogue, languages
from bot.rehearsal import samples, transcripts
from bot.rehearsal.phones import LONGEST_JOURNAL, Fact, Phone, Phones
from bot.rehearsal.transcripts import Part
from bot.store.references.bubbles import LENGTHS

LONG = timedelta(seconds=60)  # so long a silence may mean something to the bot
PAUSE = timedelta(seconds=4)  # between two things that people do: one thought, or two
SNIPPET = 40  # characters of a bubble that are quoted, if they tell it from the others
ACTS = ("says", "sends", "forwards", "taps", "edits")
ON_THE_PAGE = ("video", "document", "location")  # files that the tests' phones do not send
_DOCUMENT = re.compile(r"\(file\.\w+\)")


def write(phones: Phones, title: str, head: Sequence[str], cast: Sequence[Part]) -> str:
    """All that happened, in order, under these lines and with this cast."""
    writer = _Writer(phones)
    for fact in phones.journal:
        writer.take(fact)
    own = _only_the_simulator(phones.journal)
    parts = [_cast_line(part, "simulator/" if own else "") for part in cast]
    # What is said may differ by channel: it was said on these.
    top = [f"# {title}", transcripts.OWN_CHANNELS, *head, *parts]
    if len(phones.journal) >= LONGEST_JOURNAL:
        top.insert(1, "# It was too long: its end is missing.")
    talk = "\n".join(writer.lines)
    for name in _drawn(phones):
        talk = talk.replace(name, transcripts.DRAWN)
    talk = _with_samples(transcripts.with_receipts(talk, _receipts(phones)))
    return "\n".join([*top, "", talk, ""])


def _drawn(phones: Phones) -> set[str]:
    """Names that were drawn by lot; the owner of a phone has hers from nobody."""
    found = {transcripts.drawn(_words(fact)) for fact in phones.journal}
    names = {phone.name for phone in phones.all.values()}
    return {each for each in found if each is not None and each not in names}


def _receipts(phones: Phones) -> dict[str, str]:
    """What the codes of reports, in the order they were told, are when a test plays it."""
    told = (transcripts.receipt(fact.words) for fact in phones.journal if fact.verb == "hears")
    codes = dict.fromkeys(each for each in told if each is not None)
    return {code: f"{transcripts.RECEIPTS}{number}" for number, code in enumerate(codes, 2)}


def _only_the_simulator(journal: Sequence[Fact]) -> bool:
    """Providers fail by a word, and some files are sent, on the simulator only."""
    return any(
        fact.verb == "provider" or (fact.verb == "sends" and fact.words in ON_THE_PAGE)
        for fact in journal
    )


def _with_samples(talk: str) -> str:
    """What somebody recorded or chose stays with her: whoever plays it again sends samples."""
    for kind, length in samples.LENGTHS.items():
        for language in languages():
            said = catalogue(language).gettext(LENGTHS[kind](length).msgid)
            pattern = re.escape(said).replace(re.escape("{length}"), r"\d+:\d\d")
            talk = re.sub(pattern, said.format(length=length), talk)
    return _DOCUMENT.sub("(file.pdf)", talk)


def _cast_line(part: Part, before: str) -> str:
    place = " ".join([*part.communities, *([part.role] if part.role != "member" else [])])
    return f"{part.name} [{before}{part.channel}, {part.language}] {place}".rstrip()


@dataclass
class _Writer:
    phones: Phones
    lines: list[str] = field(default_factory=list)
    _heard: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))  # by phone
    _said: dict[str | None, str] = field(default_factory=dict)  # first words, by bubble
    _acted: bool = False  # the last thing was done by somebody
    _until: datetime | None = None  # as far as is written

    def take(self, fact: Fact) -> None:
        self._let_time_pass(fact)
        if fact.verb == "restarts":
            self.lines.append(transcripts.RESTART)
        elif fact.phone in self.phones.all:
            self._tell(self.phones.all[fact.phone], fact)
        self._acted = fact.verb in ACTS

    def _let_time_pass(self, fact: Fact) -> None:
        """Moves of the clock to the second, and silences that may mean something."""
        silence = fact.at - (self._until or fact.at)
        if silence >= LONG or (silence >= PAUSE and self._acted and fact.verb in ACTS):
            self._later(silence)
        end = fact.at
        if fact.verb == "moves":  # what comes meanwhile is heard at its end
            moved = timedelta(seconds=int(fact.words))
            self._later(moved)
            end += moved
        self._until = max(end, self._until or end)

    def _later(self, by: timedelta) -> None:
        whole = int(by.total_seconds())
        self.lines.append(transcripts.as_later(timedelta(seconds=whole)))

    def _tell(self, phone: Phone, fact: Fact) -> None:
        if fact.verb == "hears":
            self.lines.append(transcripts.spoken(phone.name, "<", _words(fact)))
            self._heard[phone.id].append(fact)
            return
        words = self._deed(phone, fact)
        if words is not None:
            self.lines.append(transcripts.spoken(phone.name, ">", words))
        if fact.verb in ("says", "forwards"):
            self._said[fact.bubble] = fact.words

    def _deed(self, phone: Phone, fact: Fact) -> str | None:
        match fact.verb:
            case "says":
                return self._saying(phone, fact)
            case "sends":
                quoted = self._quoted(phone, fact.reply_to)
                return f"({fact.words})" if quoted is None else f'"{quoted}" <- ({fact.words})'
            case "forwards":
                return f"(forwards) {fact.words}"
            case "taps":
                return self._tap(phone, fact)
            case "edits":
                return f'(edits "{self._said.get(fact.bubble, "")}") {fact.words}'
            case "blocked" | "unblocked":
                return f"({fact.verb.removesuffix('ed')}s)"
        return f"(provider: {fact.words})"

    def _saying(self, phone: Phone, fact: Fact) -> str:
        quoted = self._quoted(phone, fact.reply_to)
        if quoted is not None:
            return f'"{quoted}" <- {self._with_codes(fact.words)}'
        return self._number(phone, fact) or self._with_codes(fact.words)

    def _with_codes(self, words: str) -> str:
        found = next((code for code in self.phones.codes if code in words), None)
        if found is None:
            return transcripts.plain(words)
        return words.replace(found, f"{{{self.phones.codes[found]}}}")

    def _number(self, phone: Phone, fact: Fact) -> str | None:
        """A number typed at the list on WhatsApp is a choice."""
        heard = self._heard[phone.id]
        if phone.look != "whatsapp" or not heard:
            return None
        labels = transcripts.choices(_words(heard[-1]))
        chosen = [label for number, label in enumerate(labels, 1) if fact.words == str(number)]
        return f"[{chosen[0]}]" if chosen else None

    def _tap(self, phone: Phone, fact: Fact) -> str:
        offered = [each for each in self._heard[phone.id] if fact.words in each.labels]
        if offered and offered[-1].bubble == fact.bubble:
            return f"[{fact.words}]"
        return f'"{self._quoted(phone, fact.bubble) or ""}" <- [{fact.words}]'

    def _quoted(self, phone: Phone, bubble: str | None) -> str | None:
        """Words that only this bubble holds, or holds last; None if it is none that she heard."""
        heard = self._heard[phone.id]
        at = next((n for n, each in enumerate(heard) if bubble and each.bubble == bubble), None)
        if at is None:
            return None
        text = heard[at].words
        later = [each.words for each in heard[at + 1 :]]
        snippets = [line[:SNIPPET] for line in text.split("\n") if line] + [text]
        free = (each for each in snippets if '"' not in each and not _in_any(each, later))
        return next(free, text)


def _words(fact: Fact) -> str:
    return transcripts.heard(fact.words, fact.labels)


def _in_any(words: str, texts: Sequence[str]) -> bool:
    return any(words in text for text in texts)
