"""Overrides: a programme's own words are heard at once, by its people; they break no message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from bot import clock, models
from bot.i18n import render
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.reading import find_choice
from bot.store import communities, members, overrides, programmes
from bot.store.audiences import Audience
from bot.store.prompts import Prompt
from bot.store.references import References
from tests.test_sender import House

HELLO = "Hello! Write your question, or write MENU to see what you can do."
MINE = "Good day, friend! What is it?"
Person = tuple[int, int, str]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url)
    yield found
    found.close()


def place(house: House, programme: str, *people: Person) -> tuple[int, int]:
    """(programme, community) with these in it."""

    def work(db: Any) -> tuple[int, int]:
        programme_id = programmes.save(db, programme, {"en": programme}, "x")
        row = {"slug": f"{programme}-c", "language": "en", "timezone": "UTC"}
        row |= {"approval": False, "discreet": False}
        community_id = communities.save_community(db, programme_id, row)
        for _address, member_id, _lane in people:
            communities.join(db, member_id, community_id, "member", "active", clock.now())
        return programme_id, community_id

    return house.now(work)  # type: ignore[no-any-return]


def word(
    house: House, programme: int, msgid: str, *forms: str, language: str = "en", plural: Any = None
) -> int:
    return house.now(  # type: ignore[no-any-return]
        lambda db: overrides.save(db, programme, language, msgid, forms, clock.now(), plural=plural)
    )


def heard(house: House, person: Person, said: Text | Message) -> list[str]:
    house.provider.said.clear()
    message = said if isinstance(said, Message) else Message((said,))
    house.say(person, message)
    house.drain()
    return list(house.provider.texts)


# Who reads them ----------------------------------------------------------------------------------


def test_her_programme_words_what_is_said_to_her(house: House) -> None:
    noy, dara = house.member(), house.member(language="lo")
    programme, _community = place(house, "p", noy, dara)
    usual = heard(house, dara, _(HELLO))
    word(house, programme, HELLO, MINE)
    assert heard(house, noy, _(HELLO)) == [MINE]
    assert heard(house, dara, _(HELLO)) == usual != [MINE]
    word(house, programme, HELLO, "ສະບາຍດີເພື່ອນ!", language="lo")
    assert heard(house, dara, _(HELLO)) == ["ສະບາຍດີເພື່ອນ!"]


def test_nobody_else_reads_them(house: House) -> None:
    noy, other, stranger, both = (house.member() for _number in range(4))
    mine, _c = place(house, "p", noy, both)
    place(house, "q", other, both)
    word(house, mine, HELLO, MINE)
    assert heard(house, noy, _(HELLO)) == [MINE]
    for person in (other, stranger, both):  # who is in two programmes hears what all hear
        assert heard(house, person, _(HELLO)) == [HELLO]


def test_a_message_of_a_community_is_in_the_words_of_its_programme(house: House) -> None:
    both = house.member()
    first, one = place(house, "p", both)
    _second, two = place(house, "q", both)
    word(house, first, HELLO, MINE)
    for community_id, words in ((one, MINE), (two, HELLO)):
        house.provider.said.clear()
        house.tell(Audience("community", community_id), Message((_(HELLO),)))
        house.drain()
        assert house.provider.texts == [words]


def test_who_has_left_reads_as_everybody_does(house: House) -> None:
    noy = house.member()
    programme, community_id = place(house, "p", noy)
    word(house, programme, HELLO, MINE)
    table = models.memberships
    left = table.update().where(table.c.community_id == community_id).values(state="left")
    house.now(lambda db: db.execute(left))
    assert heard(house, noy, _(HELLO)) == [HELLO]


def test_another_process_says_it_from_the_next_message_on(house: House) -> None:
    noy = house.member()
    programme, _community = place(house, "p", noy)
    assert heard(house, noy, _(HELLO)) == [HELLO]
    other = House(str(house.database.engine.url.render_as_string(hide_password=False)))
    id_ = word(other, programme, HELLO, MINE)
    assert heard(house, noy, _(HELLO)) == [MINE]
    assert other.now(lambda db: overrides.undo(db, id_, clock.now()))
    other.close()
    assert heard(house, noy, _(HELLO)) == [HELLO]


def test_what_waits_is_said_in_the_words_of_when_it_leaves(house: House) -> None:
    noy = house.member()
    programme, _community = place(house, "p", noy)
    house.say(noy, Message((_(HELLO),)))
    word(house, programme, HELLO, MINE)
    house.drain()
    assert house.provider.texts == [MINE]


# What is filled in -------------------------------------------------------------------------------


def test_names_and_numbers_are_filled_in(house: House) -> None:
    noy = house.member(name="Noy")
    programme, _community = place(house, "p", noy)
    one, more = "{n} waits to be welcomed.", "{n} wait to be welcomed."
    word(house, programme, one, "{n} friend at the door", "{n} friends at the door", plural=more)
    assert heard(house, noy, _n(one, more, n=1)) == ["1 friend at the door"]
    assert heard(house, noy, _n(one, more, n=3)) == ["3 friends at the door"]
    over = "Done. {name} is a member like before."
    word(house, programme, over, "{name} is one of us again, {name}!")
    said = _(over, name=Ref("members", noy[1]))
    assert heard(house, noy, said) == ["Noy is one of us again, Noy!"]


def test_sentences_within_sentences(house: House) -> None:
    """A nested text and what stands for something that is gone are sentences too."""
    noy = house.member()
    programme, _community = place(house, "p", noy)
    word(house, programme, "a former member", "somebody who was with us")
    word(house, programme, "your group", "our circle")
    gone = _("{name} and {what}", name=Ref("members", 10**6), what=_("your group"))
    assert heard(house, noy, gone) == ["somebody who was with us and our circle"]


@pytest.mark.parametrize(
    "form",
    ["{name.__class__} joins", "{other} joins", "{name!r}: {0}", "{", "}{", "{name:>999999999}"],
)
def test_words_that_do_not_fit_break_no_message(house: House, form: str) -> None:
    """They were checked when they came in; here nothing but a name in braces means anything."""
    noy = house.member(name="Noy")
    programme, _community = place(house, "p", noy)
    joins = "{name} would like to join {community}."
    word(house, programme, joins, form)
    [said] = heard(house, noy, _(joins, name=Ref("members", noy[1]), community="Crafts"))
    assert said in (form, "Noy would like to join Crafts.")
    assert "class" not in said.replace("__class__", "")


def test_a_sentence_that_got_a_plural_is_another_one(house: House) -> None:
    assert overrides.hash_of("{n} day") != overrides.hash_of("{n} day", "{n} days")


# Labels ------------------------------------------------------------------------------------------


def chosen(house: House, typed: str, person: Person, place: int | None = None) -> int | None:
    message = Message((_("Ready?"),), (Choice("c", _("Cancel")), Choice("s", _("Send"))))
    prompt = Prompt(None, 0, message, None, None, place)
    return house.now(  # type: ignore[no-any-return]
        lambda db: find_choice(db, typed, prompt, person[1])
    )


def test_a_label_in_her_programmes_words_can_be_typed(house: House) -> None:
    noy = house.member()
    programme, _community = place(house, "p", noy)
    word(house, programme, "Send", "Out with it")
    for typed, index in (
        ("out with IT", 1),
        ("send", 1),
        ("cancel", 0),
        ("2", 1),
        ("no way", None),
    ):
        assert chosen(house, typed, noy) == index, typed


def test_a_label_in_the_words_of_others_chooses_nothing_here(house: House) -> None:
    noy, other, both, nobody = (house.member() for _number in range(4))
    mine, one = place(house, "p", noy, both)
    _theirs, two = place(house, "q", other, both)
    word(house, mine, "Send", "Rice")
    assert [chosen(house, "rice", each) for each in (noy, other, nobody)] == [1, None, None]
    # Who is in two programmes has read it as all do, but in what one of them sent.
    assert [chosen(house, "rice", both, each) for each in (None, one, two)] == [None, 1, None]


# Saving, undoing ---------------------------------------------------------------------------------


def test_undo_leads_back_step_by_step(house: House) -> None:
    programme, _community = place(house, "p")
    id_ = word(house, programme, HELLO, "one")
    assert word(house, programme, HELLO, "two") == id_
    assert word(house, programme, HELLO, "two") == id_  # saved twice: no change

    def forms() -> Sequence[str] | None:
        found = house.now(lambda db: overrides.find(db, id_))
        return None if found is None else found.forms

    def undo() -> bool:
        return house.now(lambda db: overrides.undo(db, id_, clock.now()))  # type: ignore[no-any-return]

    assert forms() == ["two"]
    assert undo() and forms() == ["one"]
    assert undo() and forms() is None
    assert not undo()


def test_an_old_undo_never_takes_back_a_newer_one(house: House) -> None:
    programme, _community = place(house, "p")
    first = word(house, programme, HELLO, "one")
    assert house.now(lambda db: overrides.undo(db, first, clock.now()))
    assert word(house, programme, HELLO, "two") != first
    assert not house.now(lambda db: overrides.undo(db, first, clock.now()))


def test_an_author_who_is_forgotten_leaves_the_words(house: House) -> None:
    noy = house.member()
    programme, _community = place(house, "p", noy)
    save = lambda db: overrides.save(  # noqa: E731
        db, programme, "en", HELLO, [MINE], clock.now(), author_id=noy[1]
    )
    id_ = house.now(save)
    house.now(lambda db: db.execute(models.members.delete().where(models.members.c.id == noy[1])))
    found = house.now(lambda db: overrides.find(db, id_))
    assert (found.forms, found.author_id) == ([MINE], None)


# Cost --------------------------------------------------------------------------------------------


def counted(house: House, work: Callable[[], Any]) -> int:
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "overrides" in statement:
            said.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    work()
    event.remove(house.database.engine, "before_cursor_execute", note)
    return len(said)


def test_where_nothing_is_worded_otherwise_a_round_asks_once(house: House) -> None:
    people = [house.member() for _number in range(20)]
    programme, community_id = place(house, "p", *people)
    everybody = Audience("community", community_id)
    house.tell(everybody, "news")
    assert counted(house, house.drain) <= 1 + 1  # and the round that finds nothing more
    word(house, programme, HELLO, MINE)
    house.tell(everybody, "news")
    assert counted(house, house.drain) <= 2 * 2
    assert house.provider.texts.count("news") == 40


def test_many_words_are_read_fast(house: House) -> None:
    """A programme that words all of it."""
    noy = house.member()
    programme, _community = place(house, "p", noy)
    rows = [
        {"programme_id": programme, "language": "en", "hash": overrides.hash_of(str(n)),
         "msgid": str(n), "forms": [f"say {n}"], "changed_at": clock.now()}
        for n in range(2000)
    ]  # fmt: skip
    house.now(lambda db: db.execute(models.overrides.insert(), rows))
    before = clock.steady()
    assert heard(house, noy, _("1234")) == ["say 1234"]
    assert clock.steady() - before < 1


def test_references_without_words_of_ones_own_are_the_same_object(house: House) -> None:
    found: References = house.now(lambda db: References(db, []))
    assert found.reading(None) is found and found.reading({}) is found
    other = found.reading({("en", "hello"): ["hey"]})
    assert render(_("hello"), "en", other) == "hey" and render(_("hello"), "en", found) == "hello"


def test_members_elsewhere_are_counted_in(house: House) -> None:
    """Who waits to be welcomed reads the words of where she waits."""
    noy = house.member()
    programme, community_id = place(house, "p")
    house.now(
        lambda db: communities.join(db, noy[1], community_id, "member", "waiting", clock.now())
    )
    word(house, programme, HELLO, MINE)
    assert heard(house, noy, _(HELLO)) == [MINE]
    clock.move(timedelta(days=1))
    house.now(lambda db: members.mark_heard(db, noy[0], clock.now()))
    assert house.now(lambda db: db.execute(select(models.overrides.c.msgid)).scalar()) == HELLO
