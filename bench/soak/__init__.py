"""A worker for an hour, and through many changes: what grows, and whether an event is lost."""
