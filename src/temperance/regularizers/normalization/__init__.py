"""Techniques on the scale of layers."""
