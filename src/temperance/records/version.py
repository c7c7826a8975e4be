"""The version of the package: everything that is written names it."""

__version__ = "0.1.0"
