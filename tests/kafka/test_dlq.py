"""`rtml dlq` on a real Kafka: what a worker buried comes back, each letter once."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.kafka.client import MakeTopic, Record, Stored, end_offsets, produce, read_all
from tests.kafka.letters import AT_MS, OWN, letter
from tests.kafka.service import SCORE, make_service
from tests.kafka.test_commands import ROOT, rtml
from tests.kafka.waiting import until

pytestmark = pytest.mark.long

N, PER_S = 2_000, 800
LIMITED = {"id": "small", "type": "Validate", "params": {"rules": {"f0": {"max": 5}}}}


def start_replay(kafka: str, dead: str, *options: str) -> subprocess.Popen[str]:
    """A replay of everything, as a process of its own."""
    command = [sys.executable, "-m", "worker", "dlq", "replay", dead, "--yes", *options]
    return subprocess.Popen(
        [*command, "--brokers", kafka],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def dead_letters(kafka: str, topic: MakeTopic, n: int) -> tuple[str, str, list[Record]]:
    """A source topic, its dead-letter topic, and letters of four partitions in it."""
    source = topic(4)
    dead = topic(4, suffix="-dlq")
    letters = [letter(i, source, i % 4) for i in range(n)]
    produce(kafka, dead, letters)
    return source, dead, letters


def originals(found: list[Stored]) -> list[tuple[object, ...]]:
    """What an event is, without the header that marks it."""
    return sorted(
        (one.partition, one.key, one.value, one.timestamp_ms, str(one.headers[: len(OWN)]))
        for one in found
    )


def test_a_letter_goes_back_as_it_was_and_once(kafka: str, tmp_path: Path) -> None:
    """What a worker buried is scored by a better graph; what fails again says what it replays."""
    service = make_service(kafka, tmp_path, nodes=[LIMITED, SCORE])
    sent = [
        Record(b'{"f0": %d, "f1": 1}' % i, b"k%d" % i, OWN, AT_MS + i, i % 4) for i in range(10)
    ]
    produce(kafka, service.source, [*sent, Record(b"no json", b"bad", [], AT_MS, 0)])
    with service.worker():
        service.settled()
    listed = json.loads(rtml(kafka, "dlq", "list", service.dead, "-o", "json").stdout)
    assert (listed["letters"], listed["replayed"]) == (5, 0)
    assert [(one["error"], one["letters"]) for one in listed["by_error"]] == [
        ("RangeError", 4),
        ("MalformedJson", 1),
    ]

    plan = rtml(kafka, "dlq", "replay", service.dead, "--dry-run", "-o", "json")
    assert (plan.returncode, plan.stderr) == (0, "")
    assert json.loads(plan.stdout) == {
        "topic": service.dead,
        "letters": 5,
        "to": {service.source: 5},
        "errors": {"RangeError": 4, "MalformedJson": 1},
        "already_replayed": 0,
        "refused": {},
        "replayed": 0,
        "dry_run": True,
    }
    assert len(read_all(kafka, service.source)) == 11

    service.graph.write_text(service.graph.read_text().replace("max: 5", "max: 50"))
    done = rtml(kafka, "dlq", "replay", service.dead, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1][:10]) == (0, "replayed 5")
    back = read_all(kafka, service.source)
    marked = [one for one in back if one.header("rtml-dlq-replay-of")]
    assert originals([one for one in marked if one.key != b"bad"]) == originals(
        [one for one in back if one not in marked and one.value in {s.value for s in sent[6:]}]
    )
    names = ["rtml-dlq-attempt", "rtml-dlq-first-at", "rtml-dlq-replay-of"]
    assert {tuple(n for n, _ in one.headers if n[:4] == "rtml") for one in marked} == {tuple(names)}
    with service.worker():
        service.settled()
    assert sorted(one.key or b"" for one in service.scored()) == [b"k%d" % i for i in range(10)]
    again = [one for one in service.dead_letters() if one.header("rtml-dlq-replay-of")]
    first = next(one for one in service.dead_letters() if one.value == b"no json")
    assert [(one.value, one.header("rtml-dlq-attempt")) for one in again] == [(b"no json", b"2")]
    place = f"{first.topic}/{first.partition}/{first.offset}".encode()
    assert again[0].header("rtml-dlq-replay-of") == place
    assert again[0].header("rtml-dlq-first-at") == first.header("rtml-dlq-first-at")

    once = rtml(kafka, "dlq", "replay", service.dead, "--yes", "-o", "json")
    told = json.loads(once.stdout)
    assert (told["already_replayed"], told["letters"], told["replayed"]) == (5, 1, 1)
    shown = rtml(kafka, "dlq", "show", f"{first.topic}-{first.partition}-{first.offset}")
    assert "MalformedJson" in shown.stdout
    assert "  replayed    2" in shown.stdout


def test_a_killed_replay_goes_on_where_it_was(kafka: str, topic: MakeTopic) -> None:
    """SIGKILL three times in its midst: a read_committed reader sees each letter exactly once."""
    source, dead, letters = dead_letters(kafka, topic, N)
    killed_at = []
    for stop_at in (300, 800, 1_300):
        replaying = start_replay(kafka, dead, "--rate", str(PER_S))
        until(lambda least=stop_at: sum(end_offsets(kafka, source).values()) >= least)
        replaying.send_signal(signal.SIGKILL)
        replaying.communicate()
        killed_at.append(len(read_all(kafka, source, "read_uncommitted")))
    done = rtml(kafka, "dlq", "replay", dead, "--yes", "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    print(f"killed at {killed_at} records; the last run replayed {report['replayed']} of {N}")
    assert 0 < report["replayed"] < N
    found = read_all(kafka, source)
    places = Counter(one.header("rtml-dlq-replay-of") for one in found)
    assert (len(places), set(places.values())) == (N, {1})
    assert [(one.key, one.value, one.timestamp_ms, one.partition) for one in found] == [
        (one.key, one.value, one.timestamp_ms, one.partition)
        for one in sorted(letters, key=lambda one: (one.partition or 0, one.timestamp_ms or 0))
    ]
    last = rtml(kafka, "dlq", "replay", dead, "--yes")
    assert (last.returncode, last.stdout) == (
        0,
        f"nothing to replay\n{N:,} letters replayed before\n",
    )


def test_two_replays_at_once_are_one(kafka: str, topic: MakeTopic) -> None:
    """The one that begins later shuts the first out, which says so; nothing is sent twice."""
    source, dead, _ = dead_letters(kafka, topic, N)
    first = start_replay(kafka, dead, "--rate", "200")
    until(lambda: sum(end_offsets(kafka, source).values()) >= 50)
    second = rtml(kafka, "dlq", "replay", dead, "--yes")
    _, said = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (3, 0), said
    assert "another replay of these dead letters has begun" in said
    places = Counter(one.header("rtml-dlq-replay-of") for one in read_all(kafka, source))
    assert (len(places), set(places.values())) == (N, {1})


def test_ctrl_c_takes_back_what_is_not_committed(kafka: str, topic: MakeTopic) -> None:
    """Exit 130, how many were replayed, and no reader waits for an open transaction."""
    source, dead, _ = dead_letters(kafka, topic, 500)
    replaying = start_replay(kafka, dead, "--rate", "100")
    until(lambda: sum(end_offsets(kafka, source).values()) >= 30)
    replaying.send_signal(signal.SIGINT)
    _, said = replaying.communicate(timeout=30)
    assert replaying.returncode == 130
    (line,) = said.splitlines()
    assert line == f"{len(read_all(kafka, source))} were replayed; run it again for the rest"


def test_letters_of_a_topic_made_again_are_new(kafka: str, topic: MakeTopic) -> None:
    """A mark means the letter, not its place: another letter at that offset is replayed."""
    source, dead, letters = dead_letters(kafka, topic, 1)
    assert rtml(kafka, "dlq", "replay", dead, "--yes").returncode == 0
    (mark,) = read_all(kafka, f"{dead}-replayed")
    other = replace(letters[0], partition=1, timestamp_ms=AT_MS + 9)
    produce(kafka, dead, [other])
    forged = Record(mark.value, f"{dead}/1/0".encode(), partition=0)
    produce(kafka, f"{dead}-replayed", [forged])
    assert rtml(kafka, "dlq", "replay", dead, "--yes").returncode == 0
    assert len(read_all(kafka, source)) == 2


def test_what_cannot_go_back_is_told(kafka: str, topic: MakeTopic) -> None:
    """No source, a topic that is gone, its limits: exit 1 with each reason; the others go."""
    source = topic(1, {"max.message.bytes": "2000", "message.timestamp.before.max.ms": "86400000"})
    dead = topic(1, suffix="-dlq")
    now = str(int(time.time() * 1_000))
    good = letter(0, source, timestamp=now)
    produce(
        kafka,
        dead,
        [
            good,
            letter(1, source, timestamp="1000"),
            replace(letter(2, source, timestamp=now), value=b"x" * 1_900),
            letter(3, "gone", timestamp=now),
            letter(4, "__consumer_offsets", timestamp=now),
            Record(b"{}", b"foreign", partition=0),
        ],
    )
    done = rtml(kafka, "dlq", "replay", dead, "--yes", "-o", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["letters"], report["replayed"], sum(report["refused"].values())) == (1, 1, 5)
    assert [one.key for one in read_all(kafka, source)] == [good.key]


@pytest.mark.parametrize(("answer", "code", "there"), [("n", 1, 0), ("y", 0, 3)])
def test_a_person_is_asked(
    kafka: str, topic: MakeTopic, answer: str, code: int, there: int
) -> None:
    """On a terminal nothing is sent before somebody has said yes to the summary."""
    source, dead, _ = dead_letters(kafka, topic, 3)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "worker", "dlq", "replay", dead, "--brokers", kafka]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as asking:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        said, _ = asking.communicate(timeout=60)
    os.close(ours)
    assert asking.returncode == code
    assert f"3 letters to {source}\n" in said
    assert f"Replay 3 letters of {dead}? [y/N]: " in said
    assert len(read_all(kafka, source)) == there


def test_filters_choose_what_is_replayed(kafka: str, topic: MakeTopic) -> None:
    """Only the letters that fit every filter go back; -n bounds them."""
    source, dead, _ = dead_letters(kafka, topic, 40)
    run = partial(rtml, kafka, "dlq", "replay", dead, "--yes")
    assert run("--source-partition", "1", "--source-offset", "5-20", "-n", "3").returncode == 0
    assert [one.key for one in read_all(kafka, source)] == [b"key-5", b"key-9", b"key-13"]
    assert run("--since", "2026-01-01T00:00:38Z", "--error", "RangeError").returncode == 0
    assert sum(end_offsets(kafka, source).values()) > 3
    assert len(read_all(kafka, source)) == 5
