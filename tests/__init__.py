"""Tests of the worker; the folders mirror `worker`, and `tests.kafka` needs a real broker."""
