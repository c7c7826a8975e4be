"""What can be measured on predictions and their truth: one metric per file, found by name in ``registry``."""
