"""Techniques on generative."""
