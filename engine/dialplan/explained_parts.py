"""What the codes of calendars, lookups, people, boxes, tests and switches mean (RD120 to RD199, from RD230), for
`ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD120
No place of the tz database has this name. Zones are written as places, so that they know their clock changes.
wrong:
# calendars.yaml
office: {open: [mon-fri 09:00-17:00], time_zone: Europe/Londn}
right:
# calendars.yaml
office: {open: [mon-fri 09:00-17:00], time_zone: Europe/London}

RD121
Hours are days of the week and times, as in mon-fri 09:00-17:00. A time that ends before it begins goes on past
midnight.
wrong:
# calendars.yaml
office: {open: [mon-fri 9 to 5]}
right:
# calendars.yaml
office: {open: [mon-fri 09:00-17:00]}

RD122
Not a day of the calendar: 2026-12-24, or 12-24 for every year; two with ` to ` between them are a span.
wrong:
# calendars.yaml
office:
  open: [mon-fri 09:00-17:00]
  special: {2026-02-30: closed}
right:
# calendars.yaml
office:
  open: [mon-fri 09:00-17:00]
  special: {2026-02-28: closed}

RD123
Public holidays are named by country, or by the part of it that has days of its own.
wrong:
# calendars.yaml
office: {open: [mon-fri 09:00-17:00], holidays: XX}
right:
# calendars.yaml
office: {open: [mon-fri 09:00-17:00], holidays: GB-SCT}

RD124
No calendar of calendars.yaml has this name.
wrong:
- hours: {calendar: offce, closed: bye}
# calendars.yaml
office: {open: [mon-fri 09:00-17:00]}
right:
- hours: {calendar: office, closed: bye}
# calendars.yaml
office: {open: [mon-fri 09:00-17:00]}

RD125
The shares of a split come to more than all callers, or leave nobody for a line behind them.
wrong:
- split:
    - {share: 80%, then: person}
    - {share: 40%, then: bye}
right:
- split:
    - {share: 80%, then: person}
    - else: bye

RD126
A season is tied to a period that no calendar has, so that its dialplan would never answer.
wrong:
# site.yaml
ringdown: 1
numbers:
  100:
    dialplan: main
    seasons: [{dialplan: main, during: spring}]
right:
# site.yaml
ringdown: 1
numbers:
  100:
    dialplan: main
    seasons: [{dialplan: main, from: 12-20, until: 01-06}]

RD127
Two seasons of a number are there on the same day. Let the one end before the other begins.
wrong:
# site.yaml
ringdown: 1
numbers:
  100:
    dialplan: main
    seasons:
      - {dialplan: main, from: 12-20, until: 01-06}
      - {dialplan: main, from: 12-24, until: 12-24}
right:
# site.yaml
ringdown: 1
numbers:
  100:
    dialplan: main
    seasons:
      - {dialplan: main, from: 12-20, until: 01-06}
      - {dialplan: main, from: 12-01, until: 12-19}

RD128
The variable that takes the subflow's result keeps what it had when the subflow comes back without one. End every way
of the subflow by return: VALUE.
wrong:
variables: {fine: flag = no}
flows:
  main:
    - subflow: {flow: ask, into: fine}
    - goto: check
  check:
    - when: [{if: fine, then: bye}]
    - hangup
  bye: [hangup]
  ask: [{tag: asked}]
right:
variables: {fine: flag = no}
flows:
  main:
    - subflow: {flow: ask, into: fine}
    - goto: check
  check:
    - when: [{if: fine, then: bye}]
    - hangup
  bye: [hangup]
  ask: [{return: yes}]

RD140
No lookup of lookups.yaml has this name.
wrong:
- lookup: {name: custmer, failed: person, not_found: person}
# lookups.yaml
customer: {get: https://crm.example/customer, returns: {tier: text}}
right:
- lookup: {name: customer, failed: person, not_found: person}
# lookups.yaml
customer: {get: https://crm.example/customer, returns: {tier: text}}

RD141
A lookup asks an http or https address whose host is written out; values stand behind it.
wrong:
# lookups.yaml
customer: {get: crm.example/customer, returns: {tier: text}}
right:
# lookups.yaml
customer: {get: https://crm.example/customer, returns: {tier: text}}

RD142
What stands in an address is written into the logs of servers on the way. A secret is sent in the body of a post.
wrong:
- gather: {into: pin, prompt: choose, failed: bye}
- lookup: {name: check, failed: person, not_found: person}
# lookups.yaml
check: {get: https://crm.example/check/$pin, returns: {ok: flag = no}}
right:
- gather: {into: pin, prompt: choose, failed: bye}
- lookup: {name: check, failed: person, not_found: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, returns: {ok: flag = no}}

RD143
A secret goes to this address unencrypted. Use https; certificates are verified.
wrong:
# lookups.yaml
customer: {get: http://crm.example/customer, auth: secret crm, returns: {tier: text}}
right:
# lookups.yaml
customer: {get: https://crm.example/customer, auth: secret crm, returns: {tier: text}}

RD144
The answer to a question that holds a secret would be kept, and given again when the secret has been changed.
wrong:
- gather: {into: pin, prompt: choose, failed: bye}
- lookup: {name: check, failed: person, not_found: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, cache: 5min, returns: {ok: flag = no}}
right:
- gather: {into: pin, prompt: choose, failed: bye}
- lookup: {name: check, failed: person, not_found: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, returns: {ok: flag = no}}

RD145
The lookup that verifies a PIN must be sent it, and must return a flag named ok.
wrong:
- pin: {into: pin, verify: check, prompt: choose, failed: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, returns: {right: flag = no}}
right:
- pin: {into: pin, verify: check, prompt: choose, failed: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, returns: {ok: flag = no}}

RD146
A PIN goes into a sensitive variable of digits, so that it is masked and sealed in every record.
wrong:
- pin: {into: code, verify: check, prompt: choose, failed: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $code}, returns: {ok: flag = no}}
right:
- pin: {into: pin, verify: check, prompt: choose, failed: person}
# lookups.yaml
check: {post: https://crm.example/check, send: {pin: $pin}, returns: {ok: flag = no}}

RD147
The pattern that typed digits must match is not understood.
wrong:
- gather: {into: code, regex: '[0-', prompt: choose, failed: person}
right:
- gather: {into: code, regex: '[0-4]{4}', prompt: choose, failed: person}

RD156
A recording elsewhere has an http or https address that is written out: no value of a caller's goes into it.
wrong:
- play_url: {url: 'news.example/today.mp3', failed: person}
right:
- play_url: {url: 'https://news.example/today.mp3', failed: person}

RD160
The announcement of a recording is the same for every caller: a prompt of fixed words, without values.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main}
recording: {incoming: {announce: heard}}
# prompts/en.yaml
hello: Hello.
choose: Choose now.
heard: "You called ${access.dialled as digits}."
right:
# site.yaml
ringdown: 1
numbers: {100: main}
recording: {incoming: {announce: hello}}

RD161
A key refuses the recording, and no announcement tells the caller of it.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main}
recording: {incoming: {opt_out: star}}
right:
# site.yaml
ringdown: 1
numbers: {100: main}
recording: {incoming: {announce: hello, opt_out: star}}

RD162
Only a recording of the call is announced, by record: {call: start}. Before a message, play a prompt.
wrong:
- record: {max: 1min, finish: hash, announce: hello}
right:
- play: hello
- record: {max: 1min, finish: hash}

RD163
No survey of surveys.yaml has this name.
wrong:
- survey: after_cal
# surveys.yaml
after_call:
  questions:
    solved: {prompt: choose, keys: [1, 2]}
right:
- survey: after_call
# surveys.yaml
after_call:
  questions:
    solved: {prompt: choose, keys: [1, 2]}

RD164
A transfer leads to somebody (to:) or into a queue (queue:), to one of the two.
wrong:
- transfer: {failed: bye}
right:
- transfer: {to: 200, failed: bye}

RD165
dial rings one list at a time: to:, all of it, or steps:, one after another.
wrong:
- dial: {failed: bye}
right:
- dial: {to: 200, failed: bye}

RD166
The tenant has no slots in which a caller could be parked.
wrong:
- park: {timeout: bye, full: bye}
right:
- park: {timeout: bye, full: bye}
# site.yaml
ringdown: 1
numbers: {100: main}
parking: {slots: 71-79, back: 2min}

RD180
No box of boxes.yaml has this name.
wrong:
- voicemail: frnt
# boxes.yaml
front: {hears: [200], number: 900}
right:
- voicemail: front
# boxes.yaml
front: {hears: [200], number: 900}

RD181
Nobody is told of a message in this box: no agent hears it, no mail is sent, nobody is called back.
wrong:
# boxes.yaml
front: {number: 900}
right:
# boxes.yaml
front: {hears: [200], number: 900}

RD182
Two boxes are opened by the same number, so that one of them never would be.
wrong:
# boxes.yaml
front: {hears: [200], number: 900}
back: {hears: [200], number: 900}
right:
# boxes.yaml
front: {hears: [200], number: 900}
back: {hears: [200], number: 901}

RD183
The box sends mail, and the site names no server that takes it.
wrong:
# boxes.yaml
front: {mail: [front@example.org], number: 900}
right:
# boxes.yaml
front: {mail: [front@example.org], number: 900}
# site.yaml
ringdown: 1
numbers: {100: main}
mail: {host: smtp.example.org, from: ringdown@example.org}

RD184
The mail server's password would go over the network unencrypted.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main}
mail: {host: smtp.example.org, from: r@example.org, user: r, password: secret mail, security: none}
right:
# site.yaml
ringdown: 1
numbers: {100: main}
mail: {host: smtp.example.org, from: r@example.org, user: r, password: secret mail, security: starttls}

RD185
A key of recorded_prompts names what no agent could record by phone: a prompt of this tenant, in one piece, is meant.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main}
recorded_prompts: {1: outage}
right:
# site.yaml
ringdown: 1
numbers: {100: main}
recorded_prompts: {1: hello}

RD230
A line of a test is something that is done (press, wait, agent) or that must happen (hears, queue, outcome); TESTING.md
lists them.
wrong:
# dialplans/main.test.yaml
tests:
  a caller: [{presses: 1}, {outcome: served}]
right:
# dialplans/main.test.yaml
tests:
  a caller: [{press: 1}, {outcome: served}]

RD231
The test begins like another one, and that one isn't there, never gets so far, or begins like this one.
wrong:
# dialplans/main.test.yaml
tests:
  a caller: [{as: another}, {outcome: served}]
right:
# dialplans/main.test.yaml
tests:
  another: [{press: 1}]
  a caller: [{as: another}, {outcome: served}]

RD232
In the night of a clock change this time is left out, or comes twice. Say which by its offset, or choose another.
wrong:
# dialplans/main.test.yaml
given: {at: 2026-03-29 01:30, zone: Europe/London}
right:
# dialplans/main.test.yaml
given: {at: 2026-03-29 03:30, zone: Europe/London}

RD233
What is given is of a number, an agent or a queue that the site doesn't have.
wrong:
# dialplans/main.test.yaml
given: {agents: {299: ready}}
right:
# dialplans/main.test.yaml
given: {agents: {200: ready}}

RD234
The number that the test dials is not public, and no trunk brings calls from outside to it.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main}
right:
# site.yaml
ringdown: 1
numbers: {100: {dialplan: main, public: yes}}

RD240
The recording is louder than its format can carry, so that its peaks are cut off.
wrong:
# prompts/en/hello.wav: recorded too loud
right:
# prompts/en/hello.wav: recorded again with less gain

RD241
There is a recording, and nothing can be heard in it.
wrong:
# prompts/en/hello.wav: a muted microphone
right:
# prompts/en/hello.wav: recorded again

RD242
One prompt has two recordings of different kinds, and only one of them can be heard.
wrong:
# prompts/en/hello.wav and prompts/en/hello.mp3
right:
# prompts/en/hello.wav

RD243
No step, queue or box plays this prompt any more. It may go, or a step has lost its name.
wrong:
# prompts/en.yaml
hello: Hello.
choose: Choose now.
summer: We are on holiday.
right:
# prompts/en.yaml
hello: Hello.
choose: Choose now.

RD244
The sound of what callers say is kept only by their leave and for a time. Their leave is the announcement that they
hear first, with a key to refuse (consent: announced), or something that they have agreed to elsewhere, said in a
sentence. The time is retention: utterances.
wrong:
# site.yaml
ringdown: 1
languages: [en]
recording: {incoming: {announce: hello, opt_out: star}, utterances: {consent: announced}}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
recording: {incoming: {announce: hello, opt_out: star}, utterances: {consent: announced}}
retention: {utterances: 30d}
numbers: {100: main}

RD245
The step listens for a value that is sensitive. Whatever else is kept, of such a step it is neither sound nor words.
wrong:
# site.yaml
ringdown: 1
languages: [en]
recording:
  utterances: {consent: "our contract, section 4", at: [main/code]}
retention: {utterances: 30d}
numbers: {100: main}
# dialplans/main.yaml
ringdown: 1
variables: {code: digits 4 sensitive, account: digits 8}
person: desk
flows:
  main:
    - answer
    - goto: code
  code:
    - gather: {into: code, prompt: choose, listen: [keys, speech], failed: desk}
    - goto: account
  account:
    - gather: {into: account, prompt: choose, listen: [keys, speech], failed: desk}
    - hangup
  desk:
    - play: hello
    - hangup
right:
# site.yaml
ringdown: 1
languages: [en]
recording:
  utterances: {consent: "our contract, section 4", at: [main/account]}
retention: {utterances: 30d}
numbers: {100: main}
# dialplans/main.yaml
ringdown: 1
variables: {code: digits 4 sensitive, account: digits 8}
person: desk
flows:
  main:
    - answer
    - goto: code
  code:
    - gather: {into: code, prompt: choose, listen: [keys, speech], failed: desk}
    - goto: account
  account:
    - gather: {into: account, prompt: choose, listen: [keys, speech], failed: desk}
    - hangup
  desk:
    - play: hello
    - hangup

RD246
Utterances are kept at a dialplan, a flow or a step that listens to words, written front, front/choose or as the records
name the step.
wrong:
# site.yaml
ringdown: 1
languages: [en]
recording:
  utterances: {consent: "our contract, section 4", at: [main/nowhere]}
retention: {utterances: 30d}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
recording: {utterances: {consent: "our contract, section 4"}}
retention: {utterances: 30d}
numbers: {100: main}

RD260
An agent may switch a notice or a calendar by his phone, and no notice or calendar has this name, or both have.
wrong:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front, switches: [offce]}
# calendars.yaml
office: {open: [mon-fri 09:00-17:00]}
right:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front, switches: [office]}
# calendars.yaml
office: {open: [mon-fri 09:00-17:00]}
"""
