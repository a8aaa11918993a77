"""Whether a service is fit to serve, judged by its progress, and why not."""

from __future__ import annotations

import time

from worker.stream.pump import Pump

SILENT_S = 10.0
"""A batch that is not acknowledged, or a broker that does not answer, for so long is a reason."""


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
    if not link.assignment.joined:
        found.append(f"{service}: has not joined group '{link.group}' yet")
    if pump.oldest_s is not None:
        silent_s = time.perf_counter() - pump.oldest_s
        if silent_s > SILENT_S:
            stuck = ", ".join(
                f"{lane.partition.partition}@{lane.frontier.position}"
                for lane in link.assignment.lanes.values()
                if lane.frontier.in_flight
            )
            found.append(
                f"{service}: no acknowledgement from Kafka for {silent_s:.0f} s; "
                f"frontier stands at {stuck or 'its place'}"
            )
    if pump.answered_s is not None and time.perf_counter() - pump.answered_s > SILENT_S:
        silent_s = time.perf_counter() - pump.answered_s
        found.append(f"{service}: Kafka has not answered for {silent_s:.0f} s")
    return found
