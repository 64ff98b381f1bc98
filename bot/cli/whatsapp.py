"""WhatsApp at its provider: templates, and what was missed while we were away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import click

from bot import clock, logs
from bot.app import App
from bot.channels import Channel, Rejected, SendError, Templated, TryLater
from bot.messages import Standing, Template
from bot.recalling import Recalled, refresh
from bot.settings import SettingsError, read_settings
from bot.store import templates
from bot.store.templates import Kept
from bot.templates import TemplateError, provider_name, text_hash, wanted

T = TypeVar("T")
UNSUBMITTED = "unsubmitted"


@click.group()
def whatsapp() -> None:
    """WhatsApp: templates, and what was missed."""


@whatsapp.command("templates")
@click.option("--show", is_flag=True, help="Only show how they stand; make and submit nothing.")
@click.option("--only", metavar="NAME", help="Only this template, for example nudge.")
def show_templates(show: bool, only: str | None) -> None:
    """Make what is missing, let WhatsApp read it, and show how each of them stands.

    Run it again whenever you like: what is there stays, a changed sentence is a new template.
    """
    lines = _with_channel(lambda app, channel: _templates(app, channel, show, only))
    for line in lines:
        click.echo(line)


@whatsapp.command()
@click.option(
    "--since", metavar="TIME", help="Instead of the last good time: 2026-11-20T08:00, UTC."
)
def reconcile(since: str | None) -> None:
    """Fetch what came in while this server could not hear, and take it in, in order and once."""
    start = _moment(since)
    found: Recalled = _with_channel(lambda app, channel: app.recaller.recall(channel, start))
    click.echo(
        f"{found.listed} messages since {found.since:%Y-%m-%d %H:%M} UTC; "
        f"{found.missed} had been missed and are taken in now."
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it like 2026-11-20T08:00", param_hint="--since") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _with_channel(work: Callable[[App, Channel], Awaitable[T]]) -> T:
    """Raises SettingsError: one line that names the mend."""
    settings = read_settings()
    logs.configure("ERROR")

    async def run() -> T:
        app = App(settings)
        try:
            channel = next((each for each in app.channels if each.name == "whatsapp"), None)
            if channel is None:
                raise SettingsError(
                    "TWILIO_WHATSAPP_FROM is missing: set the three TWILIO_ settings and "
                    "PUBLIC_URL first"
                )
            return await work(app, channel)
        finally:
            for each in app.channels:
                await each.close()
            app.database.close()

    try:
        return asyncio.run(run())
    except TemplateError as error:
        raise SettingsError(str(error)) from None
    except SendError as error:
        raise SettingsError(_refused(error)) from None


def _refused(error: SendError) -> str:
    if isinstance(error, TryLater) and error.whole_lane:
        return (
            f"Twilio refuses TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN (code {error.code}); copy "
            f"both from its console"
        )
    if isinstance(error, Rejected):
        return (
            f"Twilio refuses this (code {error.code}: https://www.twilio.com/docs/api/errors/"
            f"{error.code}); check WHATSAPP_TEMPLATE_LANGUAGES and the sender"
        )
    return f"Twilio does not answer ({error.code}); try again in a minute"


# Templates ---------------------------------------------------------------------------------------


async def _templates(app: App, channel: Channel, show: bool, only: str | None) -> list[str]:
    assert isinstance(channel, Templated)
    all_ = [*wanted(app.settings.whatsapp_template_languages), *channel.own_templates()]
    chosen = [each for each in all_ if only in (None, each.name)]
    if not chosen:
        names = ", ".join(dict.fromkeys(each.name for each in all_))
        raise TemplateError(f"there is no template {only!r}; there are {names}")
    standing = {each.name: each for each in await channel.list_templates()}
    if not show:
        for each in chosen:
            made = await _ensure(channel, each, standing.get(provider_name(each)))
            standing[made.name] = made
            kept = _kept(channel.lane, each, made)
            await app.database.run(lambda db, kept=kept: templates.save(db, kept))  # type: ignore[misc]
    await refresh(app.database, channel)
    return [_line(each, standing.get(provider_name(each))) for each in chosen]


async def _ensure(channel: Templated, template: Template, there: Standing | None) -> Standing:
    """As it stands after this: made if it was not there, submitted if it must be."""
    name = provider_name(template)
    if there is None:
        there = Standing(await channel.create_template(template, name), name, UNSUBMITTED)
    if template.approved and there.state == UNSUBMITTED:
        state = await channel.submit_template(there.sid, name)
        there = Standing(there.sid, name, state)
    return there


def _kept(lane: str, template: Template, there: Standing) -> Kept:
    reason = None if there.reason is None else there.reason[:200]
    return Kept(
        lane=lane,
        name=template.name,
        language=template.language,
        code=template.code,
        sid=there.sid,
        hash=text_hash(template),
        state=there.state,
        reason=reason,
        checked_at=clock.now(),
    )


def _line(template: Template, there: Standing | None) -> str:
    """nudge km (as en)   pending    HX..."""
    language = f"{template.language} (as {template.code})" if template.language else "any language"
    name = f"{template.name:<11} {language:<13}"
    if there is None:
        return f"{name} missing      run `linkline whatsapp templates`"
    if not template.approved:
        return f"{name} ready        {there.sid}  needs no approval"
    why = f"  {there.reason}" if there.reason else ""
    return f"{name} {there.state:<12} {there.sid}{why}"
