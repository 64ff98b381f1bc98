"""A programme file: loading it again changes nothing, a mistake is one line with its place."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, select, update

from bot import clock, models, programme, seals
from bot.cli import DEMO
from bot.db import Database
from bot.messages import Ref
from bot.programme import ProgrammeError
from bot.store import communities, contents
from bot.store.references import References
from bot.store.secrets import open_store
from tests.stage import Stage

GOOD: dict[str, Any] = {
    "programme": {
        "slug": "linking",
        "names": {"en": "Linking", "lo": "ເຊື່ອມຕໍ່", "km": "តភ្ជាប់"},
        "contact": "help@example.org",
    },
    "communities": [
        {
            "slug": "crafts",
            "names": {"en": "Crafts", "lo": "ຫັດຖະກຳ", "km": "សិប្បកម្ម"},
            "language": "lo",
            "timezone": "Asia/Vientiane",
            "approval": True,
            "facilitators": ["telegram:700443218801"],
        },
        {
            "slug": "farming",
            "names": {"en": "Farming", "lo": "ກະສິກຳ", "km": "កសិកម្ម"},
            "language": "km",
            "timezone": "Asia/Phnom_Penh",
            "discreet": True,
        },
    ],
    "demo_members": [
        {
            "address": "simulator:p2",
            "name": "Alex",
            "look": "telegram",
            "language": "en",
            "communities": ["crafts", "farming"],
            "role": "facilitator",
        }
    ],
}
LANES = {"telegram": "telegram/1", "simulator": "simulator/telegram"}


def written(folder: Path, content: Any) -> Path:
    path = folder / "programme.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    found = copy.deepcopy(GOOD)
    change(found)
    return found


def load(database_url: str, path: Path, lanes: dict[str, str] = LANES) -> dict[str, int]:
    if seals._keyring is None:
        seals.use(seals.Keyring([seals.new_key()]))
    database = Database(database_url)
    try:
        database.run_now(open_store)
        found = programme.read(path)
        return database.run_now(lambda db: programme.load(db, found, lanes, clock.now()))
    finally:
        database.close()


def rows(database_url: str) -> dict[str, list[Any]]:
    """Every row of every table, opened."""
    database = Database(database_url)

    def work(db: Connection) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(tuple, db.execute(select(table))), key=repr)
            for table in models.metadata.sorted_tables
        }

    try:
        return database.run_now(work)
    finally:
        database.close()


# Loading


def test_a_good_file(database_url: str, tmp_path: Path) -> None:
    counts = load(database_url, written(tmp_path, GOOD))
    assert counts == {"communities": 2, "facilitators": 1}
    found = rows(database_url)
    assert [row[1] for row in found["communities"]] and len(found["members"]) == 2
    [crafts, farming] = sorted(
        read(database_url, select(models.communities)), key=lambda row: row.slug
    )
    assert said_of(database_url, crafts.id, "name") == GOOD["communities"][0]["names"]
    assert (crafts.approval, crafts.discreet, crafts.timezone) == (True, False, "Asia/Vientiane")
    assert (farming.approval, farming.discreet, farming.language) == (False, True, "km")
    assert len(found["memberships"]) == 3


def said_of(database_url: str, community_id: int, kind: str) -> dict[str, str]:
    """The name or the purpose of a community, by language."""
    key = contents.key_of(community_id, kind)
    statement = (
        select(models.wordings.c.language, models.wordings.c.text)
        .join(models.contents, models.contents.c.id == models.wordings.c.content_id)
        .where(models.contents.c.key == key, models.contents.c.retired_at.is_(None))
    )
    return {row.language: row.text for row in read(database_url, statement)}


def read(database_url: str, statement: Any) -> list[Any]:
    database = Database(database_url)
    try:
        return database.run_now(lambda db: list(db.execute(statement)))
    finally:
        database.close()


def alter(database_url: str, statement: Any) -> None:
    database = Database(database_url)
    try:
        database.run_now(lambda db: db.execute(statement))
    finally:
        database.close()


def test_the_demo_is_a_good_file(database_url: str) -> None:
    assert load(database_url, DEMO) == {"communities": 1, "facilitators": 0}


def test_loading_twice_changes_nothing(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    load(database_url, path)
    before = rows(database_url)
    load(database_url, path)
    assert rows(database_url) == before


def test_a_new_name_is_taken_over(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, GOOD))
    before = rows(database_url)

    def rename(found: dict[str, Any]) -> None:
        found["communities"][0]["names"]["lo"] = "ຫັດຖະກຳ ໃໝ່"
        found["communities"][0]["approval"] = False
        found["programme"]["contact"] = "else@example.org"

    load(database_url, written(tmp_path, changed(rename)))
    after = rows(database_url)
    assert [row[0] for row in after["communities"]] == [row[0] for row in before["communities"]]
    crafts = next(row for row in after["communities"] if row[2] == "crafts")
    assert said_of(database_url, crafts[0], "name")["lo"] == "ຫັດຖະກຳ ໃໝ່"
    assert not crafts[5]
    assert after["programmes"][0][3] == "else@example.org"
    changed_tables = {name for name in after if after[name] != before[name]}
    # Its source is Lao, so that what the others are translated from has changed too.
    assert changed_tables == {"communities", "programmes", "contents", "wordings"}


def purposed(**words: str) -> dict[str, Any]:
    return changed(lambda found: found["communities"][0].update(purpose=words))


def test_a_purpose_comes_changes_and_goes(database_url: str, tmp_path: Path) -> None:
    words = {"en": "We sell what we make.", "lo": "ພວກເຮົາຂາຍສິ່ງທີ່ເຮັດ."}
    load(database_url, written(tmp_path, purposed(**words)))
    assert said_of(database_url, 1, "purpose") == words
    words["lo"] = "ພວກເຮົາຂາຍຫັດຖະກຳ."
    load(database_url, written(tmp_path, purposed(**words)))
    assert said_of(database_url, 1, "purpose") == words
    load(database_url, written(tmp_path, GOOD))
    assert said_of(database_url, 1, "purpose") == {}
    load(database_url, written(tmp_path, purposed(**words)))
    assert said_of(database_url, 1, "purpose") == words


def test_a_purpose_that_somebody_has_written_anew_stays(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, purposed(en="We sell what we make.")))

    def rewrite(db: Connection) -> None:
        key = contents.key_of(1, "purpose")
        contents.save(db, key, "purpose", "en", "Ours.", clock.now(), community_id=1)

    database = Database(database_url)
    database.run_now(rewrite)
    database.close()
    for source in (purposed(en="We sell what we make."), GOOD):
        load(database_url, written(tmp_path, source))
        assert said_of(database_url, 1, "purpose") == {"en": "Ours."}


def test_one_community_more(database_url: str, tmp_path: Path) -> None:
    first = changed(lambda found: found["communities"].pop())
    first.pop("demo_members")
    load(database_url, written(tmp_path, first))
    load(database_url, written(tmp_path, GOOD))
    slugs = [row.slug for row in read(database_url, select(models.communities))]
    assert sorted(slugs) == ["crafts", "farming"]


def test_a_failing_load_changes_nothing(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ProgrammeError):
        load(database_url, written(tmp_path, GOOD), lanes={})
    found = rows(database_url)
    assert not found["programmes"]
    assert not found["communities"]
    assert not found["members"]


# Wrong files


def community(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda found: found["communities"][0].update(values)


WRONG = {
    "zone": (community(timezone="Asia/Vientane"), "communities.0.timezone: Asia/Vientane"),
    "language": (community(language="vi"), "communities.0.language: vi"),
    "khmer": (
        lambda found: found["communities"][1]["names"].pop("km"),
        "communities.1.names: a name in km",
    ),
    "blank purpose": (community(purpose={"en": " "}), "purpose: the text in en is empty"),
    "no purpose": (community(purpose={}), "purpose: the text in any language is empty"),
    "strange purpose": (community(purpose={"fr": "x"}), "fr is no language here"),
    "endless purpose": (community(purpose={"lo": "ກ" * 401}), "longer than 400 characters"),
    "blank": (community(names={"en": "a", "lo": " ", "km": "c"}), "names: a name in lo"),
    "slug": (lambda found: found["communities"][1].update(slug="crafts"), "slug crafts"),
    "bad slug": (community(slug="Crafts & more"), "communities.0.slug"),
    "key": (community(discrete=True), "communities.0.discrete"),
    "top key": (lambda found: found.update(facilitators=[]), "facilitators"),
    "no zone": (lambda found: found["communities"][0].pop("timezone"), "communities.0.timezone"),
    "no list": (lambda found: found.update(communities=[]), "communities"),
    "no programme": (lambda found: found.pop("programme"), "programme"),
    "approval": (community(approval="perhaps"), "communities.0.approval"),
    "number": (community(facilitators=["whatsapp:02055123456"]), "communities.0.facilitators.0"),
    "name": (community(facilitators=["telegram:@noy"]), "communities.0.facilitators.0"),
    "simulator": (community(facilitators=["simulator:p1"]), "communities.0.facilitators.0"),
    "look": (community(facilitators=["simulator/telegram:p1"]), "communities.0.facilitators.0"),
    "letters": (community(facilitators=["telegram:៧០០"]), "communities.0.facilitators.0"),
    "two roles": (
        community(focal_points=["telegram:1", "telegram:700443218801"]),
        "communities.0: somebody is in facilitators and focal_points",
    ),
    "contact": (lambda found: found["programme"].update(contact=""), "programme.contact"),
    "demo": (
        lambda found: found["demo_members"][0].update(communities=["weaving"]),
        "weaving, of a demo member",
    ),
    "demo person": (
        lambda found: found["demo_members"][0].update(address="whatsapp:+8562055123456"),
        "demo_members.0.address",
    ),
}


def refusal(path: Path) -> str:
    with pytest.raises(ProgrammeError) as caught:
        programme.read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    return line


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str, tmp_path: Path) -> None:
    change, place = WRONG[name]
    assert place in refusal(written(tmp_path, changed(change)))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"programme:\n\tslug: linking\n", "line 2"),
        (b"programme: {slug: a\ncommunities: ]", "line 2"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "no YAML"),
        (b"slug: \x00\x01", "no YAML"),
        ("programme: ເຊື່ອມ".encode("utf-16"), "no YAML"),
        (b"", "the file"),
        (b"- a\n- b\n", "the file"),
        (b"just words", "the file"),
        *(
            (b"programme:\n  slug: " + odd, "no YAML, line 2")
            for odd in (
                b"2027-02-30",
                b"!!int abc",
                b"!!bool abc",
                b"!!timestamp abc",
                b'!!float ""',
                b"9" * 5000,
                b"0x_",
            )
        ),
        (b"!!python/object/apply:os.system [id]", "no YAML"),
    ],
)
def test_no_programme_at_all(content: bytes, place: str, tmp_path: Path) -> None:
    assert place in refusal(written(tmp_path, content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "programme.yaml")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(community(names=dict.fromkeys(("en", "lo", "km"), "***")), id="empty name"),
        pytest.param(community(names={**GOOD["communities"][0]["names"], "fr": "x"}), id="fr"),
    ],
)
def test_names_that_nobody_can_read(change: Any, tmp_path: Path) -> None:
    refusal(written(tmp_path, changed(change)))


def test_endless_nesting(tmp_path: Path) -> None:
    refusal(written(tmp_path, b"[" * 5000))


# Facilitators


@pytest.mark.parametrize("address", ["telegram:700443218801", "whatsapp:+8562055123456"])
def test_a_channel_that_is_not_set_up(address: str, database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(community(facilitators=[address])))
    with pytest.raises(ProgrammeError) as caught:
        load(database_url, path, lanes={})
    line = str(caught.value)
    assert f"{address.partition(':')[0]} is not set up" in line
    assert "\n" not in line
    assert address.partition(":")[2] not in line


def test_a_channel_that_is_not_set_up_has_a_place(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ProgrammeError, match=r"communities\.0\.facilitators\.0"):
        load(database_url, written(tmp_path, GOOD), lanes={})


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_facilitators_become_so_when_they_first_write(channel: str, database_url: str) -> None:
    async def play() -> None:
        stage = Stage(database_url)
        person = stage.add("Alex", channel, "en")
        source = changed(community(facilitators=[person.address]))
        source.pop("demo_members")
        stage.load(source)
        stage.load(source)
        await stage.say("Alex", "hello")
        await stage.choose("Alex", "English")
        await stage.choose("Alex", "I agree")
        await stage.say("Alex", "Alexandria")
        await stage.choose("Alex", "Skip")
        stage.load(source)
        database = stage.app.database
        [(state, role, where)] = database.run_now(
            lambda db: db.execute(
                select(models.members.c.state, models.memberships.c.role, models.communities.c.slug)
                .join(models.memberships, models.memberships.c.member_id == models.members.c.id)
                .join(
                    models.communities,
                    models.communities.c.id == models.memberships.c.community_id,
                )
            ).all()
        )
        assert (state, role, where) == ("active", "facilitator", "crafts")
        assert any("Welcome to Crafts" in str(each) for each in person.heard)
        await stage.close()

    asyncio.run(play())


@pytest.mark.parametrize("state", ["left", "declined"])
def test_who_has_left_is_not_brought_back(state: str, database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    load(database_url, path)
    alter(database_url, update(models.memberships).values(state=state))
    load(database_url, path)
    states = {row.state for row in read(database_url, select(models.memberships))}
    assert states == {state}


@pytest.mark.parametrize("state", ["active", "waiting", "left", "declined"])
def test_appointing_changes_the_role_only(state: str, database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(lambda found: found.pop("demo_members")))
    load(database_url, path)
    alter(database_url, update(models.memberships).values(state=state, role="member"))
    [before] = read(database_url, select(models.memberships))
    load(database_url, path)
    [after] = read(database_url, select(models.memberships))
    assert after._asdict() == before._asdict() | {"role": "facilitator"}


def test_demo_members_who_are_there_are_left_alone(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    load(database_url, path)
    alter(database_url, update(models.members).values(name="ອາເລັກ", language="lo"))
    before = rows(database_url)
    load(database_url, path)
    assert rows(database_url) == before


def test_a_community_is_found_by_its_slug(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, GOOD))
    database = Database(database_url)
    found = database.run_now(lambda db: communities.find(db, "farming"))
    assert found is not None
    assert found.discreet
    assert database.run_now(lambda db: communities.find(db, "weaving")) is None
    database.close()


# Help, focal points, discreet and ended communities

HELP: list[dict[str, Any]] = [
    {
        "country": "LA",
        "words": {"en": "Helpline, 1362", "lo": "ສາຍດ່ວນ, 1362", "km": "ខ្សែបន្ទាន់, 1362"},
    },
    {"country": "KH", "words": {"en": "Centre, 012", "lo": "ສູນ, 012", "km": "មជ្ឈមណ្ឌល, 012"}},
]


def about(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda found: found["programme"].update(values)


def help_in(database_url: str) -> list[tuple[str, str]]:
    """(country, English words), in the order in which they are told."""
    table = models.help_contacts
    found = read(database_url, select(table.c.country, table.c.words).order_by(table.c.id))
    return [(row.country, row.words["en"]) for row in found]


def test_help_is_kept_in_the_order_of_the_file(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, changed(about(help=HELP))))
    assert help_in(database_url) == [("LA", "Helpline, 1362"), ("KH", "Centre, 012")]
    [(kept,)] = read(
        database_url,
        select(models.help_contacts.c.words).where(models.help_contacts.c.country == "LA"),
    )
    assert kept == HELP[0]["words"]


def test_help_is_replaced_when_it_changes(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, changed(about(help=HELP))))
    load(database_url, written(tmp_path, changed(about(help=HELP[::-1]))))
    assert help_in(database_url) == [("KH", "Centre, 012"), ("LA", "Helpline, 1362")]
    load(database_url, written(tmp_path, changed(about(help=HELP[:1]))))
    assert help_in(database_url) == [("LA", "Helpline, 1362")]
    load(database_url, written(tmp_path, GOOD))
    assert help_in(database_url) == []


def test_a_number_that_is_corrected_reaches_who_waits_for_it(
    database_url: str, tmp_path: Path
) -> None:
    load(database_url, written(tmp_path, changed(about(help=HELP))))
    corrected = copy.deepcopy(HELP)
    corrected[0]["words"]["en"] = "Helpline, 1363"
    [first, _second] = read(database_url, select(models.help_contacts.c.id))
    load(database_url, written(tmp_path, changed(about(help=corrected))))
    database, told = Database(database_url), Ref("help_contacts", first.id)
    lookup = database.run_now(lambda db: References(db, [told]))
    assert lookup(told, "en") == "Helpline, 1363"
    database.close()


def test_help_of_another_programme_stays(database_url: str, tmp_path: Path) -> None:
    load(database_url, written(tmp_path, changed(about(help=HELP[:1]))))

    def another(found: dict[str, Any]) -> None:
        found["programme"].update(slug="weaving", help=HELP[1:])
        found["communities"] = [found["communities"][0] | {"slug": "weavers"}]
        found.pop("demo_members")

    for _ in range(2):
        load(database_url, written(tmp_path, changed(another)))
    assert sorted(help_in(database_url)) == [("KH", "Centre, 012"), ("LA", "Helpline, 1362")]


def test_loading_help_twice_changes_nothing(database_url: str, tmp_path: Path) -> None:
    """What is on its way names a contact by its row: it must not say "taken back" then."""
    path = written(tmp_path, changed(about(help=HELP)))
    load(database_url, path)
    before = rows(database_url)
    load(database_url, path)
    assert rows(database_url) == before


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"country": "Laos", "words": HELP[0]["words"]}, "programme.help.1.country"),
        ({"country": "la", "words": HELP[0]["words"]}, "programme.help.1.country"),
        ({"country": "LA", "words": {"en": "x", "lo": "y"}}, "help.1.words: a name in km"),
        ({"country": "LA", "words": {**HELP[0]["words"], "fr": "z"}}, "programme.help.1.words: fr"),
        ({"country": "LA"}, "programme.help.1.words"),
        ({**HELP[0], "hours": "9-5"}, "programme.help.1.hours"),
    ],
    ids=["name", "small", "missing", "french", "none", "key"],
)
def test_wrong_help(part: dict[str, Any], place: str, tmp_path: Path) -> None:
    assert place in refusal(written(tmp_path, changed(about(help=[HELP[0], part]))))


def test_focal_points(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(community(focal_points=["telegram:700443218899"])))
    for _ in range(2):
        load(database_url, path)
    database = Database(database_url)
    [(role, state, where)] = read(
        database_url,
        select(models.memberships.c.role, models.memberships.c.state, models.communities.c.slug)
        .join(models.communities, models.communities.c.id == models.memberships.c.community_id)
        .where(models.memberships.c.role == "focal_point"),
    )
    assert (role, state, where) == ("focal_point", "active", "crafts")
    crafts = database.run_now(lambda db: communities.find(db, "crafts"))
    assert crafts is not None
    # Alex and who facilitates; the focal point is no peer and is not counted.
    assert database.run_now(lambda db: communities.count_active(db, crafts.id)) == 2
    database.close()


@pytest.mark.parametrize("address", ["telegram:@noy", "simulator:p1", "whatsapp:02055123456"])
def test_a_wrong_focal_point(address: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(community(focal_points=[address])))
    assert "communities.0.focal_points.0" in refusal(path)


def test_a_focal_point_on_a_channel_that_is_not_set_up(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(community(focal_points=["whatsapp:+8562055123456"])))
    with pytest.raises(ProgrammeError, match=r"communities\.0\.focal_points\.0") as caught:
        load(database_url, path)
    assert "8562055" not in str(caught.value)


@pytest.mark.parametrize("quiet", [True, False])
def test_a_discreet_programme_makes_all_its_communities_discreet(
    quiet: bool, database_url: str, tmp_path: Path
) -> None:
    load(database_url, written(tmp_path, changed(about(discreet=quiet))))
    found = {row.slug: row.discreet for row in read(database_url, select(models.communities))}
    assert found == {"crafts": quiet, "farming": True}


def discreet_members(database_url: str) -> list[bool]:
    found = read(database_url, select(models.members.c.discreet).order_by(models.members.c.id))
    return [row.discreet for row in found]


def test_a_community_that_becomes_discreet(database_url: str, tmp_path: Path) -> None:
    """The phones of those who are in become so; they stay so when the file says otherwise."""

    def alone(found: dict[str, Any]) -> None:
        found["communities"].pop()
        found["demo_members"][0]["communities"] = ["crafts"]

    plain = changed(alone)
    load(database_url, written(tmp_path, plain))
    assert discreet_members(database_url) == [False, False]
    quiet = copy.deepcopy(plain)
    quiet["communities"][0]["discreet"] = True
    load(database_url, written(tmp_path, quiet))
    assert discreet_members(database_url) == [True, True]
    load(database_url, written(tmp_path, plain))
    assert discreet_members(database_url) == [True, True]


def test_only_its_own_people_become_discreet(database_url: str, tmp_path: Path) -> None:
    """Who facilitates crafts is not in farming, which is discreet."""
    load(database_url, written(tmp_path, GOOD))
    role = models.memberships.c.role
    found = read(
        database_url,
        select(models.communities.c.slug, models.members.c.discreet)
        .join(models.memberships, models.memberships.c.member_id == models.members.c.id)
        .join(models.communities, models.communities.c.id == models.memberships.c.community_id)
        .where(role == "facilitator")
        .order_by(models.members.c.id),
    )
    assert [tuple(row) for row in found] == [
        ("crafts", False),
        ("crafts", True),
        ("farming", True),
    ]


def states_in(database_url: str) -> list[str]:
    found = read(database_url, select(models.memberships.c.state).order_by(models.memberships.c.id))
    return [row.state for row in found]


def test_ended_and_back(database_url: str, tmp_path: Path) -> None:
    first = changed(lambda found: found["communities"].pop())
    first["demo_members"][0]["communities"] = ["crafts"]
    load(database_url, written(tmp_path, first))
    [facilitator, _alex] = read(database_url, select(models.memberships.c.id))
    waits = update(models.memberships).where(models.memberships.c.id == facilitator.id)
    alter(database_url, waits.values(state="waiting"))
    over = copy.deepcopy(first)
    over["communities"][0]["ended"] = True
    for _ in range(2):
        load(database_url, written(tmp_path, over))
    database = Database(database_url)
    assert states_in(database_url) == ["waiting", "ended"]
    [(ended_at,)] = read(database_url, select(models.communities.c.ended_at))
    assert ended_at is not None
    assert database.run_now(communities.list_slugs) == []
    assert database.run_now(lambda db: communities.find(db, "crafts")) is None
    for _ in range(2):
        load(database_url, written(tmp_path, first))
    assert states_in(database_url) == ["waiting", "active"]
    assert database.run_now(communities.list_slugs) == ["crafts"]
    database.close()


def test_ended_for_ever_keeps_its_day(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(community(ended=True)))
    load(database_url, path)
    when = select(models.communities.c.ended_at).where(models.communities.c.slug == "crafts")
    [first] = read(database_url, when)
    clock.move(timedelta(days=3))
    load(database_url, path)
    assert read(database_url, when) == [first]
