"""Techniques on flatness."""
