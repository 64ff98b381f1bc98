"""Play a transcript on the stage: the real channel code, and every word that is heard.

What one looks like stands in bot/rehearsal/transcripts.py. A bubble that nobody heard fails.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import clock
from bot.channels import simulator
from bot.rehearsal import planned, transcripts, weekly
from bot.rehearsal.phones import Phone
from bot.rehearsal.transcripts import Deed, Line, Transcript, programme, read
from tests.stage import Person, Stage

__all__ = ["Line", "Transcript", "play", "programme", "read", "record"]


async def play(path: Path, database_url: str, channel: str | None = None) -> Stage:
    """Play it with each person's own channel, or with everybody on one."""
    transcript = read(path)
    stage = await _stage(transcript, database_url, channel)
    try:
        for line in transcript.lines:
            await _play(stage, line, path)
        left = {
            each.name: [str(b) for b in each.unread]
            for each in stage.people.values()
            if each.unread
        }
        assert not left, f"{path.name}: nobody wrote down that they heard {left}"
        assert not stage.complaints(), stage.complaints()
    finally:
        await stage.close()
    return stage


async def _stage(transcript: Transcript, database_url: str, channel: str | None) -> Stage:
    stage = Stage(database_url)
    stage.phones.approves = transcript.templates
    stage.load(programme(transcript))
    stage.app.database.run_now(lambda db: weekly.save(db, transcript, clock.now()))
    for part in transcript.cast:
        person = stage.add(part.name, channel or part.channel, part.language)
        for slug in part.communities:
            stage.settle(person, slug, part.role)
    stage.app.database.run_now(lambda db: planned.save(db, transcript, clock.now()))
    return stage


async def _play(stage: Stage, line: Line, path: Path) -> None:
    if line.sign == "-":
        await _happen(stage, line.words)
    elif line.sign == ">":
        await _act(stage, line.who, _with_codes(stage, line.words))
    else:
        heard = await stage.listen(line.who)
        got = None if heard is None else str(heard)
        assert got == line.words, (
            f"{path.name}:{line.number} {line.who} should hear\n{line.words}\n--- but heard\n{got}"
        )


async def record(path: Path, database_url: str) -> str:
    """Play only what people say, and write down all that is heard: a draft to read and judge."""
    transcript = read(path)
    stage = await _stage(transcript, database_url, None)
    said = []
    for line in transcript.lines:
        if line.sign == "<":
            continue
        said.append(
            transcripts.spoken(line.who, ">", line.words) if line.sign == ">" else line.words
        )
        if line.sign == ">":
            await _act(stage, line.who, _with_codes(stage, line.words))
        else:
            await _happen(stage, line.words)
        for _second in range(8):
            clock.move(timedelta(seconds=1))
            await stage.deliver()
        for person in stage.people.values():
            said += [transcripts.spoken(person.name, "<", str(each)) for each in person.unread]
            person.unread.clear()
    await stage.close()
    return "\n".join(said)


async def _happen(stage: Stage, words: str) -> None:
    if words == transcripts.RESTART:
        return await stage.restart()
    by = transcripts.later(words)
    assert by is not None, words
    await stage.later(by)


async def _act(stage: Stage, who: str, words: str) -> None:
    deed = transcripts.deed(words)
    person = stage.people[who]
    on_page = _on_page(person, deed)
    if on_page is not None:
        await stage.page(person, on_page)
    elif deed.verb == "provider":
        assert isinstance(person.phone, Phone), "only a provider of the simulator fails by a word"
        person.phone.provider = deed.words
    elif deed.verb == "reply":
        await _reply(stage, who, deed)
    else:
        await _act_anywhere(stage, who, deed)


async def _act_anywhere(stage: Stage, who: str, deed: Deed) -> None:
    match deed.verb:
        case "choose":
            await stage.choose(who, deed.words)
        case "edit":
            await stage.edit(who, deed.about, deed.words)
        case "forward":
            await stage.forward(who, deed.words)
        case "membership":
            await stage.membership(who, deed.words.removesuffix("s"))
        case "send":
            await stage.send_file(who, deed.words)
        case _:
            await stage.say(who, deed.words)


def _on_page(person: Person, deed: Deed) -> dict[str, Any] | None:
    """What a phone of the simulator does by itself; the stage knows only those of the providers."""
    if not isinstance(person.phone, Phone):
        return None
    if deed.verb == "edit":
        said = [fact for fact in simulator.phones().journal if fact.words == deed.about]
        return {
            "edit": next(fact.bubble for fact in said if fact.phone == person.phone.id),
            "text": deed.words,
        }
    return {
        "forward": {"text": deed.words, "forwarded": True},
        "membership": {"membership": deed.words},
    }.get(deed.verb)


async def _reply(stage: Stage, who: str, deed: Deed) -> None:
    """Words or a file, or a choice on the bubble that holds the old words."""
    choice = transcripts.deed(deed.words)
    if choice.verb == "send":
        return await stage.reply_with(who, deed.about, choice.words)
    if choice.verb != "choose":
        return await stage.reply(
            who, deed.about, choice.words if choice.verb == "say" else deed.words
        )
    person = stage.people[who]
    bubble = person.bubble_with(deed.about)
    index = transcripts.choices(str(bubble)).index(choice.words)
    if not bubble.buttons:
        await stage.reply(who, deed.about, str(index + 1))
    elif person.channel == "telegram":
        number = int(bubble.id.rpartition("/")[2])
        await stage.update(person, person.phone.tap(bubble.buttons[index][1], number))
    else:
        await stage.page(person, {"bubble": bubble.id, "button": index})


def _with_codes(stage: Stage, words: str) -> str:
    for wanted in transcripts.codes_in(words):
        words = transcripts.with_code(words, wanted, stage.code(*wanted.split()))
    return words
