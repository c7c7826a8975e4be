"""Techniques on mixing."""
