"""Happy Trees in the store and at the providers: who sees which leaf, and until when."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import insert, select, update

from bot import captioning, choosing, models, trees
from bot.db import Database, StoreDown
from bot.messages import File, Inbound, Message, Ref, Text, Tree, refs_of
from bot.store import (
    agreements,
    captions,
    editions,
    enclosures,
    leaves,
    posts,
    schedules,
    transcripts,
)
from bot.store.audiences import Audience
from bot.store.enclosures import Enclosure
from bot.store.leaves import Painted
from bot.store.references import References
from bot.telling import tell
from bot.tree import picture
from tests.test_pictures import Gallery
from tests.test_seats import NOW, community, member, opened

WORDS = "We sold the first basket"


@pytest.fixture(autouse=True)
def _bare_easel() -> Iterator[None]:
    """No picture of another test."""
    yield
    trees._drawn.clear()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def hang(db: Any, author_id: int, place: int, words: str = WORDS, *, named: bool = False) -> int:
    said = Inbound("lane", f"{words}{author_id}", ("x",), text=words)
    post_id = posts.add(db, author_id, said, NOW, kind=leaves.KIND)
    leaves.hang(db, post_id, place, NOW, named=named)
    return post_id


def speak(db: Any, author_id: int, place: int, *, named: bool = False) -> int:
    """A leaf of a voice note alone, which was fetched."""
    voice = File("voice", "handle", 3, "audio/ogg")
    inbound = Inbound("lane", f"v{author_id}{named}", ("x",), files=(voice,))
    post_id = posts.add(db, author_id, inbound, NOW, kind=leaves.KIND)
    leaves.hang(db, post_id, place, NOW, named=named)
    arrived = {"state": "stored", "milliseconds": 3000, "stored_at": NOW, "reference": None}
    db.execute(update(models.media).values(arrived))
    return post_id


def said(db: Any, post_id: int) -> str:
    """What stands on a leaf."""
    ref = Ref("leaves", post_id)
    return References(db, [ref])(ref, "en")


def seen(db: Any, member_id: int, *places: int) -> list[int]:
    return [each.id for each in leaves.list_for(db, member_id, places, 99)]


def leave(db: Any, member_id: int) -> None:
    hers = models.memberships.c.member_id == member_id
    db.execute(update(models.memberships).where(hers).values(state="left"))


def make_discreet(db: Any, place: int) -> None:
    here = models.communities.c.id == place
    db.execute(update(models.communities).where(here).values(discreet=True))


# Who sees which leaf -----------------------------------------------------------------------------


def test_the_newest_stand_first_and_only_members_see_them(database: Database) -> None:
    def work(db: Any) -> None:
        here, there = community(db), community(db, "dyers")
        noy, dara, other = member(db, here, 1), member(db, here, 2), member(db, there, 3)
        first, second = hang(db, noy, here), hang(db, dara, here)
        third = hang(db, other, there)
        assert seen(db, noy, here, there) == [second, first]
        assert seen(db, other, here, there) == [third]
        assert leaves.count_for(db, noy, [here, there]) == 2
        assert leaves.find_for(db, other, first) is None
        assert leaves.list_for(db, noy, [here], 9, before=second)[0].id == first

    database.run_now(work)


def test_what_is_hidden_taken_down_or_of_who_left_is_gone(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy, dara, kea = (member(db, here, number) for number in range(3))
        hidden, down = hang(db, noy, here), hang(db, noy, here)
        left, stays = hang(db, dara, here), hang(db, kea, here)
        assert posts.hide(db, hidden)
        leaves.take_down(db, down)
        leave(db, dara)
        assert seen(db, kea, here) == [stays]
        assert seen(db, dara, here) == []
        assert leaves.find_own(db, noy, down) is None
        assert {hidden, left} & {*seen(db, noy, here)} == set()

    database.run_now(work)


def test_the_leaf_of_a_former_member_stays_without_a_name(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy, dara = member(db, here, 1), member(db, here, 2)
        post_id = hang(db, noy, here, named=True)
        assert [each.name for each in leaves.paint_for(db, dara, [here], 9, 9)] == ["Member 1"]
        posts.mark(db, post_id, author_id=None)
        [painted] = leaves.paint_for(db, dara, [here], 9, 9)
        assert (painted.words, painted.name) == (WORDS, None)
        [found] = leaves.list_for(db, dara, [here], 9)
        assert "name" not in trees.line(found, discreet=False).params

    database.run_now(work)


def test_a_leaf_without_a_name_leads_to_nobody(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy, dara = member(db, here, 1), member(db, here, 2)
        hang(db, noy, here)
        tree = trees.on_demand(db, dara, here)
        assert not [ref for ref in refs_of(Message(tree=tree)) if ref.table == "members"]
        assert [each.name for each in leaves.paint_for(db, dara, [here], 9, 9)] == [None]

    database.run_now(work)


def test_in_a_discreet_group_no_name_is_shown_even_if_she_wished_it_once(
    database: Database,
) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy, dara = member(db, here, 1), member(db, here, 2)
        hang(db, noy, here, named=True)
        make_discreet(db, here)
        tree = trees.on_demand(db, dara, here)
        assert not [ref for ref in refs_of(Message(tree=tree)) if ref.table == "members"]
        assert [each.name for each in leaves.paint_for(db, dara, [here], 9, 9)] == [None]

    database.run_now(work)


def test_a_voice_has_a_sign_until_words_stand_for_it(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy = member(db, here, 1)
        post_id = speak(db, noy, here)
        assert said(db, post_id) == "(voice note)"
        assert leaves.paint_for(db, noy, [here], 9, 9) == [Painted(post_id, "", None, True)]
        spoken = db.execute(select(models.bubbles.c.media_id)).scalar_one()
        caption_id = captions.show(db, spoken, "automatic", WORDS, None, "en", NOW)
        assert said(db, post_id) == f"automatic: {WORDS}"
        assert leaves.paint_for(db, noy, [here], 9, 9) == [Painted(post_id, WORDS, None, True)]
        found = captions.find(db, caption_id)
        assert found is not None
        captions.stand_for(db, found)
        assert said(db, post_id) == f"written down: {WORDS}", "no name of who spoke"
        captions.refuse(db, spoken, NOW)
        assert said(db, post_id) == "(voice note)"

    database.run_now(work)


@pytest.mark.parametrize("named", [False, True])
def test_its_voice_goes_nowhere(named: bool, database: Database) -> None:
    """Neither with its words nor after them, nor behind an address; of words nobody is told."""

    def work(db: Any) -> None:
        here = community(db)
        noy, dara = member(db, here, 1), member(db, here, 2)
        post_id = speak(db, noy, here, named=named)
        spoken = db.execute(select(models.bubbles.c.media_id)).scalar_one()
        [leaf] = leaves.list_for(db, dara, [here], 9)
        message = Message((trees.line(leaf, discreet=False, most=None),))
        seen = References(db, refs_of(message))
        assert [seen.media(ref, "en") for ref in refs_of(message)] == [()] * (1 + named)
        assert enclosures.shown_in_full(message) == []
        told = Message((Text("{post}", {"post": Ref("posts", post_id)}),))
        assert enclosures.find_media(db, Enclosure(told, dara, spoken)) is None
        assert captions.find_bare(db, post_id)[0] == spoken
        caption_id = captions.show(db, spoken, "automatic", WORDS, None, "en", NOW)
        found = captions.find(db, caption_id)
        assert found is not None
        assert captioning.tell_needing(db, NOW, found, "reads") is None

    database.run_now(work)


def test_what_arrives_late_follows_no_leaf(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy, dara = member(db, here, 1), member(db, here, 2)
        post_id = speak(db, noy, here)
        tell(db, NOW, "friday", Audience("member", dara), Message((Text("x"),)), community_id=here)
        delivery = db.execute(select(models.deliveries.c.id)).scalar_one()
        db.execute(insert(models.showings).values(post_id=post_id, delivery_id=delivery))
        spoken = db.execute(select(models.bubbles.c.media_id)).scalar_one()
        assert enclosures.find_told_without(db, spoken) is None
        posts.mark(db, post_id, kind="answer")
        assert enclosures.find_told_without(db, spoken) is not None

    database.run_now(work)


def test_a_voice_without_a_name_is_never_sent_to_others(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        db.execute(update(models.programmes).values(transcribe=True))
        noy = member(db, here, 1)
        for named in (False, True):
            speak(db, noy, here, named=named)
        agreements.save(db, noy, "ears.example", "yes", NOW)
        found = transcripts.list_new(db, ["en"], NOW, 9)
        assert [each.may_go_to("ears.example") for each in found] == [False, True]
        assert [each.may_be_asked for each in found] == [False, True]
        assert all(each.may_go_to(None) for each in found)

    database.run_now(work)


# Once a week -------------------------------------------------------------------------------------


def edition(db: Any, place: int, day: int) -> int:
    row = {"kind": "digest", "weekday": 4, "minutes": 960, "first_on": 0, "changed_at": NOW}
    found = schedules.find(db, place, "digest")
    if found is None:
        db.execute(insert(models.schedules).values(row | {"community_id": place}))
        found = schedules.find(db, place, "digest")
    assert found is not None
    new = {"schedule_id": found.id, "community_id": place, "kind": "digest", "day": day}
    new |= {"state": "ahead", "next_at": NOW, "changed_at": NOW}
    made = insert(models.editions).values(new).returning(models.editions.c.id)
    id_: int = db.execute(made).scalar_one()
    return id_


def is_said(db: Any, edition_id: int) -> bool:
    found = editions.find(db, edition_id)
    assert found is not None
    return choosing.prepare(db, found, schedules.get(db, found.schedule_id), NOW)


def test_each_leaf_is_told_once(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        noy = member(db, here, 1)
        first = edition(db, here, 20_000)
        assert not is_said(db, first), "nothing has grown"
        leaf = hang(db, noy, here)
        second, third = edition(db, here, 20_007), edition(db, here, 20_014)
        assert is_said(db, second)
        found = editions.list_these(db, [second])
        tree = trees.news(db, found)
        assert tree is not None
        assert tree.communities == (here,)
        assert [ref.id for ref in refs_of(Message(tree=tree)) if ref.table == "leaves"] == [leaf]
        assert not is_said(db, third), "nothing new"

    database.run_now(work)


def test_a_discreet_tree_is_never_sent_unasked(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        make_discreet(db, here)
        hang(db, member(db, here, 1), here)
        assert not is_said(db, edition(db, here, 20_000))

    database.run_now(work)


def test_what_was_gathered_is_not_told_of_a_group_that_is_discreet_now(database: Database) -> None:
    def work(db: Any) -> None:
        here = community(db)
        hang(db, member(db, here, 1), here, named=True)
        friday = edition(db, here, 20_000)
        assert is_said(db, friday)
        make_discreet(db, here)
        assert trees.news(db, editions.list_these(db, [friday])) is None

    database.run_now(work)


def test_who_is_in_two_groups_gets_one_picture(database: Database) -> None:
    def work(db: Any) -> None:
        places = [community(db), community(db, "dyers")]
        for number, place in enumerate(places):
            hang(db, member(db, place, number), place)
        ids = [edition(db, place, 20_000) for place in places]
        assert all(is_said(db, each) for each in ids)
        tree = trees.news(db, editions.list_these(db, ids))
        assert tree is not None
        assert sorted(tree.communities) == sorted(places)

    database.run_now(work)


# The picture -------------------------------------------------------------------------------------


def address_of(database: Database, member_id: int) -> int:
    addresses = models.addresses.c
    hers = select(addresses.id).where(addresses.member_id == member_id)
    id_: int = database.run_now(lambda db: db.execute(hers).scalar_one())
    return id_


def draw(database: Database, member_id: int, *places: int) -> bytes:
    drawn = asyncio.run(trees.make(database, address_of(database, member_id), places))
    assert drawn is not None
    return drawn


def test_a_picture_shows_what_stands_at_that_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[picture.Leaf]] = []

    def note(shown: list[picture.Leaf], title: str) -> bytes:
        drawn.append([*shown, picture.Leaf(0, title)])
        return b"JPEG"

    monkeypatch.setattr(picture, "draw", note)
    here = database.run_now(community)
    noy = database.run_now(lambda db: member(db, here, 1))
    dara = database.run_now(lambda db: member(db, here, 2))
    first = database.run_now(lambda db: hang(db, noy, here, "first"))
    second = database.run_now(lambda db: hang(db, noy, here, "second", named=True))
    draw(database, dara, here)
    assert [each.words for each in drawn[-1]] == [
        "Member 1: second",
        "first",
        "Happy Tree · 2 leaves",
    ]
    draw(database, noy, here)
    assert len(drawn) == 1, "who sees the same shares a picture"
    speaks = update(models.members).where(models.members.c.id == noy)
    database.run_now(lambda db: db.execute(speaks.values(language="lo")))
    draw(database, noy, here)
    assert len(drawn) == 2
    assert drawn[-1][-1].words == "ຕົ້ນໄມ້ແຫ່ງຄວາມສຸກ · 2 ໃບ"
    database.run_now(lambda db: posts.hide(db, second))
    draw(database, dara, here)
    assert [each.id for each in drawn[-1]] == [first, 0]
    database.run_now(lambda db: leave(db, noy))
    draw(database, dara, here)
    assert [each.id for each in drawn[-1]] == [0]


def test_a_name_that_cannot_be_drawn_leaves_no_colon(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        picture, "draw", lambda shown, _title: drawn.extend(e.words for e in shown) or b""
    )
    here = database.run_now(community)
    noy = database.run_now(lambda db: member(db, here, 1))
    database.run_now(lambda db: hang(db, noy, here, "hello", named=True))
    database.run_now(lambda db: speak(db, noy, here, named=True))
    hers = update(models.members).where(models.members.c.id == noy)
    for name, said in (("🦋🦋", ["", "hello"]), ("Noy", ["Noy", "Noy: hello"])):
        drawn.clear()
        database.run_now(lambda db, name=name: db.execute(hers.values(name=name)))
        draw(database, noy, here)
        assert drawn == said


def test_nobody_gets_none(database: Database) -> None:
    assert asyncio.run(trees.make(database, 99, [1])) is None


def test_one_that_could_not_be_drawn_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = database.run_now(community)
    noy = database.run_now(lambda db: member(db, here, 1))
    database.run_now(lambda db: hang(db, noy, here, "broken"))

    def fails(*_args: Any) -> bytes:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(picture, "draw", fails)
        with pytest.raises(OSError):
            draw(database, noy, here)
    assert draw(database, noy, here).startswith(b"\xff\xd8\xff")


def test_nothing_else_waits_while_it_is_drawn(database: Database) -> None:
    """The loop turns on: other lanes are served meanwhile."""
    here = database.run_now(community)
    noy = database.run_now(lambda db: member(db, here, 1))
    database.run_now(lambda db: [hang(db, noy, here, f"leaf {each}") for each in range(40)])
    address = address_of(database, noy)

    async def work() -> int:
        task, turns = asyncio.create_task(trees.make(database, address, [here])), 0
        while not task.done():
            await asyncio.sleep(0.002)
            turns += 1
        assert await task
        return turns

    assert asyncio.run(work()) > 5


# At a provider that fetches ----------------------------------------------------------------------


@pytest.fixture
def gallery(database_url: str) -> Iterator[Gallery]:
    found = Gallery(database_url)
    with found.client:
        yield found


def tree_of(gallery: Gallery) -> str:
    """The token of a picture that was handed over to the person of the gallery."""
    place = gallery.app.database.run_now(community)
    tree = Tree((place,), (Text("The tree"), Text("{post}", {"post": Ref("posts", 1)})))
    return gallery.show(Message(tree=tree))


def test_a_provider_fetches_the_picture(gallery: Gallery) -> None:
    answer = gallery.client.get(f"/files/{tree_of(gallery)}/{trees.FILE_NAME}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (1080, 1080)


def test_another_picture_is_no_tree(gallery: Gallery) -> None:
    token = gallery.show(Message((Text("https://x"),), qr="https://x"))
    assert gallery.client.get(f"/files/{token}/{trees.FILE_NAME}").status_code == 404


def test_a_tree_is_no_other_picture(gallery: Gallery) -> None:
    assert gallery.client.get(f"/files/{tree_of(gallery)}/qr.png").status_code == 404


def test_a_store_that_is_down(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/files/{tree_of(gallery)}/{trees.FILE_NAME}"

    async def run(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "run", run)
        assert gallery.client.get(path).status_code == 503
    assert gallery.client.get(path).status_code == 200
