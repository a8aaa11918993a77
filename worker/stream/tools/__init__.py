"""What the commands around the worker need of Kafka: make topics, send events, read what came out.

Sending and reading is written on librdkafka, which the worker itself does not use: what the demo
counts is independent of the worker's own client.
"""
