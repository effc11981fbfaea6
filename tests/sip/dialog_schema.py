"""The rules of RFC 4235 §4.4 as tables, and an examiner: what of a dialog-info document breaks them."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

NS = "{urn:ietf:params:xml:ns:dialog-info}"
_SIDE = {"identity": (0, 1), "target": (0, 1), "session-description": (0, 1), "cseq": (0, 1)}
# element -> its children, each with (least, most); they stand in this order
CHILDREN: dict[str, dict[str, tuple[int, int]]] = {
    "dialog-info": {"dialog": (0, 1_000_000)},
    "dialog": {
        "state": (1, 1), "duration": (0, 1), "replaces": (0, 1), "referred-by": (0, 1), "route-set": (0, 1),
        "local": (0, 1), "remote": (0, 1),
    },
    "local": _SIDE, "remote": _SIDE, "target": {"param": (0, 1_000_000)}, "route-set": {"hop": (1, 1_000_000)},
}  # fmt: skip
# element -> attribute -> (must it stand there?, what it may be)
ATTRIBUTES: dict[str, dict[str, tuple[bool, str]]] = {
    "dialog-info": {"version": (True, r"\d+"), "state": (True, "full|partial"), "entity": (True, r"\S+")},
    "dialog": {
        "id": (True, ".+"), "call-id": (False, ".+"), "local-tag": (False, ".+"), "remote-tag": (False, ".+"),
        "direction": (False, "initiator|recipient"),
    },
    "state": {
        "event": (False, "cancelled|rejected|replaced|local-bye|remote-bye|error|timeout"),
        "code": (False, r"[1-6]\d\d"),
    },
    "identity": {"display": (False, ".*")}, "referred-by": {"display": (False, ".*")},
    "target": {"uri": (True, r"\S+")}, "param": {"pname": (True, ".+"), "pval": (True, ".*")},
    "replaces": {"call-id": (True, ".+"), "local-tag": (True, ".+"), "remote-tag": (True, ".+")},
    "session-description": {"type": (True, ".+")},
}  # fmt: skip
TEXTS = {"state": "trying|proceeding|early|confirmed|terminated", "duration": r"\d+", "identity": r"\S+"}


def faults(element: Element) -> list[str]:
    """One line for each broken rule, below it too; none: it is valid."""
    name = element.tag.removeprefix(NS)
    found = [] if element.tag.startswith(NS) else [f"{element.tag} is of another namespace"]
    known = ATTRIBUTES.get(name, {})
    found += [f"{name} has no attribute {key}" for key in element.attrib if key not in known]
    for key, (needed, pattern) in known.items():
        value = element.get(key)
        if value is None and needed:
            found.append(f"{name} lacks {key}")
        elif value is not None and re.fullmatch(pattern, value, re.DOTALL) is None:
            found.append(f"{name}: {key} is {value!r}")
    if name in TEXTS and re.fullmatch(TEXTS[name], element.text or "") is None:
        found.append(f"{name} is {element.text!r}")
    names, allowed = [child.tag.removeprefix(NS) for child in element], CHILDREN.get(name, {})
    found += [f"{name} may not hold {child}" for child in names if child not in allowed]
    places = [list(allowed).index(child) for child in names if child in allowed]
    if places != sorted(places):
        found.append(f"{name}: its parts stand in another order: {names}")
    for child, (least, most) in allowed.items():
        if not least <= names.count(child) <= most:
            found.append(f"{name} holds {names.count(child)} {child}")
    return found + [fault for child in element for fault in faults(child)]
