"""The scribe: voices that may be turned into text are heard by an engine, one at a time.

It stands beside the fetcher in the worker. Nothing here holds a transaction while an engine is
asked. Whoever is killed in the middle leaves a lease; then the voice is heard again, and said once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import Connection

from bot import captioning, clock, logs
from bot.db import Database, StoreDown
from bot.media import cleaning
from bot.media.vault import Missing, ShelfDown
from bot.seals import SealError
from bot.settings import Settings
from bot.store import agreements, captions, transcripts
from bot.store.agreements import Agreement
from bot.store.transcripts import LONGEST, Voice, Work
from bot.voice.endpoint import Endpoint
from bot.voice.engines import Engine, Hears, TryAgain, Unfit
from bot.voice.judging import judge
from bot.voice.local import Local

POLL = 5.0  # seconds between looks at the store
LEASE = timedelta(minutes=10)  # longer than any engine may take
SOME = 20  # voices that are noticed at once
MOST_TRIES = 9  # in about a day; then it stays without text
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=8)
FILM = "video/mp4"

Get = Callable[[str], Awaitable[bytes]]  # a file of the vault, by its name

log = logs.get("scribe")


class Scribe:
    """One for a process; any number of processes share the work."""

    def __init__(
        self,
        database: Database,
        engines: Mapping[str, Engine],
        hears: Mapping[str, Hears],
        get: Get,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._engines = engines  # by language
        self._hears = hears  # by language too
        self._get = get
        self._wake = wake  # something was said

    @classmethod
    def from_settings(
        cls, settings: Settings, database: Database, get: Get, wake: Callable[[], None]
    ) -> Self:
        engines, key = settings.engines, settings.transcribe_key
        hears = {code: _opened(engine, key) for code, engine in engines.items()}
        return cls(database, engines, hears, get, wake)

    async def run(self) -> None:
        """Until cancelled; without an engine there is nothing to do."""
        while self._engines:
            try:
                if await self.write_due():
                    continue
            except StoreDown as error:
                log.warning("store_down", error=str(error))
            except Exception as error:
                log.error("scribe_broke", error=type(error).__name__, where=logs.where(error))
            await asyncio.sleep(POLL)

    async def drain(self) -> None:
        """All that is due now; for tests."""
        while self._engines and await self.write_due():
            pass

    async def write_due(self) -> bool:
        """One voice, if one is due; whether there was one."""
        now = clock.now()
        noticed = await self._database.run(lambda db: self._notice(db, now))
        work = await self._database.run(lambda db: transcripts.claim(db, now, LEASE))
        if work is not None:
            await self._hear(work)
        if noticed or work is not None:
            self._wake()
        return work is not None

    # What is to be heard

    def _notice(self, db: Connection, now: datetime) -> int:
        """New voices get in line, or their authors are asked; how many that were."""
        found = transcripts.list_new(db, self._engines, now, SOME)
        transcripts.add(db, {each.media_id: self._state(each) for each in found}, now)
        asking = {each.author_id: each for each in found if self._state(each) == "asking"}
        for each in asking.values():
            self._ask(db, each, now)
        return len(found)

    def _state(self, voice: Voice) -> str:
        service = self._engines[voice.language].service
        if voice.milliseconds is not None and voice.milliseconds > LONGEST:
            return "failed"
        if voice.may_go_to(service):
            return "waiting"
        said_no = (voice.answer, voice.agreed_to) == ("no", service)
        return "declined" if said_no or not voice.may_be_asked else "asking"

    def _ask(self, db: Connection, voice: Voice, now: datetime) -> None:
        """May her voice go to others? Once, and again if she wished so, or for somebody else."""
        service = self._engines[voice.language].service or ""
        before = _agreement(voice)
        if before is not None and not before.is_open(service, now):
            return
        assert voice.author_id is not None
        agreements.save(db, voice.author_id, service, "asked", now)
        captioning.ask_author(db, now, voice.media_id, voice.post_id, voice.author_id, service)

    # One voice

    async def _hear(self, work: Work) -> None:
        voice = await self._database.run(lambda db: self._look_again(db, work))
        if voice is None:
            return
        if work.attempts > MOST_TRIES:  # whoever heard it has died of it, again and again
            return await self._close(work, voice, "failed")
        try:
            sound = await self._bring(voice)
            if await self._database.run(lambda db: self._look_again(db, work)) is None:
                return  # to bring it has taken a while
            said = await self._hears[voice.language].hear(sound, voice.language)
        except TryAgain as error:
            return await self._try_later(work, voice, error)
        except Unfit as error:
            log.warning("not_transcribed", reason=error.why)
            return await self._close(work, voice, "failed")
        text, doubt = judge(said, voice.language, voice.milliseconds)
        if text is None:
            log.info("no_text", reason=doubt)
            return await self._close(work, voice, "silent" if doubt == "silence" else "failed")
        await self._database.run(lambda db: self._show(db, work, text))

    async def _bring(self, voice: Voice) -> bytes:
        """What the engine is to hear. Raises TryAgain, Unfit."""
        try:
            content = await self._get(voice.name)
        except ShelfDown:
            raise TryAgain("vault_down") from None
        except (Missing, SealError):
            raise Unfit("missing") from None
        return await _sound_of(content) if voice.mime == FILM else content

    def _look_again(self, db: Connection, work: Work) -> Voice | None:
        """Right before it is sent: whose it is may have changed her mind, or be gone."""
        voice = transcripts.find_voice(db, work)
        engine = None if voice is None else self._engines.get(voice.language)
        if voice is None or engine is None or not voice.may_go_to(engine.service):
            transcripts.finish(db, work, "declined")
            return None
        return voice

    def _show(self, db: Connection, work: Work, text: str) -> None:
        """The text stands there; its author and those who need it hear so, with the same commit."""
        voice, now = transcripts.find_voice(db, work), clock.now()
        if voice is None:
            transcripts.finish(db, work, "declined")
            return
        first = voice.author_id is not None and not transcripts.expects(db, voice.author_id)
        if not transcripts.finish(db, work, "shown", text, voice.language):
            return
        caption = captions.find(db, work.caption_id)
        assert caption is not None
        here = first and self._engines[voice.language].service is None
        captioning.tell_author(db, now, caption, captioning.heard(caption, here=here))
        captioning.tell_needing(db, now, caption, "reads")

    async def _try_later(self, work: Work, voice: Voice, error: TryAgain) -> None:
        log.info("not_transcribed", reason=error.why, count=work.attempts)
        if work.attempts >= MOST_TRIES:
            return await self._close(work, voice, "failed")
        grown = min(FIRST_WAIT * 3 ** (work.attempts - 1), LONGEST_WAIT)
        due_at = clock.now() + max(grown, error.after or grown)
        await self._database.run(lambda db: transcripts.postpone(db, work, due_at))

    async def _close(self, work: Work, voice: Voice, state: str) -> None:
        """No text; only an author who waits for one hears so."""
        await self._database.run(lambda db: _close(db, work, voice, state))


def _close(db: Connection, work: Work, voice: Voice, state: str) -> None:
    if not transcripts.finish(db, work, state):
        return
    caption = captions.find(db, work.caption_id)
    expected = voice.author_id is not None and transcripts.expects(db, voice.author_id)
    if caption is not None and expected:
        captioning.tell_author(db, clock.now(), caption, captioning.unheard(state))


async def _sound_of(film: bytes) -> bytes:
    """She agreed that her voice is heard: nobody is sent the pictures."""
    try:
        return (await cleaning.clean("soundtrack", film)).content
    except cleaning.TryAgain:
        raise TryAgain("no_cell") from None
    except cleaning.Unfit as error:
        raise Unfit(error.reason) from None


def _opened(engine: Engine, key: str | None) -> Hears:
    return Local(engine) if engine.folder is not None else Endpoint(engine, key)


def _agreement(voice: Voice) -> Agreement | None:
    if voice.agreed_to is None or voice.answer is None or voice.answered_at is None:
        return None
    return Agreement(voice.agreed_to, voice.answer, voice.answered_at)
