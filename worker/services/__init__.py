"""Services: graphs that are published to a location and served by the workers there."""
