"""Streams, models and scores of ``adapt_battery.py``."""
