"""Room regularizers."""
