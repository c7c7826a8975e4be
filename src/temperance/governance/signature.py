"""A signature with an offline key: Ed25519 in a DSSE envelope, the form that in-toto and sigstore use."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temperance.records.errors import DataError, MissingExtra, SettingError

PAYLOAD = "application/vnd.in-toto+json"
LARGEST_KEY = 2**16


def new_key(path: Path) -> Path:
    """Write a private key (PEM, readable by its owner alone) and beside it ``NAME.pub``; return the public one.

    Raises:
        SettingError: one of the files exists.
        MissingExtra: ``cryptography`` is not installed.

    """
    kinds, forms = _cryptography()
    key = kinds.Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    for place in (path, public):
        if place.exists():
            raise SettingError(f"{place} exists", "a new name, so that no key is lost", "Choose another name")
    secret = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)
        public.write_bytes(key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo))
    except OSError as fault:
        raise SettingError(f"{path} cannot be written: {fault.strerror}", "a folder that exists", "") from fault
    return public


def sign(payload: bytes, key: Path) -> dict[str, Any]:
    """Return a DSSE envelope of ``payload``, signed with the private key in the file ``key``.

        signature = Ed25519("DSSEv1" ␣ len(type) ␣ type ␣ len(payload) ␣ payload)

    Raises:
        DataError: the file holds no Ed25519 private key without a password.
        MissingExtra: ``cryptography`` is not installed.

    References:
        DSSE 1.0.2 (github.com/secure-systems-lab/dsse); RFC 8032.

    """
    kinds, forms = _cryptography()
    try:
        private = forms.load_pem_private_key(_key_bytes(key), password=None)
    except (ValueError, TypeError) as fault:
        raise DataError(
            f"{key} is no private key that can be read: {fault}", "an Ed25519 key in PEM, without a password",
            "Make one with `temperance sign BUNDLE --new-key FILE`",
        ) from fault  # fmt: skip
    if not isinstance(private, kinds.Ed25519PrivateKey):
        raise DataError(f"{key} holds a {type(private).__name__}", "an Ed25519 private key", "Give another key")
    signature = private.sign(authenticated(payload))
    return {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": _keyid(private.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def opened(envelope: Any, key: Path) -> bytes | None:
    """Return the payload of an envelope that the owner of ``key`` signed; None where no signature is theirs.

    Args:
        envelope: a DSSE envelope, read from JSON.
        key: file of the public key (PEM).

    Raises:
        DataError: the file holds no Ed25519 public key.
        MissingExtra: ``cryptography`` is not installed.

    """
    public = _public(key)
    from cryptography.exceptions import InvalidSignature

    if not isinstance(envelope, Mapping) or envelope.get("payloadType") != PAYLOAD:
        return None
    payload = _decoded(envelope.get("payload"))
    signatures = envelope.get("signatures")
    if payload is None or not isinstance(signatures, list):
        return None
    for row in signatures[:20]:
        signature = _decoded(row.get("sig")) if isinstance(row, Mapping) else None
        if signature is None:
            continue
        try:
            public.verify(signature, authenticated(payload))
        except InvalidSignature:
            continue
        return payload
    return None


def authenticated(payload: bytes) -> bytes:
    """Return the bytes that are signed: type and payload, each with its length before it."""
    kind = PAYLOAD.encode()
    return b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))


def _public(path: Path) -> Any:
    kinds, forms = _cryptography()
    try:
        key = forms.load_pem_public_key(_key_bytes(path))
    except (ValueError, TypeError) as fault:
        raise DataError(
            f"{path} is no public key that can be read: {fault}", "an Ed25519 public key in PEM",
            "Give the .pub file of the one who signed",
        ) from fault  # fmt: skip
    if not isinstance(key, kinds.Ed25519PublicKey):
        raise DataError(f"{path} holds a {type(key).__name__}", "an Ed25519 public key", "Give another key")
    return key


def _key_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_KEY:
            raise DataError(f"{path} has {path.stat().st_size} bytes", "a key in PEM", "Give another file")
        return path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path} cannot be read: {fault.strerror}", "the file of a key", "Check the name") from fault


def _keyid(public: Any) -> str:
    _, forms = _cryptography()
    return hashlib.sha256(public.public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw)).hexdigest()


def _decoded(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None


def _cryptography() -> tuple[Any, Any]:
    """Return the modules of Ed25519 and of the forms of keys."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as fault:
        raise MissingExtra(
            "signatures need the package cryptography", "the extra 'sign'", "pip install temperance[sign]"
        ) from fault
    return ed25519, serialization
