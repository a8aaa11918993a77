"""Tests of `worker.stream` that need no real broker."""
