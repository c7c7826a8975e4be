"""Temperance: regularization that is found, adapted, proved and kept honest. Heavy parts load on first use."""

__version__ = "0.1.0"
