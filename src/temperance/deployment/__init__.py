"""Room deployment."""
