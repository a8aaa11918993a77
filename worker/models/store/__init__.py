"""The model store: immutable versions of models under names, in a folder or behind a URL."""
