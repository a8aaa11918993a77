"""Settings: where they come from, what is refused, what never shows."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from pydantic import ValidationError

from worker.errors import ConfigError
from worker.settings import Settings, load

SECRET = "s3cr3t-w0rd"
SASL = {"RTML_SASL_USERNAME": "user", "RTML_SASL_PASSWORD": SECRET}


def refused(environ: dict[str, str], **flags: Any) -> list[str]:
    """Every problem of settings that are refused."""
    with pytest.raises(ConfigError) as caught:
        load(environ, flags)
    return [str(problem) for problem in caught.value.problems]


def test_defaults_need_nothing() -> None:
    """Without variables and flags: a local Kafka, loopback only, no warning."""
    settings, warnings = load({"PATH": "/bin", "WEB_PORT": "1", "FAUST_LOOP": "x"}, {})
    assert (settings, warnings) == (Settings(), [])
    assert (settings.brokers, settings.http_host) == ("localhost:9092", "127.0.0.1")


def test_flags_go_before_variables() -> None:
    """A flag that is given wins, one that is not leaves the variable in place."""
    environ = {"RTML_BROKERS": "a:1", "RTML_GROUP": "g", "RTML_HTTP_PORT": "7000"}
    settings, _ = load(environ, {"brokers": "b:2", "group": None, "http_port": None})
    assert (settings.brokers, settings.group, settings.http_port) == ("b:2", "g", 7000)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_its_variable(name: str) -> None:
    """Field ``x_y`` is ``RTML_X_Y``: none is told to be unknown."""
    with suppress(ConfigError):  # 1 is no log format: refused, so it was read
        given = {"RTML_SECURITY_PROTOCOL": "SASL_SSL", f"RTML_{name.upper()}": "1"}
        assert load(given, {})[1] == []


def test_an_unknown_variable_is_a_warning_with_the_nearest() -> None:
    """It is not refused: it may be meant for another release; its value is not shown."""
    _, warnings = load({"RTML_SASL_PASSWRD": SECRET, "RTML_BROKER": "b"}, {})
    assert len(warnings) == 2
    assert "RTML_SASL_PASSWRD" in warnings[0]
    assert "did you mean 'RTML_SASL_PASSWORD'?" in warnings[0]
    assert "did you mean 'RTML_BROKERS'?" in warnings[1]
    assert SECRET not in "".join(warnings)


@pytest.mark.parametrize(
    "name",
    [
        "RTML_SERVICE_HOST",
        "RTML_SERVICE_PORT",
        "RTML_SERVICE_PORT_HTTP",
        "RTML_PORT",
        "RTML_PORT_6066_TCP",
        "RTML_PORT_6066_TCP_ADDR",
        "RTML_PORT_6066_TCP_PORT",
        "RTML_PORT_6066_TCP_PROTO",
        "RTML_PORT_53_UDP",
        "RTML_PORT_53_UDP_ADDR",
        "RTML_PORT_3868_SCTP",
        "RTML_PORT_3868_SCTP_PORT",
    ],
)
def test_service_links_of_kubernetes_are_ignored(name: str) -> None:
    """A service called rtml in the namespace makes these variables; they mean nothing here."""
    assert load({name: "tcp://10.0.0.1:6066"}, {}) == (Settings(), [])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RTML_HTTP_PORT", "eighty"),
        ("RTML_HTTP_PORT", "65536"),
        ("RTML_HTTP_PORT", "-1"),
        ("RTML_LOG_FORMAT", "xml"),
        ("RTML_LOG_LEVEL", "verbose"),
        ("RTML_SESSION_TIMEOUT_MS", "10s"),
        ("RTML_MAX_BATCH_EVENTS", "0"),
        ("RTML_COMMIT_INTERVAL_MS", " "),
        ("RTML_SECURITY_PROTOCOL", "TLS"),
        ("RTML_SASL_MECHANISM", "GSSAPI"),
        ("RTML_LOCATION", "a b/c"),
        ("RTML_LOCATION", "-edge"),
        ("RTML_ADVERTISED_URL", "worker-0:6066"),
        ("RTML_ADVERTISED_URL", "http://"),
        ("RTML_ADVERTISED_URL", "http://worker-0:99999"),
        ("RTML_ADVERTISED_URL", "ftp://worker-0"),
        ("RTML_ADVERTISED_URL", "http://worker-0/?a=1"),
        ("RTML_ADVERTISED_URL", "http://worker 0"),
    ],
)
def test_a_bad_value_is_refused_by_its_variable(variable: str, value: str) -> None:
    """The problem names the variable and shows the value."""
    (problem,) = refused({variable: value})
    assert problem.startswith(f"{variable}:")
    assert repr(value) in problem


def test_a_bad_flag_is_refused_by_its_flag() -> None:
    """What came by a flag is named by the flag, also where a variable is set as well."""
    (problem,) = refused({"RTML_HTTP_PORT": "80"}, http_port=70_000)
    assert problem.startswith("--http-port:")


def test_all_problems_are_told_at_once() -> None:
    """Three wrong settings are three problems."""
    environ = {"RTML_HTTP_PORT": "x", "RTML_LOG_LEVEL": "y", "RTML_DRAIN_TIMEOUT_MS": "z"}
    assert {problem.split(":")[0] for problem in refused(environ)} == environ.keys()


@pytest.mark.parametrize(
    "given", ["kafka", "kafka:9092", "10.0.0.1:1,b_2.c-d:65535", "[::1]", "[fe80::1%eth0]:9092"]
)
def test_addresses_of_brokers(given: str) -> None:
    """Names and addresses, with a port or without; IPv6 in brackets."""
    assert load({"RTML_BROKERS": given}, {})[0].brokers == given


def test_blanks_between_brokers_are_no_part_of_them() -> None:
    """Clients would look up a host whose name begins with a blank."""
    assert load({}, {"brokers": " a:1, b:2 "})[0].brokers == "a:1,b:2"


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("", "''"),
        (" ", "''"),
        ("a:1,,b:2", "''"),
        ("a:1,", "''"),
        ("kafka:", "'kafka:'"),
        (":9092", "':9092'"),
        ("a:1,kafka:x", "'kafka:x'"),
        ("kafka:0", "'kafka:0'"),
        ("kafka:65536,b:99999", "'kafka:65536', 'b:99999'"),
        ("kafka:9092:1", "'kafka:9092:1'"),
        ("PLAINTEXT://kafka:9092", "'PLAINTEXT://kafka:9092'"),
        ("a b:1", "'a b:1'"),
        ("a:1;b:2", "'a:1;b:2'"),
        ("::1", "'::1'"),
        ("[::x]:1", "'[::x]:1'"),
        ("[kafka]:1", "'[kafka]:1'"),
        ("[::1]9092", "'[::1]9092'"),
    ],
)
def test_brokers_that_are_no_addresses_are_refused(given: str, wrong: str) -> None:
    """Every item that is wrong is named, with an example; by variable and by flag."""
    for (problem,), name in (
        (refused({"RTML_BROKERS": given}), "RTML_BROKERS"),
        (refused({}, brokers=given), "--brokers"),
    ):
        assert problem.startswith(f"{name}: {wrong}: ")
        assert "such as kafka-1:9092,[::1]:9092" in problem


@pytest.mark.parametrize(
    "name", ["LOCATION", "MODEL_STORE", "TOKEN", "ADVERTISED_URL", "GROUP", "HTTP_PORT"]
)
def test_an_empty_variable_is_not_set(name: str) -> None:
    """A deployment that fills in nothing gets the default."""
    assert load({f"RTML_{name}": ""}, {}) == (Settings(), [])


def test_a_blank_group_is_refused() -> None:
    """Kafka would take it, and nobody would find it again."""
    (problem,) = refused({"RTML_GROUP": "  "})
    assert problem.startswith("RTML_GROUP: ")


def test_the_names_of_services_and_stores_are_known() -> None:
    """Where they are, and what proves who asks."""
    settings, warnings = load(
        {
            "RTML_LOCATION": "scoring",
            "RTML_MODEL_STORE": "s3://models",
            "RTML_TOKEN": SECRET,
            "RTML_ADVERTISED_URL": "http://worker-0:6066",
        },
        {},
    )
    assert warnings == []
    assert (settings.location, settings.model_store) == ("scoring", "s3://models")
    assert settings.advertised_url == "http://worker-0:6066"
    assert settings.token is not None
    assert settings.token.get_secret_value() == SECRET


@pytest.mark.parametrize(
    "given", [{"RTML_DRAIN_TIMEOUT_MS": "60000"}, {"RTML_REBALANCE_TIMEOUT_MS": "20000"}]
)
def test_a_drain_ends_before_the_rebalance(given: dict[str, str]) -> None:
    """Whichever of the two is set: both are named, beside every other problem."""
    problems = refused({**given, "RTML_HTTP_PORT": "x"})
    both = "RTML_DRAIN_TIMEOUT_MS must be below RTML_REBALANCE_TIMEOUT_MS"
    assert [both in problem for problem in problems].count(True) == 1
    assert [problem.startswith("RTML_HTTP_PORT: ") for problem in problems].count(True) == 1


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://worker-0:6066/", "http://worker-0:6066"),
        ("https://scoring.example/rtml//", "https://scoring.example/rtml"),
        ("http://[::1]:6066", "http://[::1]:6066"),
    ],
)
def test_paths_are_put_behind_the_advertised_url(given: str, url: str) -> None:
    """So it ends without a slash."""
    settings, _ = load({"RTML_ADVERTISED_URL": given}, {})
    assert settings.advertised_url == url


def test_credentials_in_the_advertised_url_are_refused_unseen() -> None:
    """It is written where everybody at the location reads it."""
    (problem,) = refused({"RTML_ADVERTISED_URL": f"http://user:{SECRET}@worker-0:6066"})
    assert problem == "RTML_ADVERTISED_URL: a URL that others read holds no credentials"


def test_credentials_in_the_address_are_refused_unseen() -> None:
    """Brokers hold no user and password: where else is told, and neither is repeated."""
    (problem,) = refused({"RTML_BROKERS": f"user:{SECRET}@kafka:9092"})
    assert "RTML_SASL_USERNAME" in problem
    assert SECRET not in problem


def test_plain_without_tls_is_refused() -> None:
    """SASL PLAIN sends the password readable; with TLS, and SCRAM without, are accepted."""
    plain = {"RTML_SASL_MECHANISM": "PLAIN", **SASL}
    (problem,) = refused({"RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **plain})
    assert "TLS" in problem
    assert SECRET not in problem
    assert load({"RTML_SECURITY_PROTOCOL": "SASL_SSL", **plain}, {})[0].sasl_username == "user"
    assert load({"RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL}, {})[0].sasl_username == "user"


@pytest.mark.parametrize("missing", sorted(SASL))
def test_sasl_needs_user_and_password(missing: str) -> None:
    """One without the other is refused, and the variables are named."""
    given = {name: value for name, value in SASL.items() if name != missing}
    (problem,) = refused({"RTML_SECURITY_PROTOCOL": "SASL_SSL", **given})
    assert missing in problem
    assert SECRET not in problem


def test_what_security_lacks_is_told_beside_every_other_problem() -> None:
    """Each by its variable, though fields that are wrong keep the whole from being looked at."""
    environ = {"RTML_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "RTML_SASL_MECHANISM": "PLAIN"}
    environ |= {"RTML_HTTP_PORT": "x", "RTML_BROKERS": f"u:{SECRET}@h:1"}
    problems = refused(environ)
    places = [problem.partition(":")[0] for problem in problems]
    names = ("HTTP_PORT", "BROKERS", "SASL_USERNAME", "SASL_PASSWORD", "SECURITY_PROTOCOL")
    assert places == [f"RTML_{name}" for name in names]
    assert "SASL PLAIN without TLS" in problems[-1]
    assert refused({"RTML_SECURITY_PROTOCOL": "SSL", "RTML_SSL_KEYFILE": "k"}) == [
        "RTML_SSL_CERTFILE: is required by RTML_SSL_KEYFILE"
    ]


def test_unknown_variables_are_told_beside_what_is_refused() -> None:
    """A misspelt name may be why: the refusal brings the warning along."""
    with pytest.raises(ConfigError) as caught:
        load({"RTML_HTTP_PORT": "x", "RTML_SASL_USER": "u"}, {})
    (warning,) = caught.value.warnings
    assert "did you mean 'RTML_SASL_USERNAME'?" in warning


def test_the_common_prefix_makes_no_names_alike() -> None:
    """RTML_FOO is no RTML_TOKEN."""
    _, (warning,) = load({"RTML_FOO": "1"}, {})
    assert "did you mean" not in warning
    assert "known: RTML_ADVERTISED_URL, RTML_B" in warning


@pytest.mark.parametrize("name", ["group", "location", "model_store"])
def test_an_empty_flag_is_refused(name: str) -> None:
    """It was given, so the default is not meant."""
    (problem,) = refused({}, **{name: ""})
    assert problem.startswith(f"--{name.replace('_', '-')}: ")


def test_passwords_never_show() -> None:
    """Not in repr, not in str, not in the JSON, not in what is refused beside them."""
    secrets = {f"RTML_{name}": SECRET for name in ("SASL_PASSWORD", "SSL_PASSWORD", "TOKEN")}
    settings, _ = load(secrets, {})
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.sasl_password is not None
    assert settings.sasl_password.get_secret_value() == SECRET
    assert SECRET not in "".join(refused({**secrets, "RTML_HTTP_PORT": "x"}))


def test_settings_do_not_change() -> None:
    """The object is frozen, and an unknown field is refused."""
    with pytest.raises(ValidationError, match=re.compile("frozen")):
        Settings().brokers = "other:1"  # type: ignore[misc]  # that is what is tried here
    with pytest.raises(ValidationError, match="Extra inputs"):
        Settings.model_validate({"broker": "x"})


def test_the_group_is_a_prefix_for_several_services() -> None:
    """By default rtml and the graph's name; a given one is kept, or parted by service."""
    assert Settings().group_of("fraud", alone=True) == "rtml-fraud"
    assert Settings(group="g").group_of("fraud", alone=True) == "g"
    assert Settings(group="g").group_of("fraud", alone=False) == "g-fraud"


def test_settings_that_nothing_reads_are_told() -> None:
    """TLS and SASL settings without the protocol that uses them are a mistake, but no harm."""
    given = {"RTML_SSL_CAFILE": "ca.pem", "RTML_SASL_USERNAME": "u", "RTML_SASL_PASSWORD": "p"}
    _, warnings = load(given, {})
    assert warnings == [
        "RTML_SASL_PASSWORD is not used with RTML_SECURITY_PROTOCOL PLAINTEXT",
        "RTML_SASL_USERNAME is not used with RTML_SECURITY_PROTOCOL PLAINTEXT",
        "RTML_SSL_CAFILE is not used with RTML_SECURITY_PROTOCOL PLAINTEXT",
    ]
    _, warnings = load({**given, "RTML_SECURITY_PROTOCOL": "SASL_SSL"}, {})
    assert warnings == []
