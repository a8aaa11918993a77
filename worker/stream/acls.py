"""Which permission is missing, in words that lead to it."""

from __future__ import annotations

from enum import StrEnum

PAGE = "docs/security.md has the commands"


class Resource(StrEnum):
    """What Kafka guards, as it is called in a message."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional id"
    CLUSTER = "the cluster"


_NEEDED = {
    Resource.TOPIC: "Read where it is read, Write where it is written, Create where it is made",
    Resource.GROUP: "Read",
    Resource.TRANSACTIONAL_ID: "Write, on the ids that begin with its group",
    Resource.CLUSTER: "to send, Write on a topic; to make topics, Create on them",
}


def lacking(resource: Resource, name: str) -> str:
    """That the user lacks a permission on what is called ``name``; and the way out."""
    which = f"{resource} '{name}'" if name else str(resource)
    return f"this user lacks an ACL on {which}: {_NEEDED[resource]}; {PAGE}"


def unseen(topic: str) -> str:
    """Kafka shows a topic to nobody who may do nothing with it."""
    return f"if '{topic}' does exist, this user lacks an ACL on it; {PAGE}"
