"""Planning: what a discreet phone is told, what is shown again, what is taken back in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, models, qr, seals
from bot.channels import TryLater, Unknown, WindowClosed
from bot.discretion import ASKED_LASTS, CLOSING, WAITING
from bot.i18n import render
from bot.messages import Choice, Inbound, Media, Message, Outbound, Ref, Retract, Say, Text
from bot.sender import IN_FLIGHT
from bot.store import audiences, copies, members, messages, notices, posts, waiting
from bot.store.audiences import Audience
from tests.test_sender import LANE, LATER, House, Provider

DAY = timedelta(days=1)
NOTICE = WAITING.paragraphs[0].msgid
CLOSED = CLOSING.msgid
Who = tuple[int, int, str]


class Showcase(Provider):
    """A provider that also shows pictures and takes bubbles back."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**({"retract": timedelta(hours=48), "commands": True} | limits))
        self.all: list[Outbound] = []
        self.retracted: list[tuple[str, ...]] = []

    async def send(self, message: Outbound) -> str | None:
        self.all.append(message)
        if isinstance(message, Say):
            return await super().send(message)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(message, Retract):
            self.retracted.append(message.ids)
            return None
        return f"id{next(self._ids)}" if isinstance(message, Media) else None


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url, Showcase())
    yield found
    found.close()


@pytest.fixture
def windowed(database_url: str) -> Iterator[House]:
    """As WhatsApp is: a window, nothing taken back, no buttons."""
    found = House(database_url, Showcase(window=DAY, retract=None, commands=False, buttons=0))
    yield found
    found.close()


def show(house: House) -> Showcase:
    assert isinstance(house.provider, Showcase)
    return house.provider


def heard(house: House) -> list[str]:
    """What was said since the last look."""
    found = house.provider.texts
    house.provider.said.clear()
    return found


def open_(house: House, who: Who) -> int:
    opened: int = house.now(lambda db: notices.open_waiting(db, who[0], clock.now()))
    return opened


def tell(house: House, who: Who, said: str | Message, kind: str = "thread") -> int:
    return house.tell(Audience("member", who[1]), said, kind)


def write(house: House, author: Who, text: str) -> Message:
    """A post of hers, and what shows it."""
    id_ = post(house, author, text)
    return Message((Text("{post}", {"post": Ref("posts", id_)}),))


def post(house: House, author: Who, text: str, **values: Any) -> int:
    inbound = Inbound(LANE, "k", ("x",), text=text)

    def work(db: Any) -> int:
        id_ = posts.add(db, author[1], inbound, clock.now(), kind="question", state="live")
        if values:
            posts.mark(db, id_, **values)
        return id_

    return house.now(work)  # type: ignore[no-any-return]


def about(id_: int, table: str = "posts") -> Message:
    return Message((Text("{post}", {"post": Ref(table, id_)}),))


def hide(house: House, post_id: int, message_id: int) -> int:
    """As a facilitator's turn does."""

    def work(db: Any) -> int:
        assert posts.hide(db, post_id)
        dropped = copies.keep_back(db, message_id, "taken_back")
        retract = Message(retract=Ref("posts", post_id))
        told = messages.add(db, f"taken_back/{post_id}", "thread", retract, clock.now())
        assert told is not None
        audiences.tell(db, told, "thread", Audience("holders", post_id), clock.now())
        return dropped

    return house.now(work)  # type: ignore[no-any-return]


# Unasked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["thread", "session", "broadcast", "safety"])
def test_unasked_she_hears_only_that_something_waits(house: House, kind: str) -> None:
    noy = house.member(discreet=True)
    id_ = tell(house, noy, "secret", kind)
    house.drain()
    assert house.fate(id_) == ("held", "discreet")
    [said] = house.provider.said
    assert said.text == NOTICE
    assert [each.label for each in said.buttons] == ["Open"]


def test_others_hear_it_at_once(house: House) -> None:
    tell(house, house.member(), "no secret")
    house.drain()
    assert heard(house) == ["no secret"]


@pytest.mark.parametrize("count", [2, 5, IN_FLIGHT + 3])
def test_one_notice_however_much_waits(house: House, count: int) -> None:
    clock.move(timedelta(hours=(34 - clock.now().hour) % 24))  # ten: no midnight in between
    noy = house.member(discreet=True)
    ids = [tell(house, noy, f"secret {n}") for n in range(count)]
    house.drain()
    assert heard(house) == [NOTICE]
    ids += [tell(house, noy, f"more {n}") for n in range(3)]
    house.drain()
    clock.move(timedelta(hours=1))
    ids.append(tell(house, noy, "and more"))
    house.drain()
    assert heard(house) == []
    assert {house.fate(each) for each in ids} == {("held", "discreet")}


def test_a_second_notice_on_a_later_day_when_more_came(house: House) -> None:
    noy = house.member(discreet=True)
    tell(house, noy, "one")
    house.drain()
    heard(house)
    for _ in range(3):
        clock.move(DAY)
        house.drain()
    assert heard(house) == [], "nothing new came"
    tell(house, noy, "two")
    tell(house, noy, "three")
    house.drain()
    assert heard(house) == [NOTICE]
    tell(house, noy, "four")
    house.drain()
    assert heard(house) == []


def test_a_new_notice_after_she_has_opened(house: House) -> None:
    noy = house.member(discreet=True)
    tell(house, noy, "one")
    house.drain()
    open_(house, noy)
    house.drain()
    heard(house)
    tell(house, noy, "two")
    house.drain()
    assert heard(house) == [NOTICE]


def test_each_has_a_notice_of_her_own(house: House) -> None:
    people = [house.member(discreet=True) for _ in range(3)]
    plain = house.member()
    id_ = house.tell(house.community(*people, plain), "news")
    house.drain()
    assert sorted(heard(house)) == sorted([NOTICE] * 3 + ["news"])
    assert house.fates(id_)[:3] == [("held", "discreet")] * 3


def test_a_community_of_discreet_phones_never_floods_the_lane(house: House) -> None:
    """Half of them discreet: no more is on its way at once than from anybody else."""
    people = [house.member(discreet=bool(n % 2)) for n in range(4 * IN_FLIGHT)]
    flying = most = 0
    send = show(house).send

    async def fly(message: Outbound) -> str | None:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.002)
        flying -= 1
        return await send(message)

    show(house).send = fly  # type: ignore[method-assign]
    house.tell(house.community(*people), "news", "thread")
    house.drain()
    assert sorted(heard(house)) == sorted([NOTICE, "news"] * (2 * IN_FLIGHT))
    assert most <= IN_FLIGHT


def test_the_notice_itself_is_tried_again(house: House) -> None:
    noy = house.member(discreet=True)
    tell(house, noy, "secret")
    house.provider.answers = [TryLater("429", timedelta(seconds=3))]
    house.drain()
    clock.move(timedelta(minutes=1))
    house.drain()
    assert house.provider.taken == [NOTICE]


def test_notices_are_not_gathered_behind_a_closed_window(windowed: House) -> None:
    """For four days nobody could tell her; then she is told once."""
    noy = windowed.member(discreet=True)
    clock.move(2 * DAY)
    for number in range(4):
        tell(windowed, noy, f"secret {number}")
        windowed.drain()
        clock.move(DAY)
    assert heard(windowed) == []
    windowed.hear(noy)
    windowed.now(lambda db: waiting.release(db, noy[0], clock.now()))
    windowed.drain()
    assert [text.split("\n")[0] for text in heard(windowed)] == [NOTICE]


def test_nothing_is_announced_that_she_has_opened_herself(windowed: House) -> None:
    noy = windowed.member(discreet=True)
    clock.move(2 * DAY)
    tell(windowed, noy, "secret")
    windowed.drain()
    windowed.hear(noy)
    windowed.now(lambda db: waiting.release(db, noy[0], clock.now()))
    assert open_(windowed, noy) == 1
    windowed.drain()
    assert [text.split("\n")[0] for text in heard(windowed)] == ["secret", CLOSED]


# Opened -----------------------------------------------------------------------------------------


def test_what_waits_comes_in_order(house: House) -> None:
    noy = house.member(discreet=True)
    for n, kind in enumerate(["broadcast", "thread", "session", "thread"]):
        tell(house, noy, f"{n}", kind)
    house.drain()
    heard(house)
    assert open_(house, noy) == 4
    house.say(noy, "This is where you were:")
    house.drain()
    assert heard(house) == ["0", "1", "2", "3", "This is where you were:"]
    assert open_(house, noy) == 0


def test_she_opens_only_what_is_hers(house: House) -> None:
    noy, dara = house.member(discreet=True), house.member(discreet=True)
    for each in (noy, dara):
        tell(house, each, "secret")
    house.drain()
    heard(house)
    assert open_(house, noy) == 1
    house.drain()
    assert heard(house) == ["secret", CLOSED]


def test_what_waits_for_the_window_is_not_opened(house: House) -> None:
    noy = house.member()
    [id_] = house.say(noy, "one")
    house.provider.answers = [WindowClosed("63016")]
    house.drain()
    assert open_(house, noy) == 0
    assert house.fate(id_) == ("held", "window")


def test_her_window_does_not_open_what_is_discreet(house: House) -> None:
    noy = house.member(discreet=True)
    id_ = tell(house, noy, "secret")
    house.drain()
    house.now(lambda db: waiting.release(db, noy[0], clock.now()))
    house.drain()
    assert house.fate(id_) == ("held", "discreet")
    assert heard(house) == [NOTICE]


def test_opened_and_held_up_it_waits_again(house: House) -> None:
    """She asked, the provider could not; after ten minutes the phone may be in other hands."""
    noy = house.member(discreet=True)
    id_ = tell(house, noy, "secret")
    house.drain()
    open_(house, noy)
    house.provider.answers = [TryLater("429", ASKED_LASTS + timedelta(minutes=1))]
    house.drain()
    heard(house)
    clock.move(ASKED_LASTS + timedelta(minutes=2))
    house.drain()
    assert house.fate(id_) == ("held", "discreet")
    assert "secret" not in heard(house)
    open_(house, noy)
    house.drain()
    assert house.provider.taken.count("secret") == 1


@pytest.mark.parametrize(
    ("waited", "state"),
    [
        (timedelta(0), "sent"),
        (ASKED_LASTS, "sent"),
        (ASKED_LASTS + timedelta(seconds=1), "held"),
        (DAY, "held"),
    ],
)
def test_an_answer_that_comes_too_late(house: House, waited: timedelta, state: str) -> None:
    noy = house.member(discreet=True)
    [id_] = house.say(noy, "Your question: …")
    due = asked_at(house, id_) + waited
    with pytest.MonkeyPatch.context() as patch:  # to the microsecond
        patch.setattr(clock, "now", lambda: due)
        house.drain()
    assert house.fate(id_)[0] == state
    assert heard(house) == ["Your question: …" if state == "sent" else NOTICE]


def asked_at(house: House, message_id: int) -> datetime:
    asked = select(models.deliveries.c.asked_at).where(models.deliveries.c.message_id == message_id)
    return house.now(lambda db: db.execute(asked).scalar_one())  # type: ignore[no-any-return]


# Closed -----------------------------------------------------------------------------------------


def test_only_the_last_bubble_is_closed(house: House) -> None:
    """One closing bubble below all that she opened, with the choices of what came last."""
    noy = house.member(discreet=True)
    for n in (1, 2, 3):
        choices = (Choice(f"a:{n}", Text("Answer")),)
        tell(house, noy, Message((Text(f"secret {n}"),), choices))
    house.drain()
    heard(house)
    open_(house, noy)
    house.drain()
    said = list(house.provider.said)
    assert [each.text for each in said] == ["secret 1", "secret 2", "secret 3", CLOSED]
    labels = [[button.label for button in each.buttons] for each in said]
    assert labels == [["Answer"], ["Answer"], [], ["Answer", "Clear"]]


@pytest.mark.parametrize(
    "below",
    [Message(commands=True), Message(retract=Ref("posts", 10**6))],
    ids=["menu", "retract"],
)
def test_what_is_no_bubble_closes_nothing(house: House, below: Message) -> None:
    """Behind the secret comes something that nobody sees: the secret is the last bubble."""
    noy = house.member(discreet=True)
    house.say(noy, about(post(house, noy, "secret")), below)
    house.drain()
    assert heard(house) == ["secret", CLOSED]


def test_an_answer_that_tells_nothing_closes_what_stands_above(house: House) -> None:
    noy = house.member(discreet=True)
    house.say(noy, about(post(house, noy, "secret")), "What would you like to do?")
    house.drain()
    assert heard(house) == ["secret", "What would you like to do?"]


def test_on_an_open_phone_nothing_is_closed(house: House) -> None:
    noy = house.member()
    house.say(noy, about(post(house, noy, "no secret")))
    tell(house, noy, "news")
    house.drain()
    assert heard(house) == ["no secret", "news"]


def test_clear_is_a_choice_that_was_shown(house: House) -> None:
    noy = house.member(discreet=True)
    house.say(noy, about(post(house, noy, "secret")))
    house.drain()
    found = house.now(
        lambda db: list(db.execute(select(models.prompts.c.clears, models.prompts.c.address_id)))
    )
    assert [tuple(each) for each in found] == [(True, noy[0])]


def test_a_long_secret_in_several_parts(database_url: str) -> None:
    house = House(database_url, Showcase(text=60))
    noy = house.member(discreet=True)
    choices = (Choice("a", Text("Answer")),)
    tell(house, noy, Message((Text("a long secret " * 9),), choices))
    house.drain()
    heard(house)
    open_(house, noy)
    house.drain()
    *above, last = house.provider.said
    assert len(above) > 1
    assert all("secret" in each.text and not each.buttons for each in above)
    assert (last.text, len(last.buttons)) == (CLOSED, 2)
    house.close()


def test_a_list_of_numbers_where_there_are_no_buttons(windowed: House) -> None:
    noy = windowed.member(discreet=True)
    choices = (Choice("a", Text("Answer")), Choice("b", Text("Follow")))
    windowed.say(noy, replace(about(post(windowed, noy, "secret")), choices=choices))
    windowed.drain()
    assert heard(windowed) == ["secret", f"{CLOSED}\n\n1. Answer\n2. Follow\n3. Clear"]


# Showings ---------------------------------------------------------------------------------------


def showings(house: House) -> list[tuple[int, int]]:
    table = models.showings
    wanted = select(table.c.post_id, table.c.delivery_id).order_by(table.c.post_id)
    return house.now(lambda db: [tuple(row) for row in db.execute(wanted)])  # type: ignore[no-any-return]


def test_what_was_shown_where_is_known(house: House) -> None:
    noy, dara = house.member(), house.member()
    first, second = post(house, noy, "one"), post(house, noy, "two")
    both = Message(
        (
            Text("{a}", {"a": Ref("posts", first)}),
            Text("{b}", {"b": Ref("stories", second, 60)}),
            Text("{c}", {"c": Ref("posts", first, 9)}),
        )
    )
    tell(house, dara, both)
    house.drain()
    assert [post_id for post_id, _delivery in showings(house)] == [first, second]


def test_rendered_anew_it_is_shown_once(windowed: House) -> None:
    """The provider says later that the window was closed; what it took is forgotten."""
    noy = windowed.member()
    id_ = tell(windowed, noy, about(post(windowed, noy, "one")))
    windowed.drain()
    windowed.receipt("window", windowed.provider.said[0].token)
    assert windowed.fate(id_)[0] == "held"
    windowed.hear(noy)
    windowed.now(lambda db: waiting.release(db, noy[0], clock.now()))
    windowed.drain()
    assert windowed.provider.texts == ["one", "one"]
    assert len(showings(windowed)) == 1


def test_what_the_focal_point_reads_is_not_taken_from_her(house: House) -> None:
    noy = house.member()
    tell(house, noy, about(post(house, noy, "one"), "referred"))
    house.drain()
    assert showings(house) == []


# Taken back -------------------------------------------------------------------------------------


def test_what_can_be_deleted_is_deleted(house: House) -> None:
    noy, dara, mali = (house.member() for _ in range(3))
    hidden = post(house, noy, "one")
    id_ = house.tell(house.community(dara, mali), about(hidden))
    tell(house, dara, "something else")
    house.drain()
    ids = {each.to: f"id{n}" for n, each in enumerate(house.provider.said, 1)}
    assert hide(house, hidden, id_) == 0
    house.drain()
    texts = {f"id{n}": each.text for n, each in enumerate(house.provider.said, 1)}
    gone = [each for some in show(house).retracted for each in some]
    assert len(show(house).retracted) == 2 and len(ids) == 2
    assert [texts[each] for each in gone] == ["one", "one"]


def test_bubbles_that_are_too_old_stay(house: House) -> None:
    noy, dara = house.member(), house.member()
    hidden = post(house, noy, "one")
    id_ = tell(house, dara, about(hidden))
    house.drain()
    clock.move(timedelta(hours=48, minutes=1))
    hide(house, hidden, id_)
    house.drain()
    assert show(house).retracted == []


@pytest.mark.parametrize(("count", "calls"), [(1, [1]), (100, [100]), (101, [100, 1])])
def test_a_hundred_to_a_call(house: House, count: int, calls: list[int]) -> None:
    noy = house.member()
    for _ in range(count):
        house.say(noy, "words")
    house.drain()
    house.say(noy, Message(retract=Ref("addresses", noy[0])))
    house.drain()
    assert [len(each) for each in show(house).retracted] == calls
    assert len({each for some in show(house).retracted for each in some}) == count


def test_where_nothing_can_be_deleted(windowed: House) -> None:
    noy, dara = windowed.member(), windowed.member()
    hidden = post(windowed, noy, "one")
    id_ = tell(windowed, dara, about(hidden))
    windowed.drain()
    hide(windowed, hidden, id_)
    windowed.drain()
    retract = select(models.messages.c.id).where(
        models.messages.c.key == seals.lookup("messages.key", f"taken_back/{hidden}")
    )
    told = windowed.now(lambda db: db.execute(retract).scalar_one())
    assert windowed.fate(told) == ("dropped", "no_retract")
    assert not [each for each in show(windowed).all if isinstance(each, Retract)]


def test_she_who_has_stopped_or_left_loses_her_copy_too(house: House) -> None:
    noy, dara = house.member(), house.member()
    hidden = post(house, noy, "one")
    id_ = house.tell(house.community(dara), about(hidden))
    house.drain()
    house.now(lambda db: members.mark(db, dara[1], state="stopped"))
    hide(house, hidden, id_)
    house.drain()
    assert show(house).retracted == [("id1",)]


def test_what_has_not_left_is_dropped(house: House) -> None:
    noy, dara, mali = house.member(), house.member(), house.member(discreet=True)
    hidden = post(house, noy, "one")
    id_ = house.tell(house.community(dara, mali), about(hidden))
    only_mali = update(models.deliveries).where(models.deliveries.c.member_id == dara[1])
    house.now(lambda db: db.execute(only_mali.values(due_at=clock.now() + DAY)))
    house.drain()
    assert [state for state, _reason in house.fates(id_)] == ["queued", "held"]
    assert hide(house, hidden, id_) == 2
    assert house.fates(id_) == [("dropped", "taken_back")] * 2
    clock.move(2 * DAY)
    open_(house, mali)
    house.drain()
    assert heard(house) == [NOTICE]


def test_a_fan_out_ends_where_it_was_kept_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "FAN_OUT", 2)
    people = [house.member() for _ in range(7)]
    hidden = post(house, people[0], "one")
    id_ = house.tell(house.community(*people), about(hidden))
    assert house.count(id_) == 2
    assert house.now(audiences.go_on)
    assert house.count(id_) == 4
    assert hide(house, hidden, id_) == 4
    assert not house.now(audiences.go_on)
    house.drain()
    assert house.count(id_) == 4
    assert heard(house) == []


@pytest.mark.parametrize(
    "trouble",
    [Unknown("network"), TryLater("429", timedelta(seconds=3))],
    ids=["unknown", "later"],
)
@pytest.mark.parametrize("own", [True, False], ids=["told", "looked at"])
def test_hidden_words_are_not_tried_again(house: House, trouble: Exception, own: bool) -> None:
    """They were frozen when the provider had its trouble, and hidden before the next try."""
    noy, dara = house.member(), house.member()
    hidden = post(house, noy, "one")
    id_ = tell(house, dara, about(hidden))
    if not own:  # the telling went well; it was looked at once more
        house.drain()
        [id_] = house.say(dara, about(hidden))
    house.provider.answers = [trouble]
    house.drain()
    heard(house)
    hide(house, hidden, id_ if own else 10**6)
    clock.move(LATER)
    clock.move(DAY)
    house.drain()
    assert heard(house) == []
    assert house.fate(id_)[0] == "dropped"


def test_what_is_hidden_while_it_is_on_its_way(house: House) -> None:
    """The provider has it and says that it has not; meanwhile somebody hides it."""
    noy, dara = house.member(), house.member()
    hidden = post(house, noy, "one")
    id_ = tell(house, dara, about(hidden))
    house.provider.answers = [TryLater("429", timedelta(seconds=3))]

    async def meanwhile() -> None:
        house.provider.before = None
        await asyncio.to_thread(hide, house, hidden, id_)

    house.provider.before = meanwhile
    house.drain()
    clock.move(timedelta(minutes=1))
    house.drain()
    assert house.provider.taken == []
    assert house.fate(id_) == ("dropped", "taken_back")


def test_what_is_taken_back_leaves_a_closed_screen(house: House) -> None:
    """Two secrets were opened and closed by one bubble; that must not go with the second."""
    noy, dara = house.member(), house.member(discreet=True)
    first, second = post(house, noy, "one"), post(house, noy, "two")
    tell(house, dara, about(first))
    id_ = tell(house, dara, about(second))
    house.drain()
    open_(house, dara)
    house.drain()
    on_screen = {f"id{n}": each.text for n, each in enumerate(house.provider.said, 1)}
    assert list(on_screen.values()) == [NOTICE, "one", "two", CLOSED]
    hide(house, second, id_)
    house.drain()
    for gone in (each for some in show(house).retracted for each in some):
        del on_screen[gone]
    assert list(on_screen.values()) == [NOTICE, "one", CLOSED]


def test_her_screen_is_emptied_whole(house: House) -> None:
    dara = house.member(discreet=True)
    house.say(dara, about(post(house, dara, "one")))
    house.drain()
    house.say(dara, Message(retract=Ref("addresses", dara[0])), "Done.")
    house.drain()
    assert show(house).retracted == [("id1", "id2")]
    assert house.provider.texts[-1] == "Done."


# The truth about copies -------------------------------------------------------------------------


def counted(house: House, post_id: int) -> tuple[int, int]:
    young = {LANE: clock.now() - timedelta(hours=48)}
    found = house.now(lambda db: copies.count(db, post_id, young))
    return found.taken_back, found.kept


def test_copies(house: House) -> None:
    noy, dara, mali, bo = (house.member() for _ in range(4))
    shown = post(house, noy, "one")
    house.tell(house.community(noy, dara), about(shown))
    house.drain()
    assert counted(house, shown) == (1, 0), "her own is none"
    clock.move(timedelta(hours=47))
    for who in (mali, dara):
        tell(house, who, about(shown))
    house.drain()
    assert counted(house, shown) == (2, 0)
    clock.move(timedelta(hours=2))
    assert counted(house, shown) == (1, 1), "dara has an old copy too"
    tell(house, bo, about(shown))
    assert counted(house, shown) == (1, 1), "bo's has not left"
    none = house.now(lambda db: copies.count(db, shown, {}))
    assert (none.taken_back, none.kept) == (0, 2)


def test_a_copy_whose_bubble_nobody_knows_stays(house: House) -> None:
    """It may have arrived, but without the provider's id it cannot be deleted."""
    noy, dara = house.member(), house.member()
    shown = post(house, noy, "one")
    tell(house, dara, about(shown))
    house.provider.answers = [Unknown("network")]
    house.drain()
    assert counted(house, shown) == (0, 1)


# Pictures ---------------------------------------------------------------------------------------


def test_a_picture_goes_out_as_one(house: House) -> None:
    link = "https://t.me/linkline_bot?start=X"
    house.say(house.member(), Message((Text("{link}", {"link": link}),), qr=link))
    house.drain()
    [sent] = show(house).all
    assert isinstance(sent, Media)
    assert (sent.kind, sent.text, sent.content) == ("photo", link, qr.png(link))


def test_a_picture_that_was_not_taken_is_the_same_again(house: House) -> None:
    house.say(house.member(), Message((Text("caption"),), qr="x"))
    house.provider.answers = [TryLater("429", timedelta(seconds=1))]
    house.drain()
    clock.move(timedelta(minutes=1))
    house.drain()
    first, second = show(house).all
    assert first == second


def test_a_menu_that_was_not_taken_is_tried_again(house: House) -> None:
    [id_] = house.say(house.member(language="lo"), Message(commands=True))
    house.provider.answers = [TryLater("429", timedelta(seconds=1))]
    house.drain()
    clock.move(timedelta(minutes=1))
    house.drain()
    assert len(show(house).all) == 2
    assert house.fate(id_)[0] == "sent"


# Restarts ---------------------------------------------------------------------------------------


def test_a_crash_after_the_notice_was_written(house: House) -> None:
    noy = house.member(discreet=True)
    tell(house, noy, "secret")
    house.sender.flight.launch = lambda *_: None  # type: ignore[method-assign]  # planned, and then gone
    house.drain()
    house.new_owner()
    house.drain()
    clock.move(LATER)
    house.drain()
    assert heard(house) == [NOTICE]
    count = select(func.count()).where(models.messages.c.kind == "notice")
    assert house.now(lambda db: db.execute(count).scalar_one()) == 1


def test_a_crash_while_a_secret_is_on_its_way(house: House) -> None:
    """Long after, it is not simply shown: she may not be the one who holds the phone."""
    noy = house.member(discreet=True)
    [id_] = house.say(noy, about(post(house, noy, "secret")))
    house.sender.flight.launch = lambda *_: None  # type: ignore[method-assign]
    house.drain()
    house.new_owner()
    clock.move(timedelta(hours=2))
    house.drain()
    clock.move(LATER)
    house.drain()
    assert house.fate(id_) == ("held", "discreet")
    assert heard(house) == [NOTICE]
    open_(house, noy)
    house.drain()
    assert heard(house) == ["secret", CLOSED]


def test_in_each_language(house: House, tmp_path: Path) -> None:
    for code in ("en", "lo", "km"):
        tell(house, house.member(discreet=True, language=code), "secret")
    house.drain()
    wanted = [render(WAITING.paragraphs[0], code, lambda *_: "") for code in ("en", "lo", "km")]
    assert sorted(heard(house)) == sorted(wanted)
