"""Room lifecycle."""
