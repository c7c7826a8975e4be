"""Room adaptation."""
