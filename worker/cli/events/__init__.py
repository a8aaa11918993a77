"""Events in files: JSON lines, CSV and Parquet, read as the bytes that a topic would hold."""
