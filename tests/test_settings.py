"""Settings: every wrong value is one line that names the setting and the mend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot import seals, settings
from bot.settings import ROOT, Settings, SettingsError, read_settings
from tests.child import PATIENCE

KEY = seals.new_key()
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "an-auth-token",
    "TWILIO_WHATSAPP_FROM": "whatsapp:+14155238886",
    "PUBLIC_URL": "https://bot.example.org",
}

# (setting, wrong value, a word of the mend)
WRONG = [
    ("LINKLINE_ENV", "prod", "production"),
    ("LINKLINE_ENV", "Production", "production"),
    ("DATABASE_URL", "linkline.db", "sqlite:///"),
    ("DATABASE_URL", "sqlite:linkline.db", "sqlite:///"),
    ("DATABASE_URL", "mysql://user@host/name", "postgresql://"),
    ("DATABASE_URL", "postgresql+psycopg2://user@host/name", "postgresql://"),
    ("DATABASE_URL", "postgresql://user:geheim@host:abc/name", "postgresql://"),
    ("DATABASE_URL", "postgresql://", "postgresql://"),
    ("DATABASE_URL", "sqlite:///", "sqlite:///path"),
    ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///path"),
    ("WHATSAPP_DAILY_LIMIT", "-1", "0 = no limit"),
    ("PORT", "many", "integer"),
    ("PORT", "-1", "65535"),
    ("PORT", "65536", "65535"),
    ("PUBLIC_URL", "bot.example.org", "https://"),
    ("PUBLIC_URL", "ftp://bot.example.org", "https://"),
    ("PUBLIC_URL", "https://", "https://"),
    ("LINKLINE_KEYS", "secret", "--new-key"),
    ("LINKLINE_KEYS", "ກະແຈ", "--new-key"),
    ("LINKLINE_KEYS", KEY[:-4], "--new-key"),
    ("LINKLINE_KEYS", f"{KEY},", "--new-key"),
    ("TELEGRAM_BOT_TOKEN", "ABC-DEF", "@BotFather"),
    ("TELEGRAM_BOT_TOKEN", "123456:", "@BotFather"),
    ("TELEGRAM_BOT_TOKEN", "123456:ABC DEF GHI", "@BotFather"),
    ("TELEGRAM_BOT_TOKEN", "១២៣៤៥៦:ABC-DEF", "@BotFather"),
    ("TELEGRAM_BOT_TOKEN", "123456:ພາສາລາວ", "@BotFather"),
    ("TELEGRAM_WEBHOOK_SECRET", "two words", "letters"),
    ("TELEGRAM_WEBHOOK_SECRET", "ລັບ", "letters"),
    ("TELEGRAM_WEBHOOK_SECRET", "x" * 257, "256"),
    ("TELEGRAM_API_URL", "api.telegram.org", "https://"),
    ("TELEGRAM_RATE", "29", "30"),
    ("TELEGRAM_RATE", "1001", "1000"),
    ("LINKLINE_DISK", "lost", "kept"),
    ("MEDIA_URL", "media", "file:///"),
    ("MEDIA_URL", "/srv/../etc", "/path/to/folder"),
    ("MEDIA_URL", "/", "/path/to/folder"),
    ("MEDIA_URL", "file://host/media", "file:///"),
    ("MEDIA_URL", "s3://", "s3://bucket"),
    ("MEDIA_URL", "s3://Bucket", "s3://bucket"),
    ("MEDIA_URL", "s3://key:secret@bucket", "s3://bucket"),
    ("MEDIA_URL", "https://bucket.example.org", "s3://bucket"),
    ("AWS_ENDPOINT_URL", "minio.example.org", "https://"),
    ("TWILIO_ACCOUNT_SID", "0" * 34, "Twilio console"),
    ("TWILIO_ACCOUNT_SID", "AC" + "g" * 32, "Twilio console"),
    ("TWILIO_WHATSAPP_FROM", "+14155238886", "whatsapp:"),
    ("TWILIO_WHATSAPP_FROM", "whatsapp:14155238886", "whatsapp:+"),
    ("TWILIO_WHATSAPP_FROM", "whatsapp:+៨៥៦២០៥៥", "whatsapp:+"),
    ("TWILIO_API_URL", "api.twilio.com", "https://"),
    ("TRANSCRIBE", "whisper", "language=engine"),
    ("TRANSCRIBE", "lo=http://ears.example.org/v1", "https://"),
]
# No value of these is wrong in itself; templates are read by their command, which tells.
ANYTHING = {
    "host", "twilio_auth_token", "linkline_ledger", "whatsapp_template_languages",
    "aws_access_key_id", "aws_secret_access_key", "aws_region", "transcribe_key",
}  # fmt: skip


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings()
    line = str(caught.value)
    assert "\n" not in line
    return line


def put(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("name", "value", "mend"), WRONG, ids=[f"{each[0]}-{n}" for n, each in enumerate(WRONG)]
)
def test_wrong_value(name: str, value: str, mend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, **{name: value})
    line = refusal()
    assert line.startswith(f"{name} ")
    assert mend in line


def test_every_setting_has_a_wrong_value() -> None:
    tried = {name.lower() for name, _value, _mend in WRONG}
    assert set(Settings.model_fields) == tried | ANYTHING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINKLINE_KEYS", "not-a-key-but-secret"),
        ("TELEGRAM_BOT_TOKEN", "wrong-but-secret"),
        ("TELEGRAM_WEBHOOK_SECRET", "wrong but secret"),
        ("DATABASE_URL", "mysql://user:secret@host/name"),
        ("TWILIO_WHATSAPP_FROM", "+8562055secret"),
    ],
)
def test_a_refusal_quotes_no_secret(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, **{name: value})
    assert value not in refusal()
    assert "secret@" not in refusal()


def test_the_error_carries_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, TELEGRAM_BOT_TOKEN="wrong-but-secret")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# What belongs together


def test_production_needs_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, LINKLINE_ENV="production")
    line = refusal()
    assert line.startswith("LINKLINE_KEYS is missing")
    assert "linkline doctor --new-key" in line


def test_production_with_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put(monkeypatch, LINKLINE_ENV="production", LINKLINE_KEYS=f"{KEY},{seals.new_key()}")
    found = read_settings()
    assert not found.development
    assert found.keys()[0] == KEY
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_FROM"]
)
@pytest.mark.parametrize("empty", [False, True])
def test_partial_twilio(missing: str, empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, **{name: value for name, value in TWILIO.items() if name != missing})
    if empty:
        monkeypatch.setenv(missing, "")
    assert refusal().startswith(f"{missing} is missing")


@pytest.mark.parametrize("present", sorted(set(TWILIO) - {"PUBLIC_URL"}))
def test_twilio_alone(present: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, **{present: TWILIO[present]})
    line = refusal()
    assert "is missing: the three TWILIO_ settings go together" in line
    assert not line.startswith(present)


def test_twilio_needs_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, **TWILIO)
    assert read_settings().twilio_account_sid == TWILIO["TWILIO_ACCOUNT_SID"]
    monkeypatch.delenv("PUBLIC_URL")
    assert refusal().startswith("PUBLIC_URL is missing")


def test_webhook_needs_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, TELEGRAM_BOT_TOKEN="123456:ABC-DEF")
    assert read_settings().telegram_webhook_secret is None  # it polls
    put(monkeypatch, PUBLIC_URL="https://bot.example.org")
    assert refusal().startswith("TELEGRAM_WEBHOOK_SECRET is missing")
    put(monkeypatch, TELEGRAM_WEBHOOK_SECRET="a-long-random-word")
    assert read_settings().public_url == "https://bot.example.org"


# Forms that are understood


@pytest.mark.parametrize("short", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_postgresql_forms(short: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, DATABASE_URL=f"{short}user:postgres://@host:5432/name?sslmode=require")
    wanted = "postgresql+psycopg://user:postgres://@host:5432/name?sslmode=require"
    assert read_settings().database_url == wanted


def test_addresses_lose_their_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, PUBLIC_URL="https://bot.example.org/", TELEGRAM_API_URL="http://127.0.0.1:9/")
    found = read_settings()
    assert found.public_url == "https://bot.example.org"
    assert found.telegram_api_url == "http://127.0.0.1:9"


def test_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_settings()
    put(monkeypatch, **{name.upper(): "" for name in Settings.model_fields})
    assert read_settings() == before


def test_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=8123\nHOST=\nSOMETHING_ELSE=1\n", encoding="utf-8")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    assert read_settings().port == 8123
    assert read_settings().host == "127.0.0.1"
    put(monkeypatch, PORT="8124")
    assert read_settings().port == 8124


def test_settings_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1


# The first key of a development machine


def test_first_key_is_made_once(tmp_path: Path) -> None:
    first = read_settings().keys()
    assert read_settings().keys() == first
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    seals.Keyring(first)


def test_first_key_makes_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "VAR", tmp_path / "new" / "var")
    assert read_settings().keys() == read_settings().keys()


def test_first_key_is_not_made_when_there_are_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(monkeypatch, LINKLINE_KEYS=KEY)
    assert read_settings().keys() == [KEY]
    assert not (tmp_path / "keys").exists()


_READ = """
import sys
from pathlib import Path
from bot import settings
print("ready", flush=True)
sys.stdin.readline()
for number in range(400):
    print(settings._kept_key(Path(sys.argv[1]) / str(number)) or "EMPTY")
"""


def race(folder: Path) -> list[list[str]]:
    """Two processes that read the same four hundred first keys at once."""
    command = [sys.executable, "-c", _READ, str(folder)]
    both = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(2)
    ]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    return [each.communicate(timeout=PATIENCE)[0].split() for each in both]


def test_first_key_with_two_processes_at_once(tmp_path: Path) -> None:
    one, other = race(tmp_path)
    assert len(one) == 400
    assert one == other
    assert len(set(one)) == 400
    assert {(tmp_path / str(number)).stat().st_mode & 0o777 for number in range(400)} == {0o600}


def test_another_process_comes_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads its keys while this one is making the first."""
    others: list[list[str]] = []

    def slowly() -> str:
        monkeypatch.setattr(settings, "new_key", seals.new_key)
        others.append(read_settings().keys())
        return seals.new_key()

    monkeypatch.setattr(settings, "new_key", slowly)
    mine = read_settings().keys()
    seals.Keyring(others[0])
    assert [mine] == others
