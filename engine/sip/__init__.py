"""SIP rules with no I/O (RFC 3261 and friends).

`Endpoint` is the whole stack as one object: bytes and `now_ms` in, `Send`s and events out, deadlines by
`next_deadline()`. Below it lie the message (syntax), the four transaction tables, the dialog, and the
INVITE usage (`session`); beside it the registrar. Nothing here knows what a call, a queue or an agent is.
"""
