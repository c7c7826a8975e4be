"""Techniques on units."""
