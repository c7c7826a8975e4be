"""Odd files with their right values, written before the reader was asked."""
