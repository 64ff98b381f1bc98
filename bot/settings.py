"""Settings: one field is one variable, one line in the README and one in .env.example."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.seals import Keyring, new_key
from bot.voice import engines

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
LANGUAGES = frozenset(path.parts[-3] for path in (ROOT / "locales").glob("*/LC_MESSAGES/*.po"))


class SettingsError(Exception):
    """A setting is wrong or missing; the text names it and the mend, in one line."""


class Settings(BaseSettings):
    """Read from the environment, then from .env; an empty value counts as not set."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    linkline_env: Literal["development", "production"] = "development"
    database_url: str = f"sqlite:///{VAR / 'linkline.db'}"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    linkline_keys: str | None = None
    linkline_ledger: str | None = None
    linkline_disk: Literal["kept"] | None = None
    media_url: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_region: str | None = None
    aws_endpoint_url: str | None = None
    telegram_bot_token: str | None = None
    telegram_webhook_secret: str | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_rate: int = 30
    twilio_account_sid: str | None = None
    twilio_auth_token: str | None = None
    twilio_whatsapp_from: str | None = None
    twilio_api_url: str = "https://api.twilio.com"
    whatsapp_template_languages: str = "lo=lo,km=en,en=en"
    whatsapp_daily_limit: int = 250
    transcribe: str = ""
    transcribe_key: str | None = None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        for short in ("postgres://", "postgresql://"):
            value = re.sub(f"^{short}", "postgresql+psycopg://", value)
        try:
            name = make_url(value).database
        except (ArgumentError, ValueError):
            name = None
        known = value.startswith(("sqlite:///", "postgresql+psycopg://"))
        if not known or not name or name == ":memory:":
            raise ValueError(
                "use sqlite:///path/to/file.db or postgresql://user:password@host/name"
            )
        return value

    @field_validator("port")
    @classmethod
    def _possible_port(cls, value: int) -> int:
        if not 0 <= value <= 65535:
            raise ValueError("use a number from 1 to 65535")
        return value

    @field_validator("whatsapp_daily_limit")
    @classmethod
    def _possible_limit(cls, value: int) -> int:
        if value < 0:
            raise ValueError("use a number, 0 = no limit")
        return value

    @field_validator("media_url")
    @classmethod
    def _known_shelf(cls, value: str | None) -> str | None:
        if value is None:
            return None
        value = value.rstrip("/")
        folder = re.fullmatch(r"(file://)?/[^?#]+", value)
        bucket = re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.-]+)*", value, re.ASCII)
        if not (folder or bucket) or ".." in value.split("/"):
            raise ValueError("use /path/to/folder, file:///path/to/folder or s3://bucket/prefix")
        return value

    @field_validator("public_url", "telegram_api_url", "twilio_api_url", "aws_endpoint_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("use a full address such as https://bot.example.org")
        return value.rstrip("/")

    @field_validator("telegram_bot_token")
    @classmethod
    def _bot_token(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d+:[\w-]{5,}", value, re.ASCII):
            raise ValueError("copy it whole from @BotFather; it looks like 123456:ABC-DEF")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w-]{1,256}", value, re.ASCII):
            raise ValueError("use 1 to 256 letters, digits, _ or -")
        return value

    @field_validator("telegram_rate")
    @classmethod
    def _possible_rate(cls, value: int) -> int:
        if not 30 <= value <= 1000:
            raise ValueError("use 30, or up to 1000 if the bot pays for broadcasts")
        return value

    @field_validator("twilio_account_sid")
    @classmethod
    def _account_sid(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
            raise ValueError("copy it from the Twilio console; it is AC and 32 hex digits")
        return value

    @field_validator("twilio_whatsapp_from")
    @classmethod
    def _whatsapp_sender(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"whatsapp:\+\d{6,15}", value, re.ASCII):
            raise ValueError("use whatsapp: and the number with its +, whatsapp:+14155238886")
        return value

    @field_validator("transcribe")
    @classmethod
    def _known_engines(cls, value: str) -> str:
        for code, engine in engines.parse(value, LANGUAGES).items():
            if engine.folder is not None and not (engine.folder / "model.bin").is_file():
                raise ValueError(f"the folder of {code} holds no model.bin of faster-whisper")
        return value

    @field_validator("linkline_keys")
    @classmethod
    def _sealing_keys(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                Keyring(value.split(","))
            except ValueError:
                raise ValueError(
                    "use keys made by `linkline doctor --new-key`, newest first, joined by commas"
                ) from None
        return value

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.linkline_env == "production" and not self.linkline_keys:
            raise ValueError(
                "LINKLINE_KEYS is missing: make one with `linkline doctor --new-key`, "
                "keep a copy outside this server"
            )
        if self.telegram_bot_token and self.public_url and not self.telegram_webhook_secret:
            raise ValueError(
                "TELEGRAM_WEBHOOK_SECRET is missing: set a long random word, "
                "it proves that a webhook call comes from Telegram"
            )
        self._whole_twilio()
        return self

    def _whole_twilio(self) -> None:
        twilio = {
            "TWILIO_ACCOUNT_SID": self.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio_auth_token,
            "TWILIO_WHATSAPP_FROM": self.twilio_whatsapp_from,
        }
        missing = [name for name, value in twilio.items() if not value]
        if 0 < len(missing) < 3:
            raise ValueError(f"{missing[0]} is missing: the three TWILIO_ settings go together")
        if not missing and not self.public_url:
            raise ValueError(
                "PUBLIC_URL is missing: Twilio's webhooks are signed over it, "
                "set the https address of this server"
            )

    @property
    def development(self) -> bool:
        return self.linkline_env == "development"

    @property
    def database_path(self) -> Path | None:
        """The file of the store, where it is one."""
        url = make_url(self.database_url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def ledger_path(self) -> Path | None:
        """Who was erased, kept apart from the store; beside its file unless it is set."""
        if self.linkline_ledger:
            return Path(self.linkline_ledger)
        path = self.database_path
        return None if path is None else path.with_name(f"{path.name}.ledger")

    @property
    def media_path(self) -> Path | None:
        """The folder of the files, where it is one; beside the store's file unless it is set."""
        if self.media_url is None:
            path = self.database_path
            return VAR / "media" if path is None else path.with_name("media")
        if self.media_url.startswith("s3://"):
            return None
        if self.media_url.startswith("file://"):
            return Path(unquote(urlsplit(self.media_url).path))
        return Path(self.media_url)

    @property
    def engines(self) -> Mapping[str, engines.Engine]:
        """What turns voices into text, by language."""
        return engines.parse(self.transcribe, LANGUAGES)

    def keys(self) -> list[str]:
        """The sealing keys; in development one is made on the first run and kept in var/."""
        if self.linkline_keys:
            return self.linkline_keys.split(",")
        path = VAR / "keys"
        key = _kept_key(path)
        try:
            Keyring([key])
        except ValueError:
            raise SettingsError(
                f"LINKLINE_KEYS: {path.name} in {VAR.name}/ holds no key; put the right one back, "
                f"or remove it together with the store"
            ) from None
        return [key]


def _kept_key(path: Path) -> str:
    """The key of this machine; whoever comes first makes it, whole, for this user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, fresh = tempfile.mkstemp(dir=path.parent)  # readable by this user only
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(new_key())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        os.unlink(fresh)
    return path.read_text(encoding="ascii", errors="replace").strip()


def read_settings() -> Settings:
    """Raises SettingsError with one line that names the setting and the mend."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        line = f"{name} is not usable: {reason}" if name else reason
        raise SettingsError(line) from None
