"""The loop around a session; import from the files, e.g. ``training.loop``."""
