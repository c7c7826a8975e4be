"""Techniques on targets."""
