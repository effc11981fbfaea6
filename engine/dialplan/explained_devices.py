"""What the codes of profiles and devices mean (RD366, RD367, RD380 to RD389), for `ringdown check --explain`; see
`explaining`."""

from __future__ import annotations

TEXT = r"""
RD366
`transport:` of a device is written into its file. So something must listen there (`listen:` of site.yaml, with a
certificate for tls), and it must be known how the file of this box says it: what nobody could look up isn't written.
wrong:
# profiles/box.yaml
profile: box
kind: phone
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: register, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  auto_answer: {says: none, unverified: no manual}
provision: {template: fanvil, file: "{mac}.cfg", enter: somewhere, unverified: no manual}
# devices.yaml
805ec0112233: {profile: box, agent: 200, transport: tls}
right:
# devices.yaml
{}

RD367
The trunk or agent requires SRTP, or the trunk goes by TLS, and the box's file can't say so, because nobody could look
up how. Until it is set by hand on the box's own pages, its calls are refused. `ringdown provision` shows what else is
to be entered there.
wrong:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: address, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}
provision: {template: patton, file: "{mac}.cfg", enter: somewhere, unverified: no manual}
# trunks.yaml
carrier: {host: 192.0.2.20, transport: tls, srtp: required}
# devices.yaml
00a0ba112233: {profile: box, trunk: carrier}
right:
# devices.yaml
{}

RD380
No profile of that name ships, and the site has none in its folder `profiles/`. `ringdown profiles` lists them.
wrong:
# trunks.yaml
carrier: {host: sip.example.net, profile: grandsteam-ht813}
right:
# trunks.yaml
carrier: {host: sip.example.net}

RD381
Whoever reads a profile must be able to look up what it says: each statement names a source of the profile and the
section in it, or says `unverified:` and why.
wrong:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: address, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}
right:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: heard it once}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: address, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}

RD382
A box is known by the address on its back: twelve hexadecimal digits, with or without colons, each box once.
wrong:
# devices.yaml
00:0b:82:1a:2b: {profile: yealink, agent: 201}
right:
# devices.yaml
{}

RD383
A device belongs to one agent, as his phone, or to one trunk, as its gateway.
wrong:
# devices.yaml
000b821a2b3c: {profile: yealink}
right:
# devices.yaml
{}

RD384
A trunk needs a gateway's profile; an agent's phone needs a phone's, or that of a box for telephones.
wrong:
# profiles/desk.yaml
profile: desk
kind: phone
about: a desk phone
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: unknown, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  auto_answer: {says: none, unverified: no manual}
# trunks.yaml
carrier: {host: sip.example.net, profile: desk}
right:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: unknown, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}
# trunks.yaml
carrier: {host: sip.example.net, profile: box}

RD385
The profile says how the box behaves, but nobody has written its configuration file yet: enter it by hand.
wrong:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: unknown, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}
# devices.yaml
001fd6aabbcc: {profile: box, trunk: carrier}
right:
# profiles/box.yaml
profile: box
kind: gateway
about: a box
sources: {}
statements:
  codecs: {says: PCMA, unverified: no manual}
  dtmf: {says: unknown, unverified: no manual}
  early_media: {says: unknown, unverified: no manual}
  registration: {says: unknown, unverified: no manual}
  caller_id: {says: from, unverified: no manual}
  disconnect: {says: unknown, unverified: no manual}
# devices.yaml
{}
"""
