"""Why a value is no event of its schema."""

from __future__ import annotations

import msgspec

from worker.errors import Fault, Stage

MALFORMED = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, OverflowError)
"""What decoding raises where a value is none."""

_MESSAGE_LENGTH = 300  # a message is a header of the dead letter, and field names have any length


def fault(row: int, error: Exception) -> Fault:
    """The reason for one value that cannot be read; the text names the field, never its value."""
    if isinstance(error, UnicodeError):
        return Fault(row, Stage.DECODE, "InvalidUtf8", "the value is not valid UTF-8")
    if isinstance(error, RecursionError):
        return Fault(row, Stage.DECODE, "TooDeep", "the value is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return Fault(
            row, Stage.DECODE, "SchemaMismatch", f"{_told(error)}; see the source's schema"
        )
    return Fault(row, Stage.DECODE, "MalformedJson", f"the value is not one JSON object: {error}")


def _told(error: msgspec.ValidationError) -> str:
    """The words of msgspec, without the value of an enum and of bounded length."""
    text = str(error)
    if text.startswith("Invalid enum value"):
        text = "Not in the enum - at `" + text.rpartition(" - at `")[2]
    return text if len(text) <= _MESSAGE_LENGTH else text[: _MESSAGE_LENGTH - 3] + "..."
