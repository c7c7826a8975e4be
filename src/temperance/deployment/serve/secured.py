"""HTTPS: a certificate and its key."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

from temperance.records.errors import SettingError


@dataclass(frozen=True)
class Secured:
    """TLS.

    Attributes:
        certificate: PEM file of the certificate and those that lead to its root.
        key: PEM file of its private key, without a password.

    """

    certificate: str
    key: str

    def check(self) -> None:
        """Read both.

        Raises:
            SettingError: a file is missing, or they do not belong together.

        """
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.key, password=_no_password
            )
        except (OSError, ValueError) as error:
            raise SettingError(
                f"--tls-cert {self.certificate} and --tls-key {self.key} cannot be used: {error}",
                "a certificate and its private key, both as PEM, the key without a password", "Check both files",
            ) from error  # fmt: skip


def _no_password() -> str:
    raise ValueError("the key asks for a password")


def tls(secured: Secured | None) -> dict[str, Any]:
    """Return uvicorn's settings for HTTPS."""
    return {} if secured is None else {"ssl_certfile": secured.certificate, "ssl_keyfile": secured.key}
