"""What the codes of numbers and ways out mean (RD360 to RD386), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD360
A country whose numbering isn't known here. It is written with the two letters of ISO 3166; for another country write
the numbers of the trunk as E.164 and name the country that is nearest by its rules.
wrong:
# trunks.yaml
carrier: {host: sip.example.net, numbers: {country: uk}}
right:
# trunks.yaml
carrier: {host: sip.example.net, numbers: {country: gb}}

RD361
Agents can dial out here, and nothing says which trunk carries an emergency call, from where, and which number calls
back. `ringdown check` refuses such a site; one that runs already goes on, with a warning in its log.
wrong:
# outbound.yaml
0.: carrier
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
emergency:
  country: de
  trunks: [carrier]
  call_back: '+493022334455'
  location: {country: DE, A3: Berlin, RD: Chausseestraße, HNO: '1'}

RD362
An emergency number comes before every other, so nobody would reach the agent or dialplan that has the same.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {112: main}
emergency:
  country: de
  trunks: [carrier]
  location: {country: DE, A3: Berlin, RD: Chausseestraße, HNO: '1'}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
emergency:
  country: de
  trunks: [carrier]
  location: {country: DE, A3: Berlin, RD: Chausseestraße, HNO: '1'}

RD363
An agent's class says what he may dial outside; it stands under classes: of site.yaml or of his tenant.
wrong:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front, class: abroad}
right:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front}

RD364
A box that registers with us is known, called and asked where it has registered from. An address beside that would be
another place, and calls would go to one and come from the other.
wrong:
# trunks.yaml
attic: {register: accept, account: attic, password: secret attic, host: 192.0.2.7}
right:
# trunks.yaml
attic: {register: accept, account: attic, password: secret attic}

RD365
What a box or phone registers as says whose calls come from there: one trunk's, or one agent's.
wrong:
# trunks.yaml
attic: {register: accept, account: 200, password: secret attic}
right:
# trunks.yaml
attic: {register: accept, account: attic, password: secret attic}

RD368
gate: listeners: names an address on which nothing listens here, so its list would hold for nobody. Write it as it
stands under listen:.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
listen: ['udp:127.0.0.1:5060']
gate:
  listeners:
    'udp:127.0.0.1:5061': {allow: [127.0.0.0/8]}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
listen: ['udp:127.0.0.1:5060']
gate:
  listeners:
    'udp:127.0.0.1:5060': {allow: [127.0.0.0/8]}

RD369
The same network is allowed and denied. Of two networks that hold an address the longer one decides, so a small one may
be denied within a large one that is allowed, or the other way round; of two that are as long neither could.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
gate: {allow: [192.0.2.0/24], deny: [192.0.2.0/24]}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
gate: {allow: [192.0.2.0/24], deny: [192.0.2.128/25]}

RD370
A rule under fraud: has to: and says what for, but no limit: nobody would be told and nothing refused.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
fraud:
  premium: {to: ['+4490.']}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
fraud:
  premium: {to: ['+4490.'], calls_per_minute: {warn: 2, stop: 4}}

RD371
Calls would be refused before anybody is told that there are many.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
fraud:
  premium: {to: ['+4490.'], calls_per_minute: {warn: 5, stop: 2}}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
fraud:
  premium: {to: ['+4490.'], calls_per_minute: {warn: 2, stop: 5}}

RD372
Agents' programs give their commands over this broker, and show it their passwords. Without TLS whoever listens on the
way can command in their place.
wrong:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
bus: {broker: mqtt.example.net, agents: yes}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
bus: {broker: mqtt.example.net, tls: yes, agents: yes}

RD386
An agent and a trunk name an office of offices: in site.yaml, which says its latency and cost.
wrong:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front, office: sofia}
right:
# site.yaml
ringdown: 1
languages: [en]
numbers: {100: main}
offices:
  sofia: {latency: 45ms, cost: 2}
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front, office: sofia}
"""
