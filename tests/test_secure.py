"""Settings of security that go together, or would give something away."""

from __future__ import annotations

import pytest

from tests.test_settings import SECRET, refused
from worker.secure import shown
from worker.settings import load

OVER_TLS = {"RTML_SECURITY_PROTOCOL": "SASL_SSL", "RTML_SASL_MECHANISM": "OAUTHBEARER"}
URL = "https://login.example.org/oauth2/token"
CLIENT = {
    "RTML_SASL_OAUTH_TOKEN_URL": URL,
    "RTML_SASL_OAUTH_CLIENT_ID": "worker",
    "RTML_SASL_OAUTH_CLIENT_SECRET": SECRET,
}


@pytest.mark.parametrize("mechanism", ["PLAIN", "OAUTHBEARER"])
def test_what_lets_everybody_in_is_sent_readable_only_where_one_insists(mechanism: str) -> None:
    """Without TLS both are refused, with the setting that insists; with it they are taken."""
    given = {
        "RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "RTML_SASL_MECHANISM": mechanism,
        "RTML_SASL_USERNAME": "user",
        "RTML_SASL_PASSWORD": SECRET,
        "RTML_SASL_OAUTH_TOKEN_FILE": "token",
    }
    (problem,) = refused(given)
    assert problem.startswith(f"RTML_SECURITY_PROTOCOL: SASL {mechanism} without TLS")
    assert "RTML_SASL_UNENCRYPTED=true" in problem
    assert len(refused({**given, "RTML_SASL_UNENCRYPTED": "false"})) == 1
    assert load({**given, "RTML_SASL_UNENCRYPTED": "true"}, {})[0].sasl_mechanism == mechanism


@pytest.mark.parametrize("missing", sorted(CLIENT))
def test_a_token_needs_a_file_or_a_server_that_knows_us(missing: str) -> None:
    """URL, id and secret, or the file instead of them all."""
    given = {name: value for name, value in CLIENT.items() if name != missing}
    (problem,) = refused({**OVER_TLS, **given})
    assert problem.startswith(f"{missing}: is required by ")
    assert load({**OVER_TLS, **CLIENT}, {})[1] == []
    assert load({**OVER_TLS, "RTML_SASL_OAUTH_TOKEN_FILE": "token"}, {})[1] == []


def test_a_token_comes_from_one_place() -> None:
    """A file beside a server is refused: one of them would be ignored."""
    (problem,) = refused({**OVER_TLS, **CLIENT, "RTML_SASL_OAUTH_TOKEN_FILE": "token"})
    assert problem.startswith("RTML_SASL_OAUTH_TOKEN_URL: excludes RTML_SASL_OAUTH_TOKEN_FILE")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("login.example.org/token", "is no URL of a token endpoint"),
        ("https://", "is no URL of a token endpoint"),
        ("https://a b/", "is no URL of a token endpoint"),
        ("https://host:x/", "is no URL of a token endpoint"),
        (f"https://id:{SECRET}@login.example.org/token", "holds no credentials"),
        (f"http://id:{SECRET}@127.0.0.1/token", "holds no credentials"),
        ("http://login.example.org/token", "would send the client secret readable"),
    ],
)
def test_a_token_endpoint_that_cannot_be_asked_safely(url: str, word: str) -> None:
    """Refused by its variable, and never repeated: it may hold a password."""
    (problem,) = refused({**OVER_TLS, **CLIENT, "RTML_SASL_OAUTH_TOKEN_URL": url})
    assert problem.startswith(f"RTML_SASL_OAUTH_TOKEN_URL: {word}")
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("url", "insists"),
    [("http://127.0.0.1:8080/token", "0"), ("http://[::1]/t", "0"), ("http://login.local/t", "1")],
)
def test_tokens_over_http_come_from_this_machine(url: str, insists: str) -> None:
    """Such as a sidecar's; from elsewhere where one insists."""
    given = {"RTML_SASL_OAUTH_TOKEN_URL": url, "RTML_SASL_UNENCRYPTED": insists}
    assert load({**OVER_TLS, **CLIENT, **given}, {})[0].sasl_oauth_token_url == url


def test_settings_of_another_mechanism_are_told() -> None:
    """A password beside a token is a mistake, and so is a token beside a password."""
    given = {**OVER_TLS, **CLIENT, "RTML_SASL_PASSWORD": SECRET}
    told = "RTML_SASL_PASSWORD is not used with RTML_SASL_MECHANISM OAUTHBEARER"
    assert load(given, {})[1] == [told]
    given = {**CLIENT, "RTML_SECURITY_PROTOCOL": "SASL_SSL", "RTML_SASL_USERNAME": "u"}
    _, warnings = load({**given, "RTML_SASL_PASSWORD": SECRET}, {})
    words = "is not used with RTML_SASL_MECHANISM SCRAM-SHA-512"
    assert warnings == [f"{name} {words}" for name in sorted(CLIENT)]


def test_the_ca_file_is_used_where_tokens_are_asked_for() -> None:
    """Without TLS to Kafka it still says whom the token endpoint is believed."""
    given = {**OVER_TLS, **CLIENT, "RTML_SASL_UNENCRYPTED": "1", "RTML_SSL_CAFILE": "ca.pem"}
    assert load({**given, "RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, {})[1] == []


def test_what_is_shown_of_settings() -> None:
    """Everything but what opens a door."""
    given = dict.fromkeys(
        ("sasl_password", "sasl_oauth_client_secret", "token", "ssl_password"), SECRET
    )
    assert set(shown(given).values()) == {"***"}
    assert shown({"sasl_username": "user"}) == {"sasl_username": "user"}
