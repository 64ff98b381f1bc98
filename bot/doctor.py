"""The doctor: is everything in order, and what to paste where at both providers."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot import seals
from bot.db import Database, StoreDown
from bot.i18n import catalogue, languages
from bot.seals import SealError
from bot.settings import Settings
from bot.store import communities, secrets

Check = tuple[bool, str]

WAIT = aiohttp.ClientTimeout(total=8)


async def check(settings: Settings, alembic: Config) -> list[Check]:
    """(fine, what) for settings, store, migrations, catalogues and providers."""
    found: list[Check] = [(True, f"settings: {settings.linkline_env}")]
    found += _store(settings, alembic)
    found += [_catalogue(language) for language in languages() if language != "en"]
    if settings.telegram_bot_token:
        found.append(await _telegram(settings))
    return found


def _store(settings: Settings, alembic: Config) -> list[Check]:
    database = Database(settings.database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        behind = database.run_now(lambda db: _behind(db, alembic))
        if behind:
            return [(False, f"store: {kind}; tables are not up to date, run `linkline migrate`")]
        seals.use(seals.Keyring(settings.keys()))
        database.run_now(secrets.open_store)
        slugs = database.run_now(communities.list_slugs)
    except StoreDown:
        return [(False, f"store: {kind} does not answer; check DATABASE_URL and start it")]
    except SealError:
        return [(False, "LINKLINE_KEYS are not the keys of this store; put the right ones back")]
    finally:
        database.close()
    loaded = ", ".join(slugs) or "no community yet; run `linkline load FILE.yaml`"
    return [(True, f"store: {kind}, up to date"), (bool(slugs), f"communities: {loaded}")]


def _behind(db: Connection, alembic: Config) -> bool:
    current = MigrationContext.configure(db).get_current_revision()
    return current != ScriptDirectory.from_config(alembic).get_current_head()


def _catalogue(language: str) -> Check:
    translated = catalogue(language).gettext("Help") != "Help"
    return translated, f"catalogue {language}: {'read' if translated else 'missing or empty'}"


async def _telegram(settings: Settings) -> Check:
    name = await bot_name(settings)
    if name is None:
        return False, "Telegram: TELEGRAM_BOT_TOKEN is refused, or Telegram cannot be reached"
    return True, f"Telegram: the bot is @{name}"


async def bot_name(settings: Settings) -> str | None:
    """The bot's public name, asked of Telegram."""
    url = f"{settings.telegram_api_url}/bot{settings.telegram_bot_token}/getMe"
    try:
        async with aiohttp.ClientSession(timeout=WAIT) as session, session.get(url) as answer:
            name = (await answer.json())["result"]["username"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        return None
    return str(name)


async def invite_links(settings: Settings, code: str) -> dict[str, str]:
    """A link for each app that is set up."""
    links = {}
    if settings.telegram_bot_token:
        name = await bot_name(settings)
        if name:
            links["telegram"] = f"https://t.me/{name}?start={code}"
    if settings.twilio_whatsapp_from:
        number = settings.twilio_whatsapp_from.removeprefix("whatsapp:+")
        links["whatsapp"] = f"https://wa.me/{number}?text={quote(code)}"
    return links


def paste(settings: Settings) -> list[str]:
    """What to paste where; nothing secret."""
    public = settings.public_url or "https://your-address"
    return [
        "",
        "Telegram: nothing to paste; with PUBLIC_URL the webhook is set at the start, without it "
        "the bot polls.",
        "Twilio console, your WhatsApp sender, Endpoint configuration:",
        f"  Webhook URL for incoming messages (POST): {public}/webhooks/whatsapp#rc=5&rp=all",
        f"  Status callback URL (POST):               {public}/webhooks/whatsapp#rc=5&rp=all",
    ]
