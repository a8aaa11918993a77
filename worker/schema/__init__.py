"""Declared event fields: a JSON Schema (draft 2020-12, a closed subset) as typed columns.

A field becomes the column of its dotted path, ``_tenant.identification.ecid``; where a segment
itself holds a dot or a slash, or the path begins with ``/``, the column is its JSON Pointer
(RFC 6901). Keywords outside the subset are refused by name, never ignored.
"""

from worker.schema.fields import Branch, Leaf, Schema, column_name, is_plain, path_of, value_at
from worker.schema.read import MAX_DEPTH, parse

__all__ = [
    "MAX_DEPTH",
    "Branch",
    "Leaf",
    "Schema",
    "column_name",
    "is_plain",
    "parse",
    "path_of",
    "value_at",
]
