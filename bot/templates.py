"""Templates: the few bubbles that a provider must know beforehand, from our own catalogues.

Outside her window a provider lets only these through. They show nothing of what waits, and no name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.i18n import SOURCE, languages, render
from bot.messages import Button, Template, Text, _

NUDGE = "nudge"
NUDGE_TEXT = _("A message is waiting for you. Tap the button, or write any word, to read it here.")
OPEN = _("Open")  # the same word, typed, shows what waits
OPENS_LIST = _("Choose")
LONGEST = 1024  # signs of a template's body
WORD = re.compile(r"([a-z]{2,3})=([a-z]{2,3}(?:_[A-Z]{2})?)|([a-z_]+)\.([a-z]{2,3})=(\w{2,8})")


class TemplateError(Exception):
    """A template cannot be made or submitted; the text is one line that names the mend."""


@dataclass(frozen=True, slots=True)
class Codes:
    """In which of the provider's languages a member's language is submitted."""

    usual: Mapping[str, str]
    special: Mapping[tuple[str, str], str]  # (template, language)

    def of(self, name: str, language: str) -> str | None:
        return self.special.get((name, language)) or self.usual.get(language)


def codes(setting: str) -> Codes:
    """Of WHATSAPP_TEMPLATE_LANGUAGES: "lo=lo,km=en,en=en,nudge.km=th". Raises TemplateError."""
    usual: dict[str, str] = {}
    special: dict[tuple[str, str], str] = {}
    for word in filter(None, (each.strip() for each in setting.split(","))):
        found = WORD.fullmatch(word)
        language = found and (found[1] or found[4])
        if found is None or language not in languages():
            raise TemplateError(
                f"WHATSAPP_TEMPLATE_LANGUAGES: {word!r} is not usable; write pairs like km=en, a "
                f"language of ours ({', '.join(languages())}) and the provider's code for it"
            )
        if found[1]:
            usual[found[1]] = found[2]
        else:
            special[found[3], found[4]] = found[5]
    return Codes(usual, special)


def wanted(setting: str) -> list[Template]:
    """Those of words of ours, in each member language that has a code. Raises TemplateError."""
    mapped = codes(setting)
    strange = {name for name, _language in mapped.special} - {NUDGE}
    if strange:
        raise TemplateError(
            f"WHATSAPP_TEMPLATE_LANGUAGES: there is no template {min(strange)!r}; there is {NUDGE}"
        )
    found = []
    for language in languages():
        code = mapped.of(NUDGE, language)
        if code is not None:
            found.append(_nudge(language, code))
    return found


def _nudge(language: str, code: str) -> Template:
    """Under a code of another language its own words stand too: who reads it there must see it."""
    said = [_said(NUDGE_TEXT, language)]
    if code.partition("_")[0] != language:
        said.append(_said(NUDGE_TEXT, SOURCE))
    button = Button(_said(OPEN, language), f"say:{OPEN.msgid.lower()}")
    template = Template(NUDGE, language, code, "\n\n".join(said), (button,))
    check(template)
    return template


def _said(text: Text, language: str) -> str:
    return render(text, language, lambda *_: "")


def check(template: Template) -> None:
    """The provider's rules for what it must approve. Raises TemplateError."""
    body = template.body
    at_edge = re.search(r"^\W*\{\{\w+\}\}|\{\{\w+\}\}\W*$", body)
    touching = re.search(r"\{\{\w+\}\}\s*\{\{", body)
    labels = [each.label for each in template.buttons]
    wrong = (
        ("is longer than 1024 signs", len(body) > LONGEST),
        ("begins or ends with something to fill in", at_edge is not None),
        ("has two places to fill in beside each other", touching is not None),
        ("has a button longer than 20 signs", any(len(each) > 20 for each in labels)),
        ("has two buttons that say the same", len(set(labels)) < len(labels)),
    )
    for why, is_so in wrong:
        if is_so:
            what = f"template {template.name} in {template.language}"
            raise TemplateError(f"{what} {why}: mend its sentence in locales/{template.language}")


def provider_name(template: Template) -> str:
    """Another text is another template: what is submitted cannot be changed."""
    return f"linkline_{template.name}_{template.language or 'any'}_{text_hash(template)}"


def text_hash(template: Template) -> str:
    parts = [template.code, template.body, template.opens]
    parts += [part for each in template.buttons for part in (each.label, each.data)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def choices_name(count: int) -> str:
    """The template that shows so many choices."""
    return f"choices_{count}"
