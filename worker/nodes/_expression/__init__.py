"""The small language of `Derive`: read, typed against columns, and turned into numpy closures."""
