"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Two busy cores make a deadline a matter of luck.
settings.register_profile("rtml", deadline=None)
settings.load_profile("rtml")
