"""A stream-processing scoring worker: Kafka in, a graph of nodes with ONNX inference, Kafka out."""

__version__ = "0.1.0"
