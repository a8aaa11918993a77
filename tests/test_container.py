"""The container files, checked without a Docker daemon: form, commands, settings, promises."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def compose_errors(path: Path) -> str:
    """The breaches of the compose specification, whose JSON Schema check-jsonschema carries."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def parse(arguments: list[str]) -> dict[str, Any]:
    """Parse the arguments as `rtml` does, without running the command; raises as `rtml` does."""
    from worker.cli import app

    command = typer.main.get_command(app)
    words = [word.replace("/graphs/", f"{ROOT}/graphs/") for word in arguments]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context(command.name, words)
    return dict(context.params)


def unknown_settings(names: list[str]) -> list[str]:
    """The `RTML_` names among `names` that are not a field of the settings."""
    from worker.settings import Settings

    known = {f"RTML_{field.upper()}" for field in Settings.model_fields}
    return [name for name in names if name.startswith("RTML_") and name not in known]


def instructions(keyword: str) -> list[str]:
    """The arguments of one kind of Dockerfile instruction, in file order."""
    return [line[len(keyword) :].strip() for line in DOCKERFILE if line.startswith(f"{keyword} ")]


def test_compose_file_follows_the_specification() -> None:
    """The file is valid under the compose specification's JSON Schema."""
    assert compose_errors(COMPOSE_FILE) == ""


def test_a_misspelt_key_does_not_pass_the_specification(tmp_path: Path) -> None:
    """The check above can fail: a key that the specification does not know is named."""
    broken = tmp_path / "docker-compose.yml"
    broken.write_text("services: {broker: {image: kafka, depend_on: [topics]}}")

    assert "depend_on" in compose_errors(broken)


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    """Each service's command and options are ones that `rtml` accepts."""
    assert parse(OURS[name]["command"])


def test_an_unknown_option_is_no_command() -> None:
    """The check above can fail: an option that `rtml run` does not have is refused."""
    with pytest.raises(Exception, match="No such option: --no-such-option"):
        parse(["run", "--no-such-option"])


def test_services_that_the_pages_name_exist() -> None:
    """What README and docs start by its name is a service of the file."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(r"docker compose up ([a-z]\w*)", page.read_text(encoding="utf-8"))
    }
    assert "broker" in named
    assert named <= SERVICES.keys()


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_known(name: str) -> None:
    """Each `RTML_` variable of a service is a field of the settings."""
    assert unknown_settings(list(OURS[name]["environment"])) == []


def test_a_misspelt_setting_is_found() -> None:
    """The check above can fail: a misspelt variable is reported."""
    assert unknown_settings(["RTML_BROKER", "PATH"]) == ["RTML_BROKER"]


def test_simulated_events_reach_the_graph() -> None:
    """The simulator writes to the topic that the worker's graph reads."""
    graph = OURS["worker"]["command"][1].lstrip("/")
    source = yaml.safe_load((ROOT / graph).read_text())["source"]

    assert OURS["simulator"]["command"][1] == source["topic"]


def test_worker_can_be_scaled() -> None:
    """Nothing of the worker can exist only once: no name, no host name, no fixed port."""
    worker = SERVICES["worker"]

    assert {"container_name", "hostname"} & set(worker) == set()
    assert [port for port in worker["ports"] if port.split(":")[-2] != ""] == []


@pytest.mark.parametrize("name", OURS)
def test_services_run_on_a_read_only_root(name: str) -> None:
    """Each of our services has a read-only root file system, and /tmp to write to."""
    assert (OURS[name]["read_only"], OURS[name]["tmpfs"]) == (True, ["/tmp"])


def test_start_order_waits_for_health() -> None:
    """Topics are made when the broker is healthy; worker and simulator start after that."""
    conditions = {
        (name, needed): how["condition"]
        for name, service in OURS.items()
        for needed, how in service["depends_on"].items()
    }

    assert conditions == {
        ("topics", "broker"): "service_healthy",
        ("simulator", "topics"): "service_completed_successfully",
        ("worker", "topics"): "service_completed_successfully",
    }
    assert "test" in SERVICES["broker"]["healthcheck"]
    assert "/health/ready" in SERVICES["worker"]["healthcheck"]["test"][-1]


def test_clients_know_the_broker_by_an_advertised_name() -> None:
    """The address in RTML_BROKERS is one that the broker advertises inside the network."""
    advertised = SERVICES["broker"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    addresses = {listener.partition("://")[2] for listener in advertised}

    assert {service["environment"]["RTML_BROKERS"] for service in OURS.values()} <= addresses


def test_image_does_not_run_as_root() -> None:
    """The last USER is a number other than 0, which Kubernetes can check."""
    user = instructions("USER")[-1].partition(":")[0]

    assert user.isdigit()
    assert int(user) > 0


def test_image_checks_its_health() -> None:
    """The image asks its own liveness route, with the Python that it has."""
    [check] = instructions("HEALTHCHECK")
    _, _, command = check.partition("CMD ")
    program = yaml.safe_load(command)

    assert program[:2] == ["python", "-c"]
    assert "/health/live" in program[2]
    compile(program[2], "HEALTHCHECK", "exec")


def test_image_holds_no_secret() -> None:
    """No variable or argument of the image is named like a credential."""
    names = [
        word.partition("=")[0].upper()
        for keyword in ("ENV", "ARG")
        for line in instructions(keyword)
        for word in shlex.split(line)
    ]

    assert [name for name in names if {"TOKEN", "PASSWORD", "SECRET"} & set(name.split("_"))] == []


def test_image_is_built_from_files_that_exist() -> None:
    """What the image copies from the build context exists, and .dockerignore lets it through."""
    copied = [
        word
        for line in instructions("COPY")
        if not line.startswith("--from")
        for word in line.split()[:-1]
    ]
    let_through = (ROOT / ".dockerignore").read_text().splitlines()

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if f"!{name}" not in let_through] == []
