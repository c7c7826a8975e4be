"""Techniques that keep answers steady around each row: penalties on slopes, and training on attacked rows."""
