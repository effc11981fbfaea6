"""What the codes of codecs mean (RD352 to RD354), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD352
Carriers and gateways speak G.711 (PCMU, PCMA) and often nothing else. A list without it leaves their calls without a
codec in common: they get 488, and ours to them are refused.
wrong:
# site.yaml
ringdown: 1
languages: [en]
codecs: [G722]
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
codecs: [G722, PCMA, PCMU]
numbers: {100: main}
"""
