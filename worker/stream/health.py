"""Whether a service is fit to serve, judged by its progress, and why not."""

from __future__ import annotations

import time

from worker.stream.link import Link
from worker.stream.pump import Pump

SILENT_S = 10.0
"""A batch that is not done or not acknowledged, or a broker that is silent, for so long is one."""
HELD_S = 3.0
"""A partition that is not read for so long after it was assigned, or given up."""


def reasons(service: str, pump: Pump) -> list[str]:
    """Why the service is not ready; empty if it is.

    A spare replica that joined its group and got no partition is ready.
    """
    if pump.failure is not None:
        return [f"{service}: stopped: {pump.failure}"]
    link = pump.link
    if link is None:
        return [f"{service}: {pump.waiting or 'not connected to Kafka yet'}"]
    found = []
    if not link.assignment.joined.is_set():
        found.append(f"{service}: has not joined group '{link.group}' yet")
    found += [f"{service}: {what}" for what in _held(link)]
    if pump.switch.reason:
        found.append(f"{service}: {pump.switch.told()}")
    if link.missing:
        found.append(f"{service}: topic '{link.plan.spec.source.topic}' does not exist any more")
    stuck = ", ".join(
        f"{lane.partition.partition}@{lane.frontier.position}"
        for lane in link.assignment.lanes.values()
        if lane.frontier.in_flight
    )
    because = f": {pump.silence}" if pump.silence else ""
    for since_s, what in (
        (pump.busy_s, f"the batch in hand is not done (frontier {stuck})"),
        (pump.oldest_s, f"no acknowledgement from Kafka (frontier {stuck})"),
        (pump.answered_s, "Kafka has not answered"),
    ):
        if since_s is not None and time.perf_counter() - since_s > SILENT_S:
            found.append(f"{service}: {what} for {time.perf_counter() - since_s:.0f} s{because}")
    if pump.oldest_s is None and pump.busy_s is None and not pump.switch.reason:
        found += [f"{service}: {what}" for what in _stuck(link)]
    return found


def state(service: str, pump: Pump) -> str:
    """One word: serving, failed, tripped, or waiting for what `reasons` tells."""
    if pump.failure is not None:
        return "failed"
    if pump.switch.reason:
        return "tripped"
    return "waiting" if reasons(service, pump) else "serving"


def _held(link: Link) -> list[str]:
    """Partitions that are ours, but are not read."""
    now_s = time.perf_counter()
    return [
        f"partition {partition.partition} is held for {now_s - since_s:.0f} s: transactions of "
        "others are being ended, or the group is asked whose it is"
        for partition, since_s in link.assignment.held.items()
        if now_s - since_s > HELD_S
    ]


def _stuck(link: Link) -> list[str]:
    """Partitions in which events wait and none is taken."""
    now_s = time.perf_counter()
    return [
        f"frontier of partition {lane.partition.partition} stays at {lane.frontier.position} for "
        f"{now_s - lane.moved_s:.0f} s while its lag is {link.lag(lane)}"
        for lane in link.assignment.lanes.values()
        if lane.open and now_s - lane.moved_s > SILENT_S and link.lag(lane)
    ]
