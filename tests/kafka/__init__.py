"""Tests that need a real Apache Kafka; `conftest` says where it comes from."""
