"""Settings: read once, a bad one named in a sentence, secrets never shown; production catches no mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mailer import settings
from mailer.settings import BadSettings
from tests.conftest import Configure

PRODUCTION = {
    "environment": "production",
    "secret_keys": "k" * 40,
    "smtp_essential": "smtps://user:hidden-one@relay.example",
    "smtp_marketing": "smtps://relay.example",
    "public_url": "https://mail.company.example",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"web_port": "eighty"}, "MAILER_WEB_PORT"),
        ({"web_port": "0"}, "MAILER_WEB_PORT"),
        ({"time_zone": "Europe/Atlantis"}, "is not a time zone"),
        ({"environment": "test"}, "MAILER_ENVIRONMENT"),
        ({"inbound_protocol": "pop"}, "MAILER_INBOUND_PROTOCOL"),
        ({"country": "ZZ"}, "MAILER_COUNTRY: the holidays of “ZZ” are not known"),
        ({"database_url": "postgresql://db/mailer"}, "MAILER_DATABASE_URL: begin it with"),
        ({"redis_url": "redis.example:6379"}, "MAILER_REDIS_URL: begin it with"),
        ({"public_url": "mail.example.com"}, "MAILER_PUBLIC_URL: begin it with"),
        ({"from_marketing": "Example News"}, "MAILER_FROM_MARKETING: “Example News” holds no mail address"),
        ({"log_level": "loud"}, "MAILER_LOG_LEVEL: “loud” is not one of"),
        (PRODUCTION | {"demo": "true"}, "MAILER_DEMO cannot be on in production"),
        (PRODUCTION | {"smtp_marketing": ""}, "production needs MAILER_SMTP_MARKETING"),
        (PRODUCTION | {"secret_keys": ""}, "production needs MAILER_SECRET_KEYS"),
        (PRODUCTION | {"secret_keys": "short"}, "at least 32 characters"),
    ],
)
def test_a_bad_setting_is_one_sentence_that_names_it(configure: Configure, change: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings, match=words) as caught:
        configure(**change)
    assert "\n" not in str(caught.value)


def test_production_catches_no_mail_and_trusts_no_post_office(configure: Configure) -> None:
    assert configure().catches_mail
    config = configure(**PRODUCTION)
    assert not config.catches_mail
    assert config.trusted_authserv_ids == ()


def test_what_is_printed_hides_keys_and_passwords(configure: Configure) -> None:
    config = configure(
        **PRODUCTION, database_url="postgresql+psycopg://mailer:hidden-two@db.example/mailer?sslpassword=hidden-three"
    )
    shown = "\n".join(f"{name}={value}" for name, value in config.printable().items())
    assert "k" * 40 not in shown
    assert "hidden" not in shown.replace("(1 hidden)", "")
    assert "user:***@relay.example" in shown


def test_a_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path, configure: Configure) -> None:
    first = configure(data_dir=tmp_path / "fresh").keys
    assert configure(data_dir=tmp_path / "fresh").keys == first
    assert len(first[0]) >= 32
    for path in (tmp_path / "fresh", tmp_path / "fresh" / "secret-key"):
        assert path.stat().st_mode & 0o077 == 0


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings.current().demo = True  # type: ignore[misc]
