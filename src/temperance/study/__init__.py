"""Many trials under one budget; import from the files, e.g. ``study.study``."""
