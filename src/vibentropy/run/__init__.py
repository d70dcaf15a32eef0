"""One run of the workflow: its configuration, checks before it begins, cost, and provenance."""
