"""The registry, read from records in any order and of any content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.support import Record, record, service, version
from worker.errors import ConfigError
from worker.services.registry import Registry

IDS = ("fraud", "fraud-2", "cars")
services = st.builds(service, st.sampled_from(IDS), st.integers(1, 3))
versions = st.builds(version, st.sampled_from(IDS), st.integers(1, 3))
whole = st.one_of(services, versions).map(record)
gone = whole.map(lambda one: (one[0], None))
broken = st.tuples(whole, st.binary(max_size=20)).map(lambda pair: (pair[0][0], pair[1] + b"!"))
records = st.lists(st.one_of(whole, whole, gone, broken), max_size=40)


def read(found: list[Record]) -> Registry:
    """The registry that these records give."""
    registry = Registry()
    for key, value in found:
        registry.apply(key, value)
    return registry


def told(registry: Registry) -> tuple[object, ...]:
    """All that a registry says."""
    return registry.services, registry.versions, registry.unreadable


@given(st.lists(st.one_of(whole, gone), max_size=40))
def test_compaction_changes_nothing(found: list[Record]) -> None:
    """Only the latest record of each key, without those that delete, gives the same registry."""
    latest = dict(found)
    compacted = [(key, value) for key, value in latest.items() if value is not None]
    assert told(read(compacted)) == told(read(found))


@given(records)
def test_each_key_is_told_once(found: list[Record]) -> None:
    """What is unreadable is exactly what has a broken latest record; all else is as it was said."""
    registry = read(found)
    bad = {key for key, value in dict(found).items() if value is not None and value.endswith(b"!")}
    assert set(registry.unreadable) == bad
    for key, value in dict(found).items():
        if key in bad:
            continue
        id_, _, number = key.partition("/v")
        one = (
            registry.versions.get(id_, {}).get(int(number))
            if number
            else registry.services.get(id_)
        )
        assert (one and record(one)) == (value and (key, value))


@given(records)
def test_a_new_version_has_a_new_number(found: list[Record]) -> None:
    """It is above every number there is, readable or not."""
    registry = read(found)
    for id_ in IDS:
        keys = [key for key, value in dict(found).items() if value is not None]
        numbers = [int(key.partition("/v")[2]) for key in keys if key.startswith(f"{id_}/v")]
        assert registry.next_number(id_) > max(numbers, default=0)


@given(st.lists(st.tuples(st.text(max_size=12), st.none() | st.binary(max_size=30)), max_size=20))
def test_no_record_stops_the_reading(found: list[Record]) -> None:
    """Whatever keys and values there are, they are read, and a good one after them is found."""
    registry = read([*found, record(service("fraud")), record(version("fraud", 1))])
    assert registry.find("fraud").id == "fraud"
    assert registry.version(registry.find("fraud")).number == 1


@pytest.mark.parametrize("number", ["0", "01", "-1", "1" * 5_000, "x", ""])
def test_a_number_that_is_none(number: str) -> None:
    """Such a key names no version; it is unreadable, can be deleted, and costs no other."""
    key = f"fraud/v{number}"
    registry = read([record(version("fraud", 1)), (key, b"{}")])
    assert key in registry.unreadable
    assert registry.next_number("fraud") == 2
    registry.apply(key, None)
    assert registry.unreadable == {}


def test_a_record_under_the_key_of_another() -> None:
    """It is not taken for what it says."""
    (_, fraud), (_, first) = record(service("fraud")), record(version("fraud", 1))
    registry = read([("cars", fraud), ("fraud/v2", first)])
    assert registry.unreadable == {"cars": "is of 'fraud'", "fraud/v2": "is of 'fraud/v1'"}
    assert (registry.services, registry.versions) == ({}, {})


def test_an_unknown_id_names_the_nearest() -> None:
    """A mistyped id is answered with the one that was meant, any other with those there are."""
    registry = read([record(service("fraud")), record(service("cars"))])
    with pytest.raises(ConfigError, match="fruad: there is no such service; did you mean 'fraud'"):
        registry.find("fruad")
    with pytest.raises(ConfigError, match="known: cars, fraud"):
        registry.find("zzz")


def test_an_unreadable_service_is_told_from_an_unknown_one() -> None:
    """Who asks for it hears why, and that it can be deleted."""
    registry = read([("fraud", b'{"id": "fraud"}')])
    with pytest.raises(ConfigError, match="cannot be read: name: Field required; delete it"):
        registry.find("fraud")


def test_a_version_that_is_not_there() -> None:
    """The versions that there are are named, and an unreadable one says why."""
    registry = read([record(version("fraud", 1)), ("fraud/v3", b"junk")])
    with pytest.raises(ConfigError, match="version 2 does not exist; versions: 1"):
        registry.version(service("fraud", 2))
    with pytest.raises(ConfigError, match=r"version 3 cannot be read: .*; versions: 1"):
        registry.version(service("fraud"), 3)


def test_what_a_later_release_adds_is_passed_over() -> None:
    """A field that is not known does not make a record unreadable."""
    key, value = record(service("fraud"))
    assert value is not None
    registry = read([(key, value[:-1] + b',"colour":"red"}')])
    assert registry.services == {"fraud": service("fraud")}
