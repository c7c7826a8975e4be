"""The vocabulary and the algebra of a training step; import from the files, e.g. ``core.recipe``."""
