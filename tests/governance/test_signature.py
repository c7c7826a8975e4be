"""Ed25519 in a DSSE envelope: what was signed opens, anything else does not."""

import base64
import stat

import pytest

pytest.importorskip("cryptography", reason="pip install temperance[sign]")

from temperance.governance.signature import authenticated, new_key, opened, sign
from temperance.records.errors import DataError, SettingError

TEXT = b'{"_type": "x"}'


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "mine", new_key(tmp_path / "mine")


def test_a_signature_opens_with_its_public_key_alone(keys, tmp_path) -> None:
    private, public = keys
    envelope = sign(TEXT, private)
    assert opened(envelope, public) == TEXT
    assert opened(envelope, new_key(tmp_path / "another")) is None


def test_the_private_key_is_its_owners_alone_and_is_never_overwritten(keys) -> None:
    private, _ = keys
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    with pytest.raises(SettingError, match="no key is lost"):
        new_key(private)


def test_the_signed_bytes_are_those_of_the_specification() -> None:
    assert authenticated(b"hello") == b"DSSEv1 28 application/vnd.in-toto+json 5 hello"


@pytest.mark.parametrize(
    "change",
    [
        {"payload": base64.b64encode(b"{}").decode()},
        {"payload": "no base64!"},
        {"payloadType": "text/plain"},
        {"signatures": []},
        {"signatures": [{"sig": base64.b64encode(b"0" * 64).decode()}]},
        {"signatures": [{"sig": 5}, "text"]},
        {"signatures": None},
    ],
)
def test_what_was_changed_does_not_open(keys, change) -> None:
    private, public = keys
    assert opened({**sign(TEXT, private), **change}, public) is None


def test_what_is_no_envelope_does_not_open(keys) -> None:
    assert opened([1], keys[1]) is None


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----", b"\xff" * 10])
def test_a_file_that_is_no_key_is_refused(tmp_path, keys, text) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(text)
    with pytest.raises(DataError):
        sign(TEXT, bad)
    with pytest.raises(DataError):
        opened(sign(TEXT, keys[0]), bad)


def test_a_missing_key_and_one_of_another_kind_are_refused(tmp_path, keys) -> None:
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import ec

    with pytest.raises(DataError, match="cannot be read"):
        sign(TEXT, tmp_path / "none")
    other = ec.generate_private_key(ec.SECP256R1())
    place = tmp_path / "ec"
    place.write_bytes(other.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()))
    with pytest.raises(DataError, match="Ed25519"):
        sign(TEXT, place)
    place.write_bytes(other.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(DataError, match="Ed25519"):
        opened(sign(TEXT, keys[0]), place)
