"""What is written for members, and its translations: content export, import, coverage."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sqlalchemy import Connection

from bot import catalogues, clock, rewording, sheets, translating
from bot.cli.store import in_store
from bot.i18n import SOURCE, languages
from bot.settings import read_settings
from bot.store import communities, programmes, translations
from bot.store.translations import STATUSES

SHOWN = 200  # lines about one file

programme_option = click.option(
    "--programme", metavar="SLUG", help="whose words, in a .po; not needed where there is one"
)
community_option = click.option("--community", metavar="SLUG", help="only what is its own")


@click.group()
def content() -> None:
    """What is written for members, and its translations."""


@content.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", required=True, help="into which it is translated: lo, km, ...")
@community_option
@click.option("--catalogue", is_flag=True, help="the bot's own sentences, as a .po")
@programme_option
@click.option("--into-catalogue", is_flag=True, help="a .po of all sentences, for this checkout")
@click.option("--replace", is_flag=True, help="over a file that is there")
def export_contents(
    file: Path,
    language: str,
    community: str | None,
    catalogue: bool,
    programme: str | None,
    into_catalogue: bool,
    replace: bool,
) -> None:
    """Write FILE for a translator: tips, questions, names (.xlsx), or sentences (.po).

    What belongs to discreet communities comes only with --community.
    """
    _known(language)
    ending = ".po" if catalogue or into_catalogue else ".xlsx"
    if file.suffix.lower() != ending:
        raise click.UsageError(f"{file.name}: name a file that ends with {ending}")

    def work(db: Connection) -> bytes:
        if ending == ".po":
            return rewording.export(language, _own(db, programme, language, into_catalogue))
        found = translations.list_into(db, language, _id_of(db, community))
        return translating.export(found, language)

    _write(file, in_store(read_settings(), work), replace=replace)
    click.echo(f"{file} is written; `linkline content import` takes it back.")


@content.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="say what would change, and save nothing")
@programme_option
@click.option("--into-catalogue", is_flag=True, help="a .po becomes the catalogue of this checkout")
def import_contents(
    file: Path, only_check: bool, programme: str | None, into_catalogue: bool
) -> None:
    """Take a translator's FILE back in: all of it, or nothing if a row is wrong.

    What is said from then on is said so; nothing has to be restarted.
    """
    if file.suffix.lower() == ".po":
        return _import_sentences(file, programme, into_catalogue, only_check)
    sheet = sheets.read(file)
    findings = in_store(
        read_settings(),
        lambda db: translating.bring_in(db, sheet, clock.now(), only_check=only_check),
    )
    _tell(file, findings, only_check)


def _import_sentences(
    file: Path, programme: str | None, into_catalogue: bool, only_check: bool
) -> None:
    language, entries = catalogues.read_strange(file)

    def work(db: Connection) -> rewording.Findings:
        own = _own(db, programme, language, into_catalogue)
        findings = rewording.judge(language, entries, own)
        if own is not None and not findings.problems and not only_check:
            rewording.save_own(db, _programme(db, programme), findings, clock.now())
        return findings

    findings = in_store(read_settings(), work)
    if into_catalogue and not findings.problems and not only_check:
        rewording.save_into_catalogue(findings)
    _tell(file, findings, only_check)
    if into_catalogue and findings.changes and not only_check:
        click.echo("`make check` reads it; what runs says it after a restart.")


def _own(
    db: Connection, programme: str | None, language: str, into_catalogue: bool
) -> dict[str, rewording.Forms] | None:
    if into_catalogue:
        return None
    return rewording.own_words(db, _programme(db, programme), language)


def _programme(db: Connection, slug: str | None) -> int:
    known = programmes.list_ids(db)
    if slug is None and len(known) == 1:
        return next(iter(known.values()))
    if slug not in known:
        names = ", ".join(known) or "none; load a programme first"
        raise click.UsageError(f"--programme: name one of these: {names}")
    return known[slug]


def _tell(file: Path, findings: translating.Findings | rewording.Findings, checked: bool) -> None:
    """What changed, line by line; or all that is wrong, and then nothing has changed."""
    if findings.problems:
        _list(findings.problems, err=True)
        many = len(findings.problems)
        raise sheets.SheetError(f"{file.name}: {many} to mend; nothing of it was taken in")
    _list([str(each) for each in findings.changes])
    verb = "would be saved" if checked else "saved"
    line = f"{findings.language}: {len(findings.changes)} {verb}, {findings.same} as they were"
    empty = findings.empty if isinstance(findings, translating.Findings) else 0
    click.echo(f"{line}, {empty} not translated yet." if empty else f"{line}.")


def _list(lines: list[str], *, err: bool = False) -> None:
    for line in lines[:SHOWN]:
        click.echo(line, err=err)
    if len(lines) > SHOWN:
        click.echo(f"and {len(lines) - SHOWN} more", err=err)


@content.command()
@community_option
def coverage(community: str | None) -> None:
    """How much there is in each language, and how it stands: tab-separated."""

    def work(db: Connection) -> dict[str, dict[str, dict[str, int]]]:
        place = _id_of(db, community)
        return {
            code: translating.coverage(translations.list_into(db, code, place, discreet_too=True))
            for code in languages()
        }

    found = in_store(read_settings(), work)
    click.echo("\t".join(("language", "kind", "all", *STATUSES)))
    for code, kinds in found.items():
        if community is None and code != SOURCE:
            kinds["sentence"] = rewording.coverage(code)
        for kind, counts in sorted(kinds.items()):
            numbers = (sum(counts.values()), *(counts[each] for each in STATUSES))
            click.echo("\t".join((code, kind, *map(str, numbers))))


def _known(language: str) -> None:
    if language not in languages():
        raise click.UsageError(
            f"--language {language}: there is no such language; there are {', '.join(languages())}"
        )


def _id_of(db: Connection, slug: str | None) -> int | None:
    if slug is None:
        return None
    found = communities.find(db, slug)
    if found is None:
        known = ", ".join(communities.list_slugs(db)) or "none; load a programme first"
        raise click.UsageError(f"there is no community {slug}; there are: {known}")
    return found.id


def _write(file: Path, content: bytes, *, replace: bool) -> None:
    """Whole or not at all, and never over a translator's work unless told to."""
    if file.exists() and not replace:
        raise click.UsageError(f"{file} is there already: name another file, or say --replace")
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise click.UsageError(f"{file}: {error.strerror}; name a file in a folder") from None
