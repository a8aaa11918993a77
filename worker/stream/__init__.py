"""The shell around the core: what reads from Kafka, writes to it, and commits.

This package and `worker.services` are the only places that know a Kafka client.
"""
