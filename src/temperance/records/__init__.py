"""What rooms hand to each other. Standard library and NumPy only; import from the files, e.g. ``records.finding``."""
