"""What a site says about TLS: its own certificate, and whose certificates it believes."""

from __future__ import annotations

import msgspec


class TlsModel(msgspec.Struct, frozen=True):
    """Files in PEM, each absolute or as seen from the site's folder.

    `certificate`: ours, with the chain behind it; `key`: its private key, '' when it stands in the same file.
    `trusted`: the authorities of trunks' certificates, '' for the system's. `clients`: the authorities of phones and
    trunks that connect to us; '' nobody has to show a certificate.
    """

    certificate: str
    key: str = ""
    trusted: str = ""
    clients: str = ""

    def files(self) -> dict[str, str]:
        """key of site.yaml -> the file that it names."""
        named = {"certificate": self.certificate, "key": self.key, "trusted": self.trusted, "clients": self.clients}
        return {name: path for name, path in named.items() if path}
