"""A thin local web page: lists studies, shows their reports, follows them live.

Start it with ``python -m temperance.app FOLDER``.
"""
