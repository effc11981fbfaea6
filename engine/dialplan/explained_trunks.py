"""What the codes of ways out mean (RD350 to RD359), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD350
A rule tries each of its trunks once. How many calls a trunk gets is said by its weight.
wrong:
# outbound.yaml
00.: {trunks: [carrier, carrier]}
right:
# outbound.yaml
00.: {trunks: [carrier]}

RD351
A rule with several trunks can only pass by a dead one when somebody has found out that it is dead. `probe: 30s` asks
the trunk by OPTIONS, and it gets no calls while it doesn't answer.
wrong:
# trunks.yaml
carrier: {host: sip.example.net}
spare: {host: sip.example.org, probe: 30s}
# outbound.yaml
00.: {trunks: [carrier, spare]}
right:
# trunks.yaml
carrier: {host: sip.example.net, probe: 30s}
spare: {host: sip.example.org, probe: 30s}
# outbound.yaml
00.: {trunks: [carrier, spare]}
"""
