"""``rtml dlq``; replaying itself is tested on a real Kafka, in ``tests/kafka``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Rtml
from tests.graph.support import graph, node, planned
from tests.kafka.client import Record, produce
from tests.kafka.letters import AT_MS, letter
from tests.net import free_ports
from worker.cli.console import Output
from worker.cli.dlq.local import _lines
from worker.cli.tally import Tally
from worker.stream.embedded import EmbeddedBroker
from worker.stream.tools.letters import Letter
from worker.stream.tools.read import Stored

LETTERS = [
    *(letter(i, "tx", service="one") for i in range(3)),
    letter(3, "tx", error="MalformedJson", stage="decode", node="", message="\x1b[31m no JSON"),
    letter(101, "tx", service="one"),
    Record(b"\xff", None, [], AT_MS, partition=0),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with `LETTERS` in ``tx-dlq``."""
    with EmbeddedBroker({"tx": 1, "tx-dlq": 1, "empty-dlq": 1}) as started:
        produce(started.bootstrap, "tx-dlq", LETTERS)
        yield started


def test_letters_are_counted_by_error(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """The commonest error first, with its stage, node and times; then the newest letters."""
    done = rtml("dlq", "list", "tx-dlq", "-n", "2", "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (0, "")
    head, most, *_ = lines = done.out.splitlines()
    names = ["letters", "replayed", "error", "stage", "node", "service"]
    assert head.split()[: len(names)] == names
    assert most.split()[:6] == ["4", "0", "RangeError", "validate", "small", "one"]
    assert "6 dead letters, 0 replayed" in lines
    assert [line.split()[0] for line in lines[-2:]] == ["tx-dlq-0-4", "tx-dlq-0-3"]
    assert "\x1b" not in done.out


def test_the_list_as_json(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """The same for programs: sums, groups, the newest with all that is known of them."""
    arguments = ("tx-dlq", "--error", "RangeError", "-n", "1", "-o", "json")
    found = rtml("dlq", "list", *arguments, "--brokers", broker.bootstrap).json
    assert (found["topic"], found["letters"], found["replayed"]) == ("tx-dlq", 4, 0)
    assert found["by_error"] == [
        {
            "error": "RangeError",
            "stage": "validate",
            "node": "small",
            "service": "one",
            "letters": 4,
            "replayed": 0,
            "first_at": "2026-01-01T00:00:00.000Z",
            "last_at": "2026-01-01T00:01:41.000Z",
        }
    ]
    (newest,) = found["newest"]
    assert (newest["letter"], newest["attempt"]) == ("tx-dlq-0-4", "1")
    assert newest["source"] == {"topic": "tx", "partition": 0, "offset": 101}


@pytest.mark.parametrize(
    ("flags", "letters"),
    [
        ((), 6),
        (("--service", "one"), 4),
        (("--stage", "decode"), 1),
        (("--node", "small", "--source-offset", "1-50"), 2),
        (("--source-partition", "0", "--source-offset", "101"), 1),
        (("--since", "2026-01-01T00:00:02Z", "--until", "2026-01-01T00:00:04Z"), 2),
        (("--since", "1767225701000"), 1),
        (("--since", "1h"), 0),
    ],
)
def test_filters(rtml: Rtml, broker: EmbeddedBroker, flags: tuple[str, ...], letters: int) -> None:
    """Each filter alone and together; times as instants, epoch ms, or ago."""
    done = rtml("dlq", "list", "tx-dlq", *flags, "-o", "json", "--brokers", broker.bootstrap)
    assert (done.code, done.json["letters"]) == (0, letters)


def test_a_name_that_is_not_there_is_hinted_at(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """No letter at all is no error; the nearest name is told."""
    done = rtml("dlq", "list", "tx-dlq", "--error", "rangeeror", "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (0, "")
    assert "no letter has the error 'rangeeror'; did you mean 'RangeError'?" in done.err
    assert done.err.endswith("no such dead letters in tx-dlq\n")


def test_one_letter_is_shown_with_its_way_out(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Reason, source, headers, value, and the commands that lead on."""
    done = rtml("dlq", "show", "tx-dlq-0-4", "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (0, "")
    for text in (
        "RangeError: f0 is 101, above 100",
        "tx-0-101",
        "validate small",
        "traceparent",
        '"f0": 101',
        "rtml dlq replay tx-dlq --source-partition 0 --source-offset 101 --graph GRAPH",
    ):
        assert text in done.out
    assert rtml("dlq", "show", "tx-dlq-0-3", "--brokers", broker.bootstrap).out.count("\x1b") == 0


def test_one_letter_as_json(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Value decoded, bytes that are no text as base64; also for what no worker wrote."""
    found = rtml("dlq", "show", "tx-dlq/0/4", "-o", "json", "--brokers", broker.bootstrap).json
    assert (found["error"], found["key"]) == ("RangeError", "key-101")
    assert found["value"] == {"f0": 101, "f1": 1}
    foreign = rtml("dlq", "show", "tx-dlq-0-5", "-o", "json", "--brokers", broker.bootstrap).json
    assert (foreign["value"], foreign["error"]) == ({"base64": "/w=="}, None)
    assert "name no source" in foreign["way_out"][0]


@pytest.mark.parametrize(
    ("letter_id", "said"),
    [
        ("tx-dlq", "'tx-dlq' names no letter; TOPIC-PARTITION-OFFSET does"),
        ("tx-dlq-0-6", "tx-dlq-0 has no record 6; it holds 0 to 5"),
        ("tx-dlq-1-0", "topic 'tx-dlq' has no partition 1, but 0 to 0"),
        ("empty-dlq-0-0", "it holds none"),
        ("tx-dlx-0-0", "topic 'tx-dlx' does not exist; did you mean 'tx-dlq'?"),
    ],
)
def test_a_letter_that_is_not_there_is_refused(
    rtml: Rtml, broker: EmbeddedBroker, letter_id: str, said: str
) -> None:
    """Exit 2 with what there is."""
    done = rtml("dlq", "show", letter_id, "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_every_bad_filter_is_told_at_once(rtml: Rtml) -> None:
    """Exit 2 with all of them, before Kafka is asked."""
    flags = ("--stage", "scor", "--since", "yesterday", "--until", "x", "--source-offset", "5-")
    for command in ("list", "replay"):
        done = rtml("dlq", command, "tx-dlq", *flags)
        assert (done.code, done.out) == (2, "")
        assert "--stage: there is no stage 'scor'; did you mean 'score'?" in done.err
        assert done.err.endswith("4 problems\n")


def test_nothing_is_sent_where_nobody_can_be_asked(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Without a terminal and without --yes: the summary, then exit 2 with the way out."""
    done = rtml("dlq", "replay", "tx-dlq", "--brokers", broker.bootstrap)
    assert done.code == 2
    assert "5 letters to tx" in done.out
    assert "1 letter cannot: its headers name no source" in done.out
    assert "add --yes, or --dry-run" in done.err


def test_a_dry_run_says_what_it_would_do(rtml: Rtml, broker: EmbeddedBroker) -> None:
    """Topics and errors with their numbers; exit 1 for what cannot go back, 0 without."""
    done = rtml("dlq", "replay", "tx-dlq", "--dry-run", "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[:2] == ["5 letters to tx", "          4  RangeError"]
    empty = rtml("dlq", "replay", "empty-dlq", "--dry-run", "--brokers", broker.bootstrap)
    assert (empty.code, empty.out) == (0, "nothing to replay\n")


def test_letters_are_scored_here_by_a_graph(
    rtml: Rtml, broker: EmbeddedBroker, graph: Path
) -> None:
    """What each would become: the bytes of the stream, and why the others fail again."""
    arguments = ("dlq", "replay", "tx-dlq", "--graph", graph, "--brokers", broker.bootstrap)
    done = rtml(*arguments)
    assert done.code == 1
    events = [record.value or b"" for record in LETTERS[:4]]
    scored = rtml("score", graph, stdin=b"\n".join(events))
    assert (done.out, len(done.out.splitlines())) == (scored.out, 4)
    assert "6 letters: 4 scored, 0 dropped, 2 rejected" in done.err
    assert "tx-dlq-0-4: " in done.err

    listed = rtml(*arguments, "--error", "RangeError", "-o", "json")

    found = [json.loads(line) for line in listed.out.splitlines()]
    assert [one["outcome"] for one in found] == ["scored"] * 3 + ["rejected"]
    assert (found[3]["was"], found[3]["error"]) == ("RangeError", "RangeError")
    assert found[0]["value"]["score"] > 0


def test_kafka_that_is_not_there_is_told(rtml: Rtml) -> None:
    """Exit 3, with the address."""
    (port,) = free_ports(1)
    for command in (("list", "tx-dlq"), ("show", "tx-dlq-0-1"), ("replay", "tx-dlq", "--yes")):
        done = rtml("dlq", *command, "--brokers", f"127.0.0.1:{port}", "--wait", "0")
        assert (done.code, done.out) == (3, "")


@pytest.mark.parametrize("command", ["list", "show", "replay"])
def test_every_command_has_help_with_an_example(rtml: Rtml, command: str) -> None:
    """The help of a command shows how it is used."""
    done = rtml("dlq", command, "--help")
    assert (done.code, f"Example: rtml dlq {command} " in done.out) == (0, True)


def test_a_letter_without_its_content_is_no_tombstone() -> None:
    """What was too large for it stands elsewhere: tried here, it is rejected as it was."""
    made = letter(7, "tx", 2, stage="decode", error="BatchTooLarge", omitted="value")
    stored = Letter(Stored("tx-dlq", 0, 17, AT_MS, None, None, tuple(made.headers)))
    plan = planned(graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x")))
    (line,) = _lines(plan, [stored], Tally("letter"), Output.JSON)
    told = json.loads(line)
    assert (told["outcome"], told["error"]) == ("rejected", "BatchTooLarge")
    assert told["message"] == "its content was too large for it; it stands at tx-2@7"
