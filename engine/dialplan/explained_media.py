"""What the codes of encrypted media mean (RD345 to RD349), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD345
SRTP's keys are written into the SIP messages (RFC 4568). Over UDP and TCP everybody on the way reads them there, so
the call is encrypted against those only who see its media and not its signalling. `srtp: optional` says that this is
meant, as does a tunnel between you and the trunk with a waiver of this warning.
wrong:
# trunks.yaml
carrier: {host: sip.example.net, srtp: required}
right:
# trunks.yaml
carrier: {host: sip.example.net, srtp: optional}
"""
