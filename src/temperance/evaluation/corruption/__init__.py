"""Ways in which raw inputs go wrong: one family per file, five severities each."""
