"""Data sets: files of events (JSON lines, CSV, Parquet), read, checked, described and written.

Rows are read as the bytes that a topic would hold; nested fields are columns by their dotted path
or JSON Pointer.
"""
