"""Room governance."""
