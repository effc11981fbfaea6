"""What the codes of TLS mean (RD340 to RD344), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD340
Who listens with TLS shows a certificate. Its file, and that of its private key, are named under tls.
wrong:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
numbers: {100: main}
right:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/sip.key}
numbers: {100: main}

RD341
A file under tls is missing, can't be read, holds no certificate or no key, or the key belongs to another certificate.
Files are PEM, seen from the site's folder unless they begin with a slash; the certificate's file holds it first, then
those that signed it.
wrong:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/other.key}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/sip.key}
numbers: {100: main}

RD342
The certificate is over, not valid yet, or over within fourteen days. Phones and trunks that look at it refuse to
connect. Put a new one into the same files: a running engine takes it by itself, and no call notices.
wrong:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/of-last-year.pem, key: tls/sip.key}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/sip.key}
numbers: {100: main}

RD343
Phones connect to the name or address under advertise or domain, and compare it with those in the certificate (its
subject alternative names, RFC 5922). A certificate for others is refused by every phone that looks.
wrong:
# site.yaml
ringdown: 1
advertise: sip.example.net
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/www.example.org.pem}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
advertise: sip.example.net
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.example.net.pem}
numbers: {100: main}

RD344
Everybody on this machine can read the private key, and could play the engine. Its file belongs to the engine's user
alone: chmod 600.
wrong:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/readable-by-all.key}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
listen: ['udp:127.0.0.1:5060', 'tls:127.0.0.1:5061']
tls: {certificate: tls/sip.pem, key: tls/sip.key}
numbers: {100: main}
"""
