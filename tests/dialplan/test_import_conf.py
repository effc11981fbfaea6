"""Asterisk's configuration format."""

from __future__ import annotations

from engine.dialplan import import_conf

TEXT = """\
top = 1
[one](tpl,!)  ; a comment
a => b\\; c ; gone
;-- all
[gone]
of this --; kept = yes
#include "x.conf"
[two]
nothing here
"""


def test_sections_lines_and_comments() -> None:
    found = [
        (each.name, each.template, [(line.number, line.key, line.value) for line in each.lines])
        for each in import_conf.read(TEXT)
    ]
    assert found == [
        ("", "", [(1, "top", "1")]),
        ("one", "tpl,!", [(3, "a", "b; c"), (6, "kept", "yes"), (7, "", '#include "x.conf"')]),
        ("two", "", [(9, "", "nothing here")]),
    ]


def test_arguments() -> None:
    assert import_conf.arguments('a,"b,c",f(d,e),${G:1,2},') == ["a", "b,c", "f(d,e)", "${G:1,2}", ""]
