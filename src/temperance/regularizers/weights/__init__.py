"""Techniques on weights."""
