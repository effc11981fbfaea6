"""What the codes of recognisers mean (RD320 to RD329), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD320
Two recognisers are known by a word: embedded, the one that comes with the engine, and none, which leaves callers to
their keys. Others are a folder of the site's own, or remote addresses.
wrong:
# site.yaml
ringdown: 1
languages: [en]
speech: {en: vosk}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
speech: {en: embedded}
numbers: {100: main}

RD321
The engine comes with models for a few languages. For another one, name a folder with a vosk model, or a server that
has one.
wrong:
# site.yaml
ringdown: 1
languages: [en, fr]
speech: {fr: embedded}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en, fr]
speech: {fr: {folder: /srv/vosk/fr}}
numbers: {100: main}

RD322
A recogniser is named for a language that nobody is spoken to in, so that it would never hear anybody.
wrong:
# site.yaml
ringdown: 1
languages: [en]
speech: {de: {folder: /srv/vosk/de}}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en, de]
speech: {de: {folder: /srv/vosk/de}}
numbers: {100: main}

RD323
A remote recogniser speaks vosk-server's protocol over a WebSocket: its address begins with ws:// or wss://.
wrong:
# site.yaml
ringdown: 1
languages: [en]
speech: {en: {remote: ["http://10.0.0.5"]}}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
speech: {en: {remote: ["ws://10.0.0.5:2700"]}}
numbers: {100: main}

RD324
The folder is not there, lacks files of a model, or the model in it is broken: the library was asked to load it, in a
process of its own. Or a file of the engine's own model is not what came with it. On this machine nobody would be
understood in this language.
wrong:
# site.yaml, where /srv/vosk/de is empty
speech: {de: {folder: /srv/vosk/de}}
right:
# site.yaml, with am, conf and graph of a model in the folder
speech: {de: {folder: /srv/vosk/de}}

RD325
When no address of the remote recogniser answers, callers are left to their keys, because the engine has no model of
its own for this language.
wrong:
# site.yaml
ringdown: 1
languages: [en, fr]
speech: {fr: {remote: ["ws://10.0.0.5:2700"]}}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en, fr]
speech: {fr: {remote: ["ws://10.0.0.5:2700"], folder: /srv/vosk/fr}}
numbers: {100: main}
"""
