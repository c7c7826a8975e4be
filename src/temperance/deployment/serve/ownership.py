"""Who may use ``/admin/…``: whoever has the token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from temperance.records.errors import RequestError


class Token:
    """Compares in constant time; an empty token lets nobody in."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Let only the owner in.

        Raises:
            RequestError: status 401.

        """
        given = next((value for key, value in headers if key == b"authorization"), b"")
        if not self._token or not hmac.compare_digest(given, b"Bearer " + self._token):
            raise RequestError(
                "no token, or a wrong one", "Authorization: Bearer TOKEN, as the server said at its start",
                "Start it with --token or TEMPERANCE_TOKEN to choose one", status=401,
            )  # fmt: skip
