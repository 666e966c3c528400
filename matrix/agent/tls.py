"""TLS contexts for both ends, Twisted's and the standard library's.

Every server is pinned to one version, and so is the standard library's client;
Twisted's client asks for that version at least. They are made once, before the
first fork. The client verifies the server's certificate against the run's own
authority, and its name.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections import namedtuple

VERSIONS = ("tls1.2", "tls1.3")
HOSTNAME = "localhost"
"""The name in the server's certificate, which the client asks for."""

Contexts = namedtuple(
    "Contexts", "server client large_server large_client stdlib_server stdlib_client"
)
"""Of one TLS version: Twisted's options for both ends, the standard library's contexts for both.

The large ones begin with a flight of more than `LARGE` bytes, which fills every small buffer.
"""

LARGE = 1 << 15


def prepare(material, versions=VERSIONS):
    """TLS version → `Contexts`, from the PEM texts ``ca``, ``certificate`` and ``key``.

    Raises whatever an import or a context raises: the caller records it as the reason why
    there is no TLS.
    """
    return {version: _contexts(version, material) for version in versions}


def _contexts(version, material):
    from OpenSSL import SSL
    from twisted.internet import ssl as txssl

    at_least = {"raiseMinimumTo": getattr(txssl.TLSVersion, _constant(version))}
    pair = txssl.PrivateCertificate.loadPEM(material["key"] + material["certificate"])
    authority = txssl.Certificate.loadPEM(material["ca"])

    def server(**options):
        made = txssl.CertificateOptions(
            privateKey=pair.privateKey.original, certificate=pair.original, **at_least, **options
        )
        # Older Twisteds' lowerMaximumSecurityTo leaves out the very version that it names.
        for newer in VERSIONS[VERSIONS.index(version) + 1 :]:
            made.getContext().set_options(getattr(SSL, f"OP_NO_{_constant(newer)}"))
        return made

    def client(**options):
        return txssl.optionsForClientTLS(
            HOSTNAME, trustRoot=authority, extraCertificateOptions=at_least, **options
        )

    chain = [authority.original] * (LARGE // len(authority.dump()) + 1)
    names = [b"%0255d" % number for number in range(LARGE // 255)]
    return Contexts(
        server(),
        client(),
        server(extraCertChain=chain),
        client(acceptableProtocols=names),
        *stdlib_contexts(version, material),
    )


def without_reactor(material, versions=VERSIONS):
    """TLS version → `Contexts` of the standard library alone; these take no pyOpenSSL."""
    nothing = (None,) * 4
    return {each: Contexts(*nothing, *stdlib_contexts(each, material)) for each in versions}


def _constant(version):
    return {"tls1.2": "TLSv1_2", "tls1.3": "TLSv1_3"}[version]


def stdlib_contexts(version, material):
    """The standard library's contexts for both ends, the server's first."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.create_default_context(cadata=material["ca"])
    with tempfile.TemporaryDirectory(prefix="reactor-matrix-") as folder:
        pair = os.path.join(folder, "pair.pem")
        with open(os.open(pair, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(material["key"] + material["certificate"])
        server.load_cert_chain(pair)
    for context in (server, client):
        pin = getattr(ssl.TLSVersion, _constant(version))
        context.minimum_version = context.maximum_version = pin
    return server, client


def identity_check():
    """The name of what checks the server's name for Twisted's client.

    Its version is among what the interpreter says of itself: to ask for that takes longer than a
    handshake.
    """
    try:
        import service_identity  # noqa: F401
    except ImportError:
        return "Twisted's fallback, without service-identity"
    return "service-identity"
