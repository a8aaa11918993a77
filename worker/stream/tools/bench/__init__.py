"""Measures a graph on a real Kafka, beside the least that a client of Kafka can do there.

What is general of the project's own benchmarks stands here: they use it, and are not installed.
"""
