"""How controller and broker know each other: password, certificates, TLS."""

import ssl
from pathlib import Path

import paho.mqtt.client as mqtt

from gatekeeper.config import CentreSettings, secret
from gatekeeper.errors import ConfigError, GatekeeperError


class LinkError(GatekeeperError):
    """The broker cannot be reached, refused this controller, or has gone away."""


def identify(client: mqtt.Client, settings: CentreSettings) -> None:
    """Give the client what it needs for that; raises `LinkError` for a file that is missing or
    unusable.
    """
    if settings.username is not None:
        try:
            password = None if settings.password_file is None else secret(settings.password_file)
        except ConfigError as error:
            raise LinkError(str(error)) from error
        client.username_pw_set(settings.username, password)
    if settings.ca is not None:
        client.tls_set_context(_trust(settings.ca, settings))


def _trust(ca: Path, settings: CentreSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.sslsocket_class = _ClosingSocket
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        raise LinkError(f"{ca}: cannot be used as ca: {error}") from error
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key)
        except OSError as error:
            files = f"{settings.certificate}, {settings.key or 'no key'}"
            raise LinkError(f"{files}: cannot be used as certificate and key: {error}") from error
    return context


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the broker is not to be trusted; paho leaves it to the collector."""

    def do_handshake(self, block: bool = False) -> None:
        """As the library's own."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
