"""What a site says about TLS, as data that is kept."""

from __future__ import annotations

import msgspec

from engine.dialplan.tls import TlsModel


def test_files_in_the_order_of_the_keys_and_only_those_that_are_named() -> None:
    model = TlsModel("sip.pem", clients="phones.pem")
    assert model.files() == {"certificate": "sip.pem", "clients": "phones.pem"}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(model), type=TlsModel) == model
