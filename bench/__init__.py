"""Benchmarks: the worker beside its floor, a bare pass-through on the same broker."""
