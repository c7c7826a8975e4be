"""Techniques on averaging."""
