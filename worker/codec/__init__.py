"""Bytes to columns and columns to bytes. Knows JSON, not Kafka."""
