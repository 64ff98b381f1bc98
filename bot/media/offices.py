"""Offices: Word, Excel and PowerPoint files lose their makers' names and all that acts by itself.

A part of a kind that is not known makes the whole file unfit, so that nothing passes unseen. What
people have typed is left: a name in a comment's text stays in it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from bot.media import bare
from bot.media.archives import pack, unpack
from bot.media.unfit import Unfit

_OFFICE = "application/vnd.openxmlformats-officedocument."
# What the main part calls itself: macros and templates call themselves otherwise.
_MAIN = {
    f"{_OFFICE}wordprocessingml.document": f"{_OFFICE}wordprocessingml.document.main+xml",
    f"{_OFFICE}spreadsheetml.sheet": f"{_OFFICE}spreadsheetml.sheet.main+xml",
    f"{_OFFICE}presentationml.presentation": f"{_OFFICE}presentationml.presentation.main+xml",
}
_TYPES = "[Content_Types].xml"
DEEPEST = 2  # a chart holds a sheet

# Left out: who made it, what it was made from, who has commented.
_DROPPED = re.compile(
    r"docProps/.*|customXml/.*|docMetadata/.*|word/people\.xml|xl/persons/.*|xl/threadedComments/.*"
    r"|.*/printerSettings/.*|xl/revisions/.*|_xmlsignatures/.*|word/glossary/.*|.*/thumbnail\.\w+",
    re.IGNORECASE,
)
_XML = (".xml", ".rels", ".vml")
_PICTURES = (".jpg", ".jpeg", ".png")
_AS_THEY_ARE = (".gif", ".bmp", ".emf", ".wmf", ".odttf", ".fntdata")
_INSIDE = (".docx", ".xlsx", ".pptx")

_NOBODY = "-"
_NAMES = frozenset({"author", "userName", "refreshedBy", "lastModifiedBy", "initials"})
_IDS = frozenset({"userId", "providerId"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)?")
_NO_TIME = "2000-01-01T00:00:00Z"
_OUT = frozenset(
    {"absPath", "rsid", "rsids", "docVars", "mailMerge", "attachedTemplate", "fileSharing"}
)
_FIELDS = re.compile(
    r"(^|\s)(DDE|DDEAUTO|INCLUDEPICTURE|INCLUDETEXT|IMPORT|LINK|DATABASE)\s", re.IGNORECASE
)
# Sheets that ask somebody's server when they are opened.
_ASKS = re.compile(r"xl/(connections\.xml|queryTables/.*)", re.IGNORECASE)
# Where something lay on its maker's machine, with her name in it mostly.
_PLACE = re.compile(r"[a-z]:[\\/]|\\\\|file:|/(Users|home)/", re.IGNORECASE)
_LINKS = ("http://", "https://", "mailto:", "tel:", "#")


@dataclass(slots=True)
class _Book:
    """The parts that are kept, and which are not."""

    parts: dict[str, bytes]
    dropped: set[str]


def clean(raw: bytes, depth: int = 0) -> tuple[bytes, str]:
    """The file and its MIME type. Raises Unfit."""
    parts = unpack(raw)
    mime = _mime(parts)
    book = _Book(parts, {name for name in parts if _DROPPED.fullmatch(name)})
    kept = {}
    for name, content in parts.items():
        if name not in book.dropped:
            kept[name] = _clean_part(book, name, content, depth)
    return pack(kept), mime


def sample() -> bytes:
    """Enough of a Word file to be taken for one; see cell.run."""
    types = etree.Element("Types")
    etree.SubElement(types, "Override", ContentType=next(iter(_MAIN.values())))
    return pack({_TYPES: etree.tostring(types), "word/document.xml": b"<document/>"})


def _mime(parts: dict[str, bytes]) -> str:
    """By the kinds of its parts. Raises Unfit."""
    if _TYPES not in parts:
        raise Unfit("unfit")
    kinds = {each.get("ContentType") for each in _parse(parts[_TYPES])}
    found = [mime for mime, main in _MAIN.items() if main in kinds]
    if len(found) != 1 or any("macro" in (kind or "").lower() for kind in kinds):
        raise Unfit("unfit")
    return found[0]


def _clean_part(book: _Book, name: str, content: bytes, depth: int) -> bytes:
    low = name.lower()
    if _ASKS.fullmatch(low):
        raise Unfit("unfit")
    if low.endswith(_PICTURES):
        return bare.strip(content)
    if low.endswith(_AS_THEY_ARE):
        return content
    if low.endswith(_INSIDE) and depth < DEEPEST:
        return clean(content, depth + 1)[0]
    if not low.endswith(_XML):
        raise Unfit("unfit")  # programs, objects, sounds, films
    root = _parse(content)
    if name == _TYPES:
        _clean_types(book, root)
    elif low.endswith(".rels"):
        _clean_relations(book, name, root)
    else:
        _clean_words(root, _lost_ids(book, name))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _parse(content: bytes) -> Any:
    """XML without a document type: no entities, nothing to fetch. Raises Unfit."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unfit("broken") from None
    if root.getroottree().docinfo.doctype:
        raise Unfit("bomb")
    return root


def _clean_types(book: _Book, root: Any) -> None:
    for each in list(root):
        if each.get("PartName", "").lstrip("/") in book.dropped:
            root.remove(each)


# Relations ---------------------------------------------------------------------------------------


def _clean_relations(book: _Book, name: str, root: Any) -> None:
    """From a part to others, and out into the world: only links that somebody clicks stay."""
    for each in list(root):
        if _is_lost(book, name, each):
            root.remove(each)
        elif each.get("TargetMode") == "External":
            _check_link(each)


def _check_link(relation: Any) -> None:
    if not relation.get("Type", "").endswith("/hyperlink"):
        raise Unfit("unfit")  # it would be fetched when the file is opened
    if not relation.get("Target", "").lower().startswith(_LINKS):
        relation.set("Target", "about:blank")


def _is_lost(book: _Book, name: str, relation: Any) -> bool:
    if relation.get("TargetMode") == "External":
        return bool(relation.get("Type", "").endswith("/attachedTemplate"))
    folder = posixpath.dirname(posixpath.dirname(name))
    target = relation.get("Target", "")
    whole = target if target.startswith("/") else posixpath.join("/", folder, target)
    return posixpath.normpath(whole).lstrip("/") in book.dropped


def _lost_ids(book: _Book, name: str) -> set[str]:
    """Relations of a part that it must not name any more."""
    folder, file = posixpath.split(name)
    relations = posixpath.join(folder, "_rels", f"{file}.rels")
    if relations not in book.parts:
        return set()
    root = _parse(book.parts[relations])
    return {each.get("Id") for each in root if _is_lost(book, relations, each)}


# Words -------------------------------------------------------------------------------------------


def _clean_words(root: Any, lost: set[str]) -> None:
    """Nobody has written it, at no time; fields that fetch are not taken. Raises Unfit."""
    instructions = ""
    for each in list(root.iter()):
        local = etree.QName(each).localname
        if local in _OUT and each.getparent() is not None:
            each.getparent().remove(each)
            continue
        if local == "author":
            each.text = _NOBODY
        if local in ("instrText", "fldSimple"):
            instructions += (each.text or "") + " ".join(each.attrib.values())
        if local in ("ddeLink", "oleLink"):
            raise Unfit("unfit")
        _clean_attributes(each, local, lost)
    if _FIELDS.search(instructions):
        raise Unfit("unfit")


def _clean_attributes(each: Any, local: str, lost: set[str]) -> None:
    """Most of them must be there, so they are not left out but say nothing."""
    of_author = local in ("cmAuthor", "author")
    for key, value in list(each.attrib.items()):
        name = etree.QName(key).localname
        tells = name in _NAMES or name in _IDS or (of_author and name == "name")
        if tells or _PLACE.match(value):
            each.set(key, _NOBODY)
        elif _TIME.fullmatch(value):
            each.set(key, _NO_TIME)
        elif name.startswith("rsid") or (key.startswith("{") and value in lost):
            del each.attrib[key]
