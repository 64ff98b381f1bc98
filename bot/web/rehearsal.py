"""The rehearsal room of the simulator's page: choose, play, fail, compare, export."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.app import App
from bot.channels import simulator
from bot.channels.simulator import LOOKS
from bot.fitting import fit
from bot.i18n import SOURCE, negotiate
from bot.listing import said_in_full
from bot.messages import refs_of
from bot.programme import Programme
from bot.rehearsal import playing, room
from bot.rehearsal.phones import PROVIDERS, Phone
from bot.rehearsal.playing import Player
from bot.rehearsal.room import NoSuchRehearsal, Play, Rehearsals
from bot.store import screens
from bot.store.references import References

Wanted = dict[str, Any]


async def choices(request: Request) -> Response:
    """What can be rehearsed: {programmes, transcripts}."""
    language = negotiate(request.query_params.get("lang")) or SOURCE
    programmes = room.list_programmes().items()
    stored = room.list_transcripts().items()
    return JSONResponse(
        {
            "programmes": [_programme(name, each, language) for name, each in programmes],
            "transcripts": [
                {"name": name, "title": each.title or name, "problem": problem}
                for name, (each, problem) in stored
            ],
        }
    )


def _programme(name: str, programme: Programme, language: str) -> dict[str, Any]:
    people = [
        {
            "id": each.address.partition(":")[2],
            "name": each.name,
            "look": each.look,
            "language": each.language,
        }
        for each in programme.demo_members
    ]
    discreet = any(each.discreet for each in programme.communities)
    title = programme.programme.names[language]
    return {"name": name, "title": title, "discreet": discreet, "people": people}


async def begin(request: Request, wanted: Wanted) -> Response:
    """{programme, people, newcomer}, {transcript}, or {} for the usual store."""
    rehearsals: Rehearsals = request.app.state.rehearsals
    try:
        if wanted:
            await rehearsals.begin(_play(wanted))
        else:
            await rehearsals.back()
    except NoSuchRehearsal:
        return JSONResponse({"error": "programme, people or transcript"}, 400)
    simulator.phones().tell("staged", {})
    return JSONResponse({"rehearsal": rehearsals.about()})


def _play(wanted: Wanted) -> Play:
    if "transcript" in wanted:
        return room.of_transcript(str(wanted["transcript"]))
    people = wanted.get("people")
    if not isinstance(people, list) or not all(isinstance(each, str) for each in people):
        raise NoSuchRehearsal("people")
    newcomer = wanted.get("newcomer") is True
    return room.of_programme(str(wanted.get("programme")), people, newcomer=newcomer)


async def step(request: Request, wanted: Wanted) -> Response:
    """Play the next line of the transcript."""
    player: Player | None = request.app.state.rehearsals.player
    if player is None:
        return JSONResponse({"error": "no transcript"}, 404)
    played = asdict(await player.step())
    simulator.phones().tell("step", played)
    return JSONResponse(played)


async def export(request: Request) -> Response:
    """The talk since the rehearsal began, as a file for tests/conversations."""
    play: Play | None = request.app.state.rehearsals.play
    if play is None:
        return PlainTextResponse("there is no rehearsal\n", 404)
    name = f'attachment; filename="rehearsal-{play.name}.txt"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return PlainTextResponse(room.export(play), headers=headers)


async def provider(request: Request, wanted: Wanted) -> Response:
    """{phone, provider}: how the provider of this phone is from now on."""
    app: App = request.app.state.app
    phone = _phone(wanted)
    state = wanted.get("provider")
    if phone is None or state not in PROVIDERS:
        return JSONResponse({"error": "phone or provider"}, 400)
    if state == "window" and LOOKS[phone.look].window is None:
        return JSONResponse({"error": "this app has no window"}, 400)
    if "blocked" in (state, phone.provider) and state != phone.provider:
        await playing.block(app, phone, state == "blocked")
    if state != phone.provider:
        playing.set_provider(phone, str(state))
    return JSONResponse({"provider": phone.provider})


async def translation(request: Request, wanted: Wanted) -> Response:
    """{phone, bubble, language} -> the same message in another language: {text, labels}."""
    app: App = request.app.state.app
    phone = _phone(wanted)
    language = negotiate(str(wanted.get("language")))
    if phone is None or language is None:
        return JSONResponse({"error": "phone or language"}, 400)
    _phone_id, _slash, token = str(wanted.get("bubble")).partition("/")
    found = await app.database.run(lambda db: _translated(db, token, phone.look, language))
    return JSONResponse(found, 404 if found is None else 200)


def _phone(wanted: Wanted) -> Phone | None:
    id_ = wanted.get("phone")
    return simulator.phones().all.get(id_) if isinstance(id_, str) else None


def _translated(db: Connection, token: str, look: str, language: str) -> dict[str, Any] | None:
    shown = screens.find(db, token)
    if shown is None:
        return None
    known, limits = References(db, refs_of(shown.message)), LOOKS[look]
    fitted = fit(
        said_in_full(shown.message, limits.text, known, language, shown.timezone),
        language,
        limits,
        known,
        timezone=shown.timezone,
        experienced=shown.experienced,
        closing=shown.closing,
    )
    contents = fitted.contents
    if len(contents) == shown.parts:  # else it was cut elsewhere: all of it
        contents = contents[shown.part : shown.part + 1]
    text = "\n\n".join(each.get("text", "") for each in contents)
    labels = [label for each in contents for label, _data in each.get("buttons", ())]
    return {"text": text, "labels": labels}
