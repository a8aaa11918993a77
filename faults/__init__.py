"""The fault suite: what is promised about delivery, shown by breaking things on a real Kafka."""
