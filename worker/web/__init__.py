"""HTTP: health and metrics, what is served, scoring, and a page for people."""
