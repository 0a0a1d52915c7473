"""How controller and broker know each other: password, certificates, TLS."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt

from gatekeeper.config import CentreSettings, pem, secret
from gatekeeper.errors import ConfigError, GatekeeperError


class LinkError(GatekeeperError):
    """The broker cannot be reached, refused this controller, or has gone away."""


def identify(client: mqtt.Client, settings: CentreSettings) -> None:
    """Give the client what it needs for that; raises `LinkError` for a file that is missing or
    unusable.
    """
    try:
        if settings.username is not None:
            file = settings.password_file
            client.username_pw_set(settings.username, None if file is None else secret(file))
        if settings.ca is not None:
            client.tls_set_context(trust(settings.ca, settings.certificate, settings.key))
    except ConfigError as error:
        raise LinkError(str(error)) from error


def trust(ca: Path, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """What a broker's certificate has to fit, and this controller's own; raises `ConfigError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.sslsocket_class = _ClosingSocket
    try:
        context.load_verify_locations(cadata=pem(ca, "ca"))
    except ssl.SSLError as error:
        raise ConfigError(f"{ca}: cannot be used as ca: {error}") from error
    if certificate is not None:
        _show(context, certificate, key)
    return context


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    texts = pem(certificate, "certificate") + ("" if key is None else pem(key, "key"))

    def locked() -> str:
        """Asked for on the terminal otherwise, which a service has not."""
        raise ConfigError(
            f"{key or certificate}: the key is locked by a passphrase; take that off: openssl pkey"
            " -in OLD -out NEW"
        )

    try:
        with _as_file(texts) as file:
            context.load_cert_chain(file, password=locked)
    except ssl.SSLError as error:
        files = f"{certificate}, {key or 'no key'}"
        raise ConfigError(f"{files}: cannot be used as certificate and key: {error}") from error


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """A file of no disk: the library takes a certificate and its key from files alone."""
    descriptor = os.memfd_create("certificate")
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the broker is not to be trusted; paho leaves it to the collector."""

    def do_handshake(self, block: bool = False) -> None:
        """As the library's own."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
