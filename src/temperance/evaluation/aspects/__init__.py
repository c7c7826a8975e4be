"""Aspects of a vetting: one question about a model a file, each answered by a ``Reading``. See ``base``."""
