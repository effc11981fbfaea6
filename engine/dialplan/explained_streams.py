"""What the codes of bots mean (from RD300), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD300
A bot has a ws or wss address that is written out: no value of a caller's goes into it. What the bot is to know of the
call stands under send.
wrong:
- stream: {url: 'https://bot.example/calls', secret: travel, person: person, failed: person}
right:
- stream: {url: 'wss://bot.example/calls', secret: travel, person: person, failed: person}

RD301
Without TLS whoever listens on the network hears the caller, reads the secret, and could play the bot. Only a bot on
this machine may be spoken to in clear.
wrong:
- stream: {url: 'ws://bot.example/calls', secret: travel, person: person, failed: person}
right:
- stream: {url: 'wss://bot.example/calls', secret: travel, person: person, failed: person}

RD302
A bot is shown a secret, so that it serves nobody else. Its name stands here, the secret itself in the data folder.
wrong:
- stream: {url: 'wss://bot.example/calls', secret: 'my pass word', person: person, failed: person}
right:
- stream: {url: 'wss://bot.example/calls', secret: travel, person: person, failed: person}

RD303
A fork listens beside the call: the dialplan goes on at once, and nothing that becomes of the bot changes the way.
wrong:
- stream: {url: 'wss://bot.example/calls', secret: travel, fork: both, failed: person}
right:
- stream: {url: 'wss://bot.example/calls', secret: travel, fork: both}

RD304
A caller whom a bot does not understand must be able to reach somebody: person names the flow to which the key 0 and the
bot's own wish lead.
wrong:
- stream: {url: 'wss://bot.example/calls', secret: travel, failed: person}
right:
- stream: {url: 'wss://bot.example/calls', secret: travel, person: person, failed: person}
"""
