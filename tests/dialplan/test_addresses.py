"""Hosts, networks and listening addresses."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import render
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("site.yaml", "ringdown: 1\nlisten: 'udp:localhost:5060'\n", "RD086"),
        ("site.yaml", "ringdown: 1\nlisten: 'sctp:192.0.2.1:5060'\n", "RD086"),
        ("site.yaml", "ringdown: 1\nadvertise: 999.1.2.3\n", "RD086"),
        ("site.yaml", "ringdown: 1\nlocal_networks: [10.0.0.0/33]\n", "RD086"),
    ],
)
def test_wrong_settings(file: str, text: str, code: str) -> None:
    _, findings = read_site(files_with({file: text}), STOCK)
    assert [each.code for each in findings] == [code], [render(each) for each in findings]
    assert findings[0].file == file and findings[0].line >= 1
