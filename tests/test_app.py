"""The faust App inside the worker."""

from __future__ import annotations

import pytest

from worker import app


def test_fausts_own_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes makes WEB_PORT=tcp://... for a service named web; faust would not start."""
    monkeypatch.setenv("WEB_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("BROKER_HEARTBEAT_INTERVAL", "often")
    made = app._app()
    assert made.conf.web_port == 6066
