"""What one request may take."""

from __future__ import annotations

from dataclasses import dataclass

from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the HTTP server.

    Attributes:
        body_bytes: of a request.
        events: in a request.
        score_s: from the whole body to the answer, waiting for a thread included.
        model_s: one run of a model.
        read_s: until the whole body is here; from the connection to the first request likewise.
        threads: score at the same time; they share the interpreter with the stream.
        places: requests that are scored or wait for a thread; one more is told to come again.
        failures: wrong tokens from one address in a minute.
    """

    body_bytes: int = 1_000_000
    events: int = 10_000
    score_s: float = 10.0
    model_s: float = 5.0
    read_s: float = 10.0
    threads: int = 2
    places: int = 64
    failures: int = 10

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """With what the settings say."""
        return cls(
            body_bytes=settings.http_max_body_bytes,
            events=settings.http_max_events,
            score_s=settings.http_timeout_ms / 1_000,
            model_s=settings.model_timeout_ms / 1_000,
        )
