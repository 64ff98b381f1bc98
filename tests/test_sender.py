"""The sender: what is said first, what waits, what is tried again, what is never said twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from bot import clock, library, models, seals
from bot.channels import Gone, Rejected, SendError, TryLater, Unknown, WindowClosed
from bot.conversation import Conversations
from bot.db import Database, StoreDown
from bot.flight import MOST_REPEATS
from bot.judging import ATTEMPTS
from bot.media.vault import Vault
from bot.messages import Choice, Inbound, Limits, Message, Outbound, Receipt, Ref, Say, Text
from bot.parts import Files
from bot.sender import FOR_THE_URGENT, IN_FLIGHT, Sender
from bot.settings import Settings
from bot.store import (
    audiences,
    communities,
    fates,
    meeting,
    members,
    messages,
    posts,
    programmes,
    receipts,
    secrets,
    waiting,
)
from bot.store.audiences import Audience
from bot.store.lanes import LaneLost
from tests.child import PATIENCE

LANE = "trial/1"
DAY = timedelta(days=1)
LATER = timedelta(seconds=35)  # when an unknown send is looked at again

Answer = SendError | BaseException | str | None


class Provider:
    """A channel that answers as it is told, and remembers."""

    name = "trial"

    def __init__(self, **limits: Any) -> None:
        self.lane = LANE
        self.limits = Limits(**({"text": 4096, "buttons": 10} | limits))
        self.said: list[Say] = []
        self.taken: list[str] = []  # texts that were not refused
        self.answers: list[Answer] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self._ids = count(1)

    async def send(self, message: Outbound) -> str | None:
        assert isinstance(message, Say)
        self.said.append(message)
        if self.before is not None:
            await self.before()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        self.taken.append(message.text)
        return answer or f"id{next(self._ids)}"

    async def close(self) -> None: ...

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.said]


class Finder(Provider):
    """One that can look an unknown send up."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Answer] = []
        self.looked = 0

    async def find(self, message: Outbound, since: datetime) -> list[str]:
        self.looked += 1
        answer = self.found.pop(0) if self.found else None
        if isinstance(answer, BaseException):
            raise answer
        return [] if answer is None else [answer]


class House:
    """A store, a provider, and whoever owns the lane."""

    def __init__(self, url: str, provider: Provider | None = None) -> None:
        self.database = Database(url)
        self.now(secrets.open_store)
        self.provider = provider or Provider()
        vault = Vault.from_settings(Settings(_env_file=None, database_url=url))  # type: ignore[call-arg]
        self.files = Files(self.database, vault)
        self.sender = self.new_owner()
        self._numbers = count(1)

    def new_owner(self) -> Sender:
        self.sender = Sender(self.database, self.provider, Conversations([]), self.files)
        return self.sender

    def now(self, work: Any) -> Any:
        return self.database.run_now(work)

    def drain(self, sender: Sender | None = None) -> None:
        asyncio.run((sender or self.sender).drain())

    def member(self, **values: Any) -> tuple[int, int, str]:
        """(address, member, lane) of somebody who wrote just now."""
        values = {"language": "en"} | values

        def work(db: Any) -> tuple[int, int, str]:
            name = f"p{next(self._numbers)}"
            member_id, address_id = meeting.add_ready(db, LANE, name, clock.now(), **values)
            assert address_id is not None
            return address_id, member_id, LANE

        return self.now(work)  # type: ignore[no-any-return]

    def say(self, person: tuple[int, int, str], *texts: str | Message) -> list[int]:
        def work(db: Any) -> list[int]:
            now, number = clock.now(), next(self._numbers)
            said = [(f"say{number}/{n}", _message(each), now) for n, each in enumerate(texts)]
            return messages.say(db, said, person, now)

        return self.now(work)  # type: ignore[no-any-return]

    def tell(
        self, audience: Audience, said: str | Message, kind: str = "broadcast", **columns: Any
    ) -> int:
        def work(db: Any) -> int:
            now, key = clock.now(), f"tell{next(self._numbers)}"
            community = audience.id if audience.kind == "community" else None
            added = messages.add(db, key, kind, _message(said), now, community)
            assert added is not None
            if columns:
                row = update(models.messages).where(models.messages.c.id == added)
                db.execute(row.values(**columns))
            audiences.tell(db, added, kind, audience, now)
            return added

        return self.now(work)  # type: ignore[no-any-return]

    def community(self, *people: tuple[int, int, str]) -> Audience:
        def work(db: Any) -> int:
            slug = f"c{next(self._numbers)}"
            programme = programmes.save(db, "p", {"en": "P"}, "x")
            row = {"slug": slug, "language": "en", "timezone": "UTC"}
            row |= {"approval": False, "discreet": False}
            found = communities.save_community(db, programme, row)
            name = library.of_community(found, "name", "en", {"en": slug})
            library.take(db, [name], clock.now())
            for _address, member_id, _lane in people:
                communities.join(db, member_id, found, "member", "active", clock.now())
            return found

        return Audience("community", self.now(work))

    def fate(self, message_id: int) -> tuple[str, str | None]:
        """(state, reason) of a message for one."""
        [row] = self.fates(message_id)
        return row

    def fates(self, message_id: int) -> list[tuple[str, str | None]]:
        wanted = select(models.deliveries.c.state, models.deliveries.c.reason).where(
            models.deliveries.c.message_id == message_id
        )
        ordered = wanted.order_by(models.deliveries.c.member_id)
        return self.now(lambda db: [tuple(row) for row in db.execute(ordered)])  # type: ignore[no-any-return]

    def count(self, message_id: int) -> int:
        rows = select(func.count()).where(models.deliveries.c.message_id == message_id)
        return self.now(lambda db: db.execute(rows).scalar_one())  # type: ignore[no-any-return]

    def is_reachable(self, person: tuple[int, int, str]) -> bool:
        row = select(models.addresses.c.unreachable_at).where(models.addresses.c.id == person[0])
        return self.now(lambda db: db.execute(row).scalar() is None)  # type: ignore[no-any-return]

    def hear(self, person: tuple[int, int, str]) -> None:
        """She writes to us."""
        self.now(lambda db: members.mark_heard(db, person[0], clock.now()))

    def receipt(self, state: str, token: str) -> None:
        receipt = Receipt(LANE, state, token)
        assert self.now(lambda db: receipts.apply(db, receipt, clock.now()))

    def close(self) -> None:
        self.database.close()


def _message(said: str | Message) -> Message:
    return said if isinstance(said, Message) else Message((Text(said),))


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url)
    yield found
    found.close()


@pytest.fixture
def finding(database_url: str) -> Iterator[House]:
    found = House(database_url, Finder())
    yield found
    found.close()


def finder(house: House) -> Finder:
    assert isinstance(house.provider, Finder)
    return house.provider


# Order ------------------------------------------------------------------------------------------


def test_a_personal_reply_overtakes_a_queued_broadcast(house: House) -> None:
    people = [house.member() for _ in range(2 * IN_FLIGHT + 10)]
    house.tell(house.community(*people), "news")
    house.say(people[-1], "reply")
    house.drain()
    assert "reply" in house.provider.texts[:IN_FLIGHT]
    assert house.provider.texts.count("news") == len(people)


def test_a_reply_that_comes_while_a_broadcast_flies(house: House) -> None:
    people = [house.member() for _ in range(3 * IN_FLIGHT)]
    house.tell(house.community(*people), "news")

    async def reply() -> None:
        if len(house.provider.said) == 1:
            await asyncio.to_thread(house.say, people[-1], "reply")

    house.provider.before = reply
    house.drain()
    assert house.provider.texts.index("reply") < 2 * IN_FLIGHT + 1


def test_thread_before_session_before_broadcast(house: House) -> None:
    noy = house.member()
    for kind in ("broadcast", "session", "thread"):
        house.tell(Audience("member", noy[1]), kind, kind)
    house.say(noy, "direct")
    house.drain()
    assert house.provider.texts == ["direct", "thread", "session", "broadcast"]


def test_never_more_in_flight_than_allowed(house: House) -> None:
    people = [house.member() for _ in range(IN_FLIGHT + 40)]
    house.tell(house.community(*people), "news")
    flying, most = 0, 0

    async def fly() -> None:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.01)
        flying -= 1

    house.provider.before = fly
    house.drain()
    assert most == IN_FLIGHT - FOR_THE_URGENT
    assert len(house.provider.said) == len(people)


def test_the_first_must_wait_and_the_rest_waits_behind_it(house: House) -> None:
    noy, dara = house.member(), house.member()
    house.say(noy, "one", "two", "three")
    house.provider.answers = [TryLater("429", timedelta(seconds=3))]
    house.drain()
    assert house.provider.texts == ["one"]
    house.say(dara, "somebody else")
    clock.move(timedelta(seconds=2))
    house.drain()
    assert house.provider.texts == ["one", "somebody else"]
    clock.move(timedelta(seconds=2))
    house.drain()
    assert house.provider.taken == ["somebody else", "one", "two", "three"]


def test_what_is_added_meanwhile_waits_behind_it_too(house: House) -> None:
    noy = house.member()
    house.say(noy, "one")
    house.provider.answers = [TryLater("429", timedelta(seconds=5))]
    house.drain()
    house.say(noy, "two")
    house.drain()
    clock.move(timedelta(seconds=6))
    house.drain()
    assert house.provider.taken == ["one", "two"]


@given(waits=st.lists(st.none() | st.integers(0, 5), max_size=8), said=st.integers(2, 5))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_is_kept_whatever_must_wait(
    sqlite_house: House, waits: list[int | None], said: int
) -> None:
    house = sqlite_house
    house.provider.taken.clear()
    texts = [f"{n}" for n in range(said)]
    house.say(house.member(), *texts)
    house.provider.answers = [
        None if wait is None else TryLater("429", timedelta(seconds=wait)) for wait in waits
    ]
    for _ in range(len(waits) + 1):
        house.drain()
        clock.move(timedelta(minutes=11))
    assert house.provider.taken == texts


@pytest.fixture
def sqlite_house(sqlite_template: Path, tmp_path: Path) -> Iterator[House]:
    seals.use(seals.Keyring([seals.new_key()]))
    (tmp_path / "one.db").write_bytes(sqlite_template.read_bytes())
    found = House(f"sqlite:///{tmp_path / 'one.db'}")
    yield found
    found.close()


# Try later --------------------------------------------------------------------------------------


def test_a_pause_of_the_whole_lane(house: House) -> None:
    house.say(house.member(), "one")
    house.provider.answers = [TryLater("429", timedelta(seconds=30), whole_lane=True)]
    house.drain()
    house.say(house.member(), "two")
    for seconds, heard in ((0, []), (29, []), (2, ["one", "two"])):
        clock.move(timedelta(seconds=seconds))
        house.drain()
        assert sorted(house.provider.taken) == heard
    assert house.provider.texts[0] == "one"


def test_a_pause_of_one_chat_is_of_one_chat(house: House) -> None:
    house.say(house.member(), "one")
    house.provider.answers = [TryLater("429", timedelta(seconds=30))]
    house.drain()
    house.say(house.member(), "two")
    house.drain()
    assert house.provider.taken == ["two"]


def test_waits_grow_but_not_without_end(house: House) -> None:
    noy = house.member()
    [id_] = house.say(noy, "one")
    waits = []
    for _ in range(12):
        house.provider.answers = [TryLater("connect", timedelta(0))]
        before = clock.now()
        house.drain()
        due_at = _due_at(house, id_)
        waits.append((due_at - before).total_seconds())
        clock.move(due_at - clock.now() + timedelta(seconds=1))
    assert waits[0] <= 2
    assert waits[7] >= 60
    assert max(waits) <= 601
    house.drain()
    assert house.provider.taken == ["one"], "it is never given up"


def _due_at(house: House, message_id: int) -> datetime:
    row = select(models.deliveries.c.due_at).where(models.deliveries.c.message_id == message_id)
    return house.now(lambda db: db.execute(row).scalar_one())  # type: ignore[no-any-return]


# Unknown ----------------------------------------------------------------------------------------


def test_an_unknown_send_is_repeated_but_not_for_ever(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    house.provider.answers = [Unknown("network")] * (MOST_REPEATS + 5)
    house.drain()
    assert house.fate(id_) == ("unknown", "network")
    clock.move(timedelta(seconds=5))
    house.drain()
    assert len(house.provider.said) == 1, "a receipt may still tell"
    for number in range(MOST_REPEATS + 3):
        clock.move(LATER * 2**number)  # longer each time
        house.drain()
    assert len(house.provider.said) == 1 + MOST_REPEATS
    assert house.fate(id_) == ("failed", "unknown")
    assert len(set(house.provider.said)) == 1, "the same token, the same words"


def test_a_repeat_that_is_taken(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    house.provider.answers = [Unknown("network")]
    house.drain()
    clock.move(LATER)
    house.drain()
    assert house.fate(id_)[0] == "sent"
    assert len(house.provider.said) == 2


def test_a_receipt_settles_an_unknown_send(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    house.provider.answers = [Unknown("network")]
    house.drain()
    house.receipt("delivered", house.provider.said[0].token)
    clock.move(LATER)
    house.drain()
    assert len(house.provider.said) == 1
    assert house.fate(id_)[0] == "delivered"


def test_an_unknown_send_is_looked_up_first(finding: House) -> None:
    [id_] = finding.say(finding.member(), "one")
    finding.provider.answers = [Unknown("500")]
    finder(finding).found = ["SM7"]
    finding.drain()
    clock.move(LATER)
    finding.drain()
    assert len(finding.provider.said) == 1
    assert finding.fate(id_)[0] == "sent"
    by_id = Receipt(LANE, "read", id="SM7")
    assert finding.now(lambda db: receipts.apply(db, by_id, clock.now()))
    assert finding.fate(id_)[0] == "read"


def test_what_was_not_found_is_sent_again(finding: House) -> None:
    [id_] = finding.say(finding.member(), "one")
    finding.provider.answers = [Unknown("500"), Unknown("500")]
    for _ in range(3):
        finding.drain()
        clock.move(LATER)
    assert finder(finding).looked == 2
    assert len(finding.provider.said) == 3
    assert finding.fate(id_)[0] == "sent"


def test_as_long_as_the_look_up_fails_nothing_is_sent(finding: House) -> None:
    [id_] = finding.say(finding.member(), "one")
    finding.provider.answers = [Unknown("500")]
    finder(finding).found = [Unknown("lookup"), Unknown("lookup"), "SM7"]
    for _ in range(4):
        finding.drain()
        clock.move(LATER)
    assert len(finding.provider.said) == 1
    assert finding.fate(id_)[0] == "sent"


def test_a_bug_in_a_channel_counts_as_unknown(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    house.provider.answers = [ValueError("a bug")]
    house.drain()
    assert house.fate(id_) == ("unknown", "ValueError")


@pytest.mark.parametrize("code", ["ServerDisconnectedError", "9" * 5000])
def test_a_long_code_does_not_stop_the_lane(house: House, code: str) -> None:
    """A code is cut where its column ends."""
    ids = [*house.say(house.member(), "one"), *house.say(house.member(), "two")]
    house.provider.answers = [Unknown(code)]
    house.drain()
    assert sorted(house.fate(id_)[0] for id_ in ids) == ["sent", "unknown"]


# Refusals ---------------------------------------------------------------------------------------


def test_gone_until_she_writes(house: House) -> None:
    noy = house.member()
    everybody = house.community(noy)
    [first] = house.say(noy, "one")
    queued = house.tell(everybody, "queued")
    house.provider.answers = [Gone("403")]
    house.drain()
    clock.move(timedelta(minutes=1))
    house.drain()
    assert house.fate(first) == ("failed", "403")
    assert not house.is_reachable(noy)
    told = house.tell(everybody, "told")
    house.drain()
    assert house.fate(told) == ("failed", "unreachable")
    assert "told" not in house.provider.texts
    house.hear(noy)
    house.tell(everybody, "again")
    house.drain()
    assert house.provider.texts[-1] == "again"
    assert house.fate(queued)[0] in ("failed", "sent")


def test_what_was_queued_before_she_was_gone_is_not_tried(house: House) -> None:
    noy = house.member()
    queued = house.tell(house.community(noy), "queued")
    house.now(lambda db: members.mark_unreachable(db, noy[0], clock.now()))
    house.drain()
    assert house.fate(queued) == ("failed", "unreachable")
    assert house.provider.said == []


def test_rejected_fails_and_the_next_one_goes(house: House) -> None:
    noy = house.member()
    first, second = house.say(noy, "one", "two")
    house.provider.answers = [Rejected("400")]
    house.drain()
    assert house.fate(first) == ("failed", "400")
    assert house.fate(second)[0] == "sent"
    assert house.is_reachable(noy)


def test_a_closed_window_holds(house: House) -> None:
    noy = house.member()
    [id_] = house.say(noy, "one")
    house.provider.answers = [WindowClosed("63016")]
    house.drain()
    assert house.fate(id_) == ("held", "window")
    clock.move(DAY)
    house.drain()
    assert len(house.provider.said) == 1
    house.now(lambda db: waiting.release(db, noy[0], clock.now()))
    house.drain()
    assert house.provider.taken == ["one"]


def test_a_window_we_know_is_closed(database_url: str) -> None:
    house = House(database_url, Provider(window=DAY))
    noy = house.member()
    clock.move(DAY + timedelta(minutes=1))
    ids = house.say(noy, "one", "two")
    house.drain()
    assert [house.fate(id_) for id_ in ids] == [("held", "window")] * 2
    assert house.provider.said == []
    house.hear(noy)
    house.now(lambda db: waiting.release(db, noy[0], clock.now()))
    house.drain()
    assert house.provider.taken == ["one", "two"]
    house.close()


@pytest.mark.parametrize(
    "said",
    [
        Message((Text("{missing}", {"n": 1}),)),
        Message((Text(""),)),
        Message((Text("{a.b}", {"a": "x"}),)),
        Message((Text("{x}", {"x": Ref("posts", 999)}), Text("{y}", {}), Text("{z}", {"n": 0}))),
    ],
    ids=["missing", "empty", "attribute", "braces"],
)
def test_what_cannot_be_rendered_holds_up_nobody(house: House, said: Message) -> None:
    [broken] = house.say(noy := house.member(), said)
    house.say(noy, "next")
    house.say(house.member(), "other")
    house.drain()
    assert house.fate(broken) == ("failed", "render")
    assert sorted(house.provider.taken) == ["next", "other"]


def test_a_reference_to_a_table_of_another_release(house: House) -> None:
    """Like one to a row that is gone."""
    [about] = house.say(house.member(), Message((Text("{x}", {"x": Ref("nowhere", 1)}),)))
    house.say(house.member(), "other")
    house.drain()
    assert house.fate(about)[0] == "sent"
    assert sorted(house.provider.taken) == ["(taken back)", "other"]


@pytest.mark.parametrize(
    "body",
    [{"unknown": "shape"}, {"say": [{"text": "x", "params": {"a": {"what": 1}}}]}],
    ids=["shape", "parameter"],
)
def test_a_message_that_cannot_be_read(house: House, body: dict[str, Any]) -> None:
    [broken] = house.say(house.member(), "broken")
    house.say(house.member(), "other")
    table = models.messages
    house.now(lambda db: db.execute(update(table).where(table.c.id == broken).values(body=body)))
    house.drain()
    assert house.provider.taken == ["other"]


def test_a_message_sealed_with_a_key_that_is_gone(house: House) -> None:
    [broken] = house.say(house.member(), "broken")
    house.say(house.member(), "other")
    known = seals.keyring()
    seals.use(seals.Keyring([seals.new_key()]))
    body = {"say": [{"text": "x"}]}
    table = models.messages
    house.now(lambda db: db.execute(update(table).where(table.c.id == broken).values(body=body)))
    seals.use(known)
    house.drain()
    assert house.provider.taken == ["other"]


def test_a_menu_on_a_channel_without_commands(house: House) -> None:
    [id_] = house.say(house.member(), Message(commands=True))
    house.drain()
    assert house.fate(id_) == ("dropped", "no_commands")


# Crashes ----------------------------------------------------------------------------------------


def test_a_crash_between_claiming_and_sending(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    house.sender.flight.launch = lambda *_: None  # type: ignore[method-assign]  # and then gone
    house.drain()
    assert house.fate(id_)[0] == "sending"
    house.new_owner()
    house.drain()  # it takes over, and waits for what may be on its way
    clock.move(LATER)
    house.drain()
    assert house.provider.texts == ["one"]
    assert house.fate(id_)[0] == "sent"


def test_a_message_that_kills_its_owner_is_not_tried_for_ever(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    for _ in range(MOST_REPEATS + 3):
        house.provider.answers = [asyncio.CancelledError()]
        house.drain()
        house.new_owner()
        house.drain()  # it takes over, and waits for what may be on its way
        clock.move(LATER)
        clock.move(LATER)
    house.drain()
    assert len(house.provider.said) == 1 + MOST_REPEATS
    assert house.fate(id_) == ("failed", "unknown")


def test_a_crash_between_two_parts_goes_on_with_the_same_words(database_url: str) -> None:
    house = House(database_url, Provider(text=20))
    noy = house.member()
    house.say(noy, Message((Text("first part of it"), Text("second part of it"))))
    house.provider.answers = [None, asyncio.CancelledError()]
    house.drain()
    before = list(house.provider.said)
    assert [each.text for each in before] == ["first part of it", "second part of it"]
    house.new_owner()
    house.drain()  # it takes over, and waits for what may be on its way
    clock.move(LATER)
    house.provider.limits = replace(house.provider.limits, text=4096)
    clock.move(LATER)
    house.drain()
    assert house.provider.said[2:] == before, "frozen: the same parts, the same tokens"
    house.close()


def test_after_a_crash_only_the_missing_part_is_sent(finding: House) -> None:
    finding.provider.limits = replace(finding.provider.limits, text=20)
    [id_] = finding.say(
        finding.member(), Message((Text("first part of it"), Text("second part of it")))
    )
    finding.provider.answers = [None, asyncio.CancelledError()]
    finding.drain()
    finder(finding).found = ["id1", None]
    finding.new_owner()
    finding.drain()  # it takes over, and waits for what may be on its way
    clock.move(LATER)
    finding.drain()
    assert finding.provider.texts[2:] == ["second part of it"]
    assert finding.fate(id_)[0] == "sent"


def test_a_part_that_was_refused_goes_on_where_it_was(database_url: str) -> None:
    house = House(database_url, Provider(text=20))
    house.say(house.member(), Message((Text("first part of it"), Text("second part of it"))))
    house.provider.answers = [None, TryLater("429", timedelta(seconds=3))]
    house.drain()
    clock.move(timedelta(seconds=4))
    house.drain()
    assert house.provider.taken == ["first part of it", "second part of it"]
    house.close()


def test_what_came_back_is_kept_while_the_store_is_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = house.say(house.member(), "one")

    def down(*_: Any) -> None:
        raise StoreDown("gone")

    with monkeypatch.context() as broken:
        broken.setattr(fates, "settle", down)
        with pytest.raises(StoreDown):
            house.drain()
    house.drain()
    assert house.fate(id_)[0] == "sent"
    assert len(house.provider.said) == 1


def test_an_old_owner_loses_the_lane(house: House) -> None:
    old = house.sender
    house.drain()
    new = house.new_owner()
    house.drain(new)
    [id_] = house.say(house.member(), "one")
    with pytest.raises(LaneLost):
        house.drain(old)
    assert house.provider.said == []
    house.drain(new)
    assert house.provider.texts == ["one"]
    assert house.fate(id_)[0] == "sent"


def test_two_workers_share_no_lane(house: House) -> None:
    """Both run; one owns the lane; when it stops, the other takes over."""

    async def play() -> None:
        first, second = house.sender, house.new_owner()
        runs = [asyncio.create_task(each.run()) for each in (first, second)]
        await _until(lambda: bool(first._fence or second._fence))
        assert bool(first._fence) != bool(second._fence)
        owner, other = (first, second) if first._fence else (second, first)
        await asyncio.to_thread(house.say, noy, "one")
        owner.wake()
        await _until(lambda: len(house.provider.said) == 1)
        owner.stop()
        await _until(lambda: bool(other._fence))
        await asyncio.to_thread(house.say, noy, "two")
        other.wake()
        await _until(lambda: len(house.provider.said) == 2)
        other.stop()
        await asyncio.gather(*runs)

    noy = house.member()
    asyncio.run(play())
    assert house.provider.taken == ["one", "two"]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


# Audiences --------------------------------------------------------------------------------------


def _crowd(house: House, size: int) -> Audience:
    """A community of many, without the words of a welcome."""
    audience = house.community()

    def work(db: Any) -> None:
        now = clock.now()
        start = db.execute(select(func.coalesce(func.max(models.members.c.id), 0))).scalar_one()
        ids = range(start + 1, start + size + 1)
        db.execute(
            insert(models.members),
            [{"id": id_, "state": "active", "language": "en", "created_at": now} for id_ in ids],
        )
        about = {"lane": LANE, "preferred": True, "created_at": now, "last_inbound_at": now}
        db.execute(
            insert(models.addresses),
            [{"id": id_, "member_id": id_, "sealed": f"n{id_}", **about} for id_ in ids],
        )
        place = {"community_id": audience.id, "role": "member", "state": "active"}
        db.execute(
            insert(models.memberships),
            [{"member_id": id_, "created_at": now, **place} for id_ in ids],
        )

    if size:
        house.now(work)
    return audience


def test_a_fan_out_over_4100(house: House) -> None:
    audience = _crowd(house, 4100)
    id_ = house.tell(audience, "news")
    assert house.count(id_) == 2000
    assert house.now(audiences.go_on)
    assert house.count(id_) == 4000
    house.now(lambda db: audiences.tell(db, id_, "broadcast", audience, clock.now()))
    assert house.count(id_) == 4000, "told again: nothing new"
    house.database.close()
    house.database = Database(house.database.url.render_as_string(hide_password=False))
    assert house.now(audiences.go_on), "another process goes on"
    assert not house.now(audiences.go_on)
    assert house.count(id_) == 4100
    people = select(func.count(models.deliveries.c.member_id.distinct()))
    assert house.now(lambda db: db.execute(people).scalar_one()) == 4100


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 9, 10, 11])
def test_a_fan_out_at_the_edges_of_a_chunk(
    house: House, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "FAN_OUT", 5)
    id_ = house.tell(_crowd(house, size), "news")
    house.drain()
    assert len(house.provider.said) == house.count(id_) == size
    assert len({each.to for each in house.provider.said}) == size
    assert not house.now(audiences.go_on)


def test_whoever_left_before_her_chunk_is_left_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "FAN_OUT", 2)
    audience = _crowd(house, 5)
    id_ = house.tell(audience, "news")
    last = select(func.max(models.members.c.id)).scalar_subquery()
    left = update(models.memberships).where(models.memberships.c.member_id == last)
    house.now(lambda db: db.execute(left.values(state="left")))
    house.drain()
    assert house.count(id_) == len(house.provider.said) == 4


@pytest.mark.parametrize(
    ("table", "changed", "reason"),
    [
        ("memberships", {"state": "left"}, "left"),
        ("members", {"state": "stopped"}, "stopped"),
        ("messages", {"expires_at": "past"}, "expired"),
    ],
)
def test_her_state_is_checked_again_when_it_is_sent(
    house: House, table: str, changed: dict[str, Any], reason: str
) -> None:
    id_ = house.tell(house.community(house.member()), "news")
    if "expires_at" in changed:
        changed = {"expires_at": clock.now() - timedelta(seconds=1)}
    rows = update(getattr(models, table)).values(**changed)
    house.now(lambda db: db.execute(rows))
    house.drain()
    assert house.fate(id_) == ("dropped", reason)
    assert house.provider.said == []


def test_what_she_did_herself_is_answered_though_she_stopped(house: House) -> None:
    noy = house.member(state="stopped")
    house.say(noy, "It is quiet now.")
    house.drain()
    assert house.provider.texts == ["It is quiet now."]


def test_the_state_is_checked_again_at_every_try(house: House) -> None:
    id_ = house.tell(house.community(noy := house.member()), "news")
    house.provider.answers = [TryLater("429", timedelta(seconds=1))]
    house.drain()
    house.now(lambda db: members.mark(db, noy[1], state="stopped"))
    clock.move(timedelta(minutes=1))
    house.drain()
    assert house.fate(id_) == ("dropped", "stopped")
    assert len(house.provider.said) == 1


@pytest.mark.parametrize(("answers", "seen"), [(0, True), (2, True), (3, False), (9, False)])
def test_the_hint_goes_after_three_answered_threads(house: House, answers: int, seen: bool) -> None:
    house.say(house.member(answers=answers), Message((Text("A question"),), hint=Text("Reply!")))
    house.drain()
    assert ("Reply!" in house.provider.texts[0]) is seen


# Words ------------------------------------------------------------------------------------------


def _post(house: House, author: int, text: str) -> int:
    inbound = Inbound(LANE, "k", ("x",), text=text, id="b1")
    return house.now(  # type: ignore[no-any-return]
        lambda db: posts.add(db, author, inbound, clock.now(), kind="question", state="live")
    )


def _edit(house: House, text: str) -> None:
    def work(db: Any) -> None:
        found = posts.find_by_bubble(db, LANE, "b1")
        assert found is not None
        posts.edit_bubble(db, found[1], text)

    house.now(work)


def test_a_post_that_is_edited_before_it_leaves(house: House) -> None:
    noy = house.member()
    post = Message((Text("{post}", {"post": Ref("posts", _post(house, noy[1], "old"))}),))
    house.say(noy, post)
    _edit(house, "new")
    house.drain()
    assert house.provider.texts == ["new"]


def test_what_was_tried_once_keeps_its_words(house: House) -> None:
    """It may have arrived: a repeat with other words would be a second message."""
    noy = house.member()
    post = Message((Text("{post}", {"post": Ref("posts", _post(house, noy[1], "old"))}),))
    house.say(noy, post)
    house.provider.answers = [Unknown("network")]
    house.drain()
    _edit(house, "new")
    clock.move(LATER)
    house.drain()
    assert house.provider.texts == ["old", "old"]


def test_a_post_that_is_taken_back_before_it_leaves(house: House) -> None:
    noy = house.member()
    id_ = _post(house, noy[1], "secret")
    house.say(noy, Message((Text("{post}", {"post": Ref("posts", id_)}),)))
    house.now(lambda db: posts.mark(db, id_, state="hidden"))
    house.drain()
    assert "secret" not in house.provider.texts[0]


def test_each_hears_it_in_her_language(house: House) -> None:
    names = {"en": "Crafts", "lo": "ຫັດຖະກຳ", "km": "សិប្បកម្ម"}
    people = [house.member(language=code) for code in names]
    audience = house.community(*people)
    item = library.of_community(audience.id, "name", "en", names)
    house.now(lambda db: library.take(db, [item], clock.now()))
    house.tell(audience, Message((Text("{c}", {"c": Ref("communities", audience.id)}),)))
    house.drain()
    assert sorted(house.provider.texts) == sorted(names.values())


def test_choices_come_on_the_last_part(database_url: str) -> None:
    house = House(database_url, Provider(text=30))
    choices = (Choice("a", Text("Yes")), Choice("b", Text("No")))
    house.say(house.member(), Message((Text("a long question " * 5),), choices))
    house.drain()
    *before, last = house.provider.said
    assert before
    assert all(not each.buttons for each in before)
    assert [each.label for each in last.buttons] == ["Yes", "No"]
    assert {each.data.rpartition(".")[2] for each in last.buttons} == {"0", "1"}
    assert max(len(each.text) for each in house.provider.said) <= 30
    house.close()


def test_the_same_key_is_said_once(house: House) -> None:
    noy = house.member()
    audience, now = Audience("member", noy[1]), clock.now()

    def once(db: Any) -> int | None:
        added = messages.add(db, "once/1", "thread", _message("hello"), now)
        if added is not None:
            audiences.tell(db, added, "thread", audience, now)
        return added

    assert house.now(once) is not None
    assert house.now(once) is None
    house.drain()
    assert house.provider.texts == ["hello"]


def test_poison_is_given_up(house: House) -> None:
    """Claimed again and again, and never even rendered: the owner dies of it each time."""
    noy = house.member()
    [id_] = house.say(noy, "poison")
    house.say(noy, "next")
    attempts = update(models.deliveries).where(models.deliveries.c.message_id == id_)
    house.now(lambda db: db.execute(attempts.values(attempts=ATTEMPTS)))
    house.drain()
    assert house.fate(id_) == ("failed", "poison")
    assert house.provider.texts == ["next"]
