"""What the commands around the worker need of Kafka: send events, read topics, watch a worker.

Written on librdkafka, which the worker itself does not use: what the demo counts is independent of
the worker's own client.
"""
