"""One file per framework that trains: import ``temperance.integrations.transformers`` and the like; each is an extra.

Nothing is imported here, so that a framework which is not installed is asked for only where it is used.
"""
