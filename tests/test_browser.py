"""The simulator's page in a real browser: a rehearsal from the first word to the exported test."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from bot import seals
from bot.i18n import languages
from bot.media.cleaning import BIGGEST
from bot.rehearsal import samples
from tests import transcript
from tests.processes import Linkline, Nursery, clean_env

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",  # it hears beeps
)  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SOON = 60_000  # milliseconds
expect.set_options(timeout=SOON)
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        why = "Chromium is not installed (Debian: apt-get install chromium)"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linkline]:
    """A real process with its simulator, on a store of its own."""
    folder = tmp_path_factory.mktemp("browser")
    env = clean_env() | {
        "DATABASE_URL": f"sqlite:///{folder / 'usual.db'}",
        "LINKLINE_KEYS": seals.new_key(),
        "PORT": "0",
    }
    with Nursery() as nursery:
        process = Linkline(nursery, folder, env, "run", changes=["hurry"]).start().wait_ready()
        yield process
        process.kill()


class Room:
    """One open page, and what is done on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.wrong: list[str] = []  # what the browser complains of
        page.set_default_timeout(SOON)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda asked: self._check_address(asked.url))

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _check_address(self, address: str) -> None:
        if not address.startswith((self.url, "data:")):
            self.wrong.append(f"a request to {address}")

    def post(self, path: str, **wanted: Any) -> dict[str, Any]:
        answer = self.page.request.post(f"{self.url}/simulator/{path}", data=wanted)
        assert answer.ok, (path, wanted, answer.status)
        found: dict[str, Any] = answer.json()
        return found

    def open(self, language: str = "en") -> None:
        self.page.goto(f"{self.url}/?lang={language}")
        self.page.wait_for_selector(".phone")

    def begin(
        self, *people: str, programme: str = "demo-programme", newcomer: bool = False
    ) -> None:
        self.post("rehearsal", programme=programme, people=list(people), newcomer=newcomer)
        self.open()

    def phone(self, id_: str) -> Locator:
        return self.page.locator(f"#phone-{id_}")

    def writes(self, id_: str, text: str) -> None:
        box = self.phone(id_).get_by_role("textbox")
        box.fill(text)
        box.press("Enter")

    def hears(self, id_: str, text: str) -> Locator:
        row = self.phone(id_).locator(".row.theirs").filter(has_text=text).last
        row.wait_for()
        return row

    def play(self, steps: int) -> None:
        for _step in range(steps):
            self.post("step")


@pytest.fixture
def room(browser: Browser, server: Linkline) -> Iterator[Room]:
    context = browser.new_context(viewport=WIDE, accept_downloads=True)
    found = Room(context.new_page(), server.url)
    yield found
    context.close()
    assert found.wrong == []


def in_its_own_thread(work: Any) -> None:
    """The browser's own loop is at work in this one."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


# A rehearsal -------------------------------------------------------------------------------------


def test_from_a_question_to_an_exported_test(
    room: Room, sqlite_template: Path, tmp_path: Path
) -> None:
    """The main job on three phones; what was said is a test that passes."""
    room.open()
    room.page.click("#rehearse-button")
    room.page.get_by_role("checkbox", name="Somebody new").uncheck()
    room.page.get_by_role("button", name="Start afresh").click()
    expect(room.page.locator("#apart")).to_contain_text("Linking and Learning")
    expect(room.page.locator(".phone")).to_have_count(3)
    room.writes("noy", "ໃຊ້ Excel ແນວໃດ?")
    room.hears("noy", "1. ")
    room.writes("noy", "1")
    asked = room.hears("dara", "Excel")
    asked.get_by_role("button").nth(-2).click()
    room.hears("dara", "Q101").last.wait_for()
    room.hears("dara", "ចម្លើយ")
    room.writes("dara", "យើងប្រើលេខ។")
    heard = room.hears("noy", "យើងប្រើលេខ")
    expect(heard.locator(".text")).to_be_visible()
    room.hears("dara", "សូមអរគុណ")
    exported = take_along(room, tmp_path)
    (tmp_path / "stage.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path / 'stage.db'}"
    in_its_own_thread(lambda: transcript.play(exported, url))


def take_along(room: Room, folder: Path) -> Path:
    room.page.click("#rehearse-button")
    with room.page.expect_download() as download:
        room.page.get_by_role("link", name="Export the talk as a test").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_back_to_the_usual_store(room: Room) -> None:
    """A rehearsal leaves no trace in it."""
    room.post("rehearsal")
    room.open()
    before = room.page.request.get(f"{room.url}/simulator/state").json()["phones"]
    room.begin("noy", "dara")
    room.writes("noy", "hello")
    room.hears("noy", "ສະບາຍດີ")
    room.page.get_by_role("button", name="Back to my store").click()
    expect(room.page.locator("#usual")).to_be_visible()
    expect(room.page.locator(".phone")).to_have_count(len(before))
    after = room.page.request.get(f"{room.url}/simulator/state").json()
    assert (after["phones"], after["rehearsal"]) == (before, None)


def test_a_stored_talk_is_played(room: Room) -> None:
    room.open()
    room.page.click("#rehearse-button")
    room.page.select_option("#transcript", "languages")
    room.page.get_by_role("button", name="Open this talk").click()
    expect(room.page.locator("#progress")).to_have_text("Line 0 of 17")
    room.page.click("#next")
    expect(room.page.locator("#progress")).to_have_text("Line 1 of 17")
    expect(room.page.locator(".phone.acting h2")).to_have_text("Noy")
    play = room.page.locator("#play")
    play.click()
    expect(play).to_have_text("Pause")
    expect(room.page.locator("#progress")).to_have_text("Line 5 of 17")
    play.click()
    expect(play).to_have_text("Play")
    rest = 16 - int(room.page.locator("#progress").inner_text().split()[1])
    room.play(rest)
    play.click()
    expect(room.page.locator("#said")).to_have_text("The talk is over.")
    expect(play).to_have_text("Play")
    assert room.page.locator(".agrees:visible").count() == 9
    assert room.page.locator(".differs:visible").count() == 0


def test_what_is_not_as_written_differs(room: Room) -> None:
    differing(room)
    told = room.phone("s1").locator(".differs:visible").first
    expect(told).to_contain_text("Differs.")
    expect(told).to_contain_text("Your question:")


def differing(room: Room) -> None:
    """A stored talk in which somebody writes what is not in it."""
    room.post("rehearsal", transcript="question")
    room.open()
    answer = room.page.request.post(
        f"{room.url}/webhooks/simulator", data={"phone": "s1", "text": "menu"}
    )
    assert answer.ok
    room.hears("s1", "What would you like")
    room.play(4)


def test_another_language(room: Room) -> None:
    room.begin("dara")
    room.writes("dara", "hello")
    row = room.hears("dara", "សួស្តី")
    row.hover()
    button = row.get_by_role("button", name="In another language")
    button.click()
    said = row.locator(".said")
    expect(said).to_have_attribute("lang", "en")
    expect(said).to_contain_text("Write your question")
    row.get_by_role("button", name="ລາວ").click()
    expect(said).to_have_attribute("lang", "lo")
    expect(said).to_contain_text("ສະບາຍດີ")
    button.click()
    expect(said).to_be_hidden()


# Failures ----------------------------------------------------------------------------------------


def fails(room: Room, id_: str, how: str) -> None:
    room.phone(id_).get_by_role("combobox").select_option(how)
    expect(room.phone(id_).locator(".provider")).to_have_attribute("data-state", how)
    room.page.wait_for_timeout(150)  # for the server to know


def test_who_blocks_the_bot_is_told_of_and_comes_back(room: Room) -> None:
    room.begin("alex", "dara")
    fails(room, "dara", "blocked")
    room.writes("alex", "Who sells online already?")
    room.hears("alex", "Send").get_by_role("button", name="Send", exact=True).click()
    room.hears("alex", "1 peer cannot be reached")
    fails(room, "dara", "works")
    room.writes("dara", "hello")
    room.hears("dara", "សួស្តី")


@pytest.mark.parametrize("how", ["window", "slow", "busy"])
def test_what_a_provider_refuses_comes_later(room: Room, how: str) -> None:
    room.begin("noy", "alex")
    fails(room, "noy", how)
    room.writes("alex", "Who sells online already?")
    room.hears("alex", "Send").get_by_role("button", name="Send", exact=True).click()
    room.hears("alex", "Q101")
    asked = room.phone("noy").locator(".row.theirs")
    room.page.wait_for_timeout(400)
    assert asked.count() == 0
    fails(room, "noy", "works")
    if how == "window":
        room.writes("noy", "hello")
    if how == "busy":
        room.page.get_by_role("button", name="+1 minute").click()
    room.hears("noy", "Who sells online already?")


def test_only_whatsapp_has_a_window(room: Room) -> None:
    room.begin("noy", "dara")
    assert room.phone("dara").locator("option[value=window]").count() == 0
    assert room.phone("noy").locator("option[value=window]").count() == 1


# Voices and files --------------------------------------------------------------------------------


def length(player: Locator) -> float:
    """Seconds, as the browser finds them in what it loads."""
    player.wait_for()
    seconds: float = player.evaluate(
        """player => new Promise((found, failed) => {
            player.onerror = () => failed(player.error.message);
            player.onloadedmetadata = () => found(player.duration);
            player.load();
        })"""
    )
    return seconds


def test_a_voice_is_recorded_on_one_phone_and_heard_on_the_other(room: Room) -> None:
    """By the keyboard alone; and it is answered by a voice."""
    room.begin("noy", "dara")
    tab_to(room, "#phone-noy .speak")
    room.page.keyboard.press("Enter")
    bar = room.phone("noy").get_by_role("group", name="Voice note")
    expect(bar.get_by_role("status")).to_have_text("Recording …")
    expect(bar.get_by_role("button", name="Send")).to_be_focused()
    expect(bar.get_by_role("timer")).to_have_text("0:02")
    room.page.keyboard.press("Enter")
    expect(bar).to_be_hidden()
    expect(room.phone("noy").locator(".speak")).to_be_focused()
    assert 1.5 < length(room.phone("noy").locator(".mine audio:not([hidden])")) < 60
    room.hears("noy", "1. ")
    room.writes("noy", "1")
    asked = room.hears("dara", "Q101")
    assert 1.5 < length(room.phone("dara").locator(".theirs audio:not([hidden])")) < 60
    asked.hover()
    asked.get_by_role("button", name="Reply").click()
    room.phone("dara").get_by_role("button", name="Record a voice note").click()
    expect(room.phone("dara").get_by_role("timer")).to_have_text("0:01")
    room.phone("dara").locator(".recording .send").click()
    room.hears("noy", "ຕອບ Q101")
    assert 0.5 < length(room.phone("noy").locator(".theirs audio:not([hidden])")) < 60


def test_a_recording_is_dropped(room: Room) -> None:
    room.begin("noy")
    speak = room.phone("noy").get_by_role("button", name="Record a voice note")
    for drop in (
        lambda: room.page.keyboard.press("Escape"),
        lambda: room.phone("noy").get_by_role("button", name="Cancel").click(),
    ):
        speak.click()
        expect(room.phone("noy").get_by_role("status")).to_have_text("Recording …")
        drop()
        expect(speak).to_be_focused()
    assert room.phone("noy").locator(".row").count() == 0


def test_without_a_microphone(room: Room) -> None:
    """It is said kindly, and the page goes on; a file can be chosen instead."""
    refuse = "navigator.mediaDevices.getUserMedia = async () => { throw new Error('none'); }"
    room.page.add_init_script(refuse)
    room.begin("noy")
    room.phone("noy").get_by_role("button", name="Record a voice note").click()
    expect(room.page.locator("#toast")).to_contain_text("You can choose a recording as a file")
    expect(room.phone("noy").get_by_role("textbox")).to_be_visible()


def choose(room: Room, id_: str, name: str, mime: str, content: bytes) -> None:
    room.phone(id_).get_by_role("button", name="Send something else").click()
    with room.page.expect_file_chooser() as chooser:
        room.phone(id_).get_by_role("button", name="Choose a file …").click()
    chooser.value.set_files({"name": name, "mimeType": mime, "buffer": content})


def test_a_photo_is_chosen_and_seen(room: Room) -> None:
    """Whatever it is called, and whatever it is said to be, it is looked at."""
    room.begin("noy", "dara")
    choose(room, "noy", "../me.jpg", "image/jpeg", samples.read("photo"))
    own = room.phone("noy").get_by_role("img", name="Photo")
    expect(own).to_be_visible()
    room.hears("noy", "1. ")
    room.writes("noy", "1")
    seen = room.phone("dara").get_by_role("img", name="Photo")
    expect(seen).to_be_visible()
    for image in (own, seen):
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0


def test_what_is_no_photo_is_refused(room: Room) -> None:
    room.begin("alex")
    choose(room, "alex", "me.jpg", "image/jpeg", b"<script>alert(1)</script>")
    room.hears("alex", "Your photo did not arrive.")


def test_what_is_too_big_is_said_kindly(room: Room) -> None:
    room.begin("noy")
    choose(room, "noy", "film.mp4", "video/mp4", bytes(BIGGEST + 1))
    expect(room.page.locator("#toast")).to_contain_text("at most 16 MB can be passed on")
    assert room.phone("noy").locator(".row").count() == 0


# For everybody -----------------------------------------------------------------------------------


def test_a_picture_is_shown(room: Room) -> None:
    """What the bot sends as a QR picture is an image with words for those who cannot see it."""
    room.begin("dara")

    def with_picture(route: Any) -> None:
        state = route.fetch().json()
        about = {"id": "dara/qr", "mine": False, "text": "Show this", "at": state["clock"]}
        more = {"buttons": [], "file": None, "reply_to": None, "mark": "", "edited": False}
        media = {"kind": "photo", "name": "qr.png", "at": DOT}
        state["phones"][0]["bubbles"] = [about | more | {"media": media, "expected": ""}]
        route.fulfill(json=state)

    room.page.route("**/simulator/state", with_picture)
    room.page.reload()
    image = room.page.get_by_role("img", name="A QR code for the camera of another phone")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth") == 1


def test_with_the_keyboard_alone(room: Room) -> None:
    """From the open page to an answer: nothing needs a mouse."""
    room.post("rehearsal")
    room.open()
    press(room, "#rehearse-button")
    for _box in ("noy", "dara"):
        tab_to(room, f"#people input[value={_box}]")
        room.page.keyboard.press("Space")
    press(room, "#with-people .main")
    expect(room.page.locator(".phone")).to_have_count(2)
    tab_to(room, "#phone-alex textarea")
    room.page.keyboard.type("hello")
    room.page.keyboard.press("Enter")
    room.hears("alex", "Write your question")
    room.page.keyboard.type("menu")
    room.page.keyboard.press("Enter")
    room.hears("alex", "What would you like")
    tab_to(room, "#phone-alex .row:last-child .translate", back=True)
    room.page.keyboard.press("Enter")
    expect(room.phone("alex").locator(".said:visible")).to_have_count(1)
    tab_to(room, "#phone-alex .row:last-child .buttons button")
    room.page.keyboard.press("Enter")
    room.hears("alex", "What would you like to ask?")


def press(room: Room, selector: str) -> None:
    tab_to(room, selector)
    room.page.keyboard.press("Enter")


def tab_to(room: Room, selector: str, *, back: bool = False) -> None:
    target = room.page.locator(selector).first
    for _press in range(80):
        room.page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not come to {selector}")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(language: str, scheme: str, room: Room) -> None:
    """No violation axe can find, and no scrolling sideways, wide and narrow."""
    room.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    differing(room)
    room.post("provider", phone="s1", provider="window")
    for size in (WIDE, NARROW):
        room.page.set_viewport_size(size)  # type: ignore[arg-type]
        room.open(language)
        row = room.phone("s1").locator(".row.theirs").first
        row.hover()
        row.locator(".translate").click()
        expect(row.locator(".said p")).not_to_be_empty()
        if size is NARROW:
            room.page.click("#tools-button")
        room.phone("s1").locator("[data-popup=files]").click()
        check(room, f"{language} {scheme} {size['width']}")
        room.phone("s1").locator(".speak").click()
        expect(room.phone("s1").get_by_role("timer")).to_be_visible()
        check(room, f"{language} {scheme} {size['width']}, recording")
        room.page.click("#rehearse-button")
        room.page.wait_for_selector("#people label")
        check(room, f"{language} {scheme} {size['width']}, the rehearsal room")


def check(room: Room, where: str) -> None:
    found = Axe().run(room.page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"
    width = room.page.evaluate("document.documentElement.scrollWidth")
    assert width <= room.page.viewport_size["width"], where  # type: ignore[index]
