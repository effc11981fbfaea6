"""What the codes of calendars, lookups, messages, tests and versions mean (RD120 to RD199, from RD230), for `ringdown
check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD120
No place of the tz database has this name. Zones are written as places, Europe/London, so that they know their
clock changes.
wrong:
# calendars.yaml
office: {time_zone: Europe/Londn, weekly: {mon-fri: 09:00-17:00}}
right:
# calendars.yaml
office: {time_zone: Europe/London, weekly: {mon-fri: 09:00-17:00}}

RD121
Hours are spans of a day, 09:00-12:00; one that ends before it begins goes on past midnight.
wrong:
# calendars.yaml
office: {weekly: {mon-fri: 9 to 5}}
right:
# calendars.yaml
office: {weekly: {mon-fri: 09:00-17:00}}

RD122
Not a day that the calendar can know: a date is written 2026-12-24, a weekday mon to sun.
wrong:
# calendars.yaml
office: {weekly: {monday-fri: 09:00-17:00}}
right:
# calendars.yaml
office: {weekly: {mon-fri: 09:00-17:00}}

RD123
Public holidays are named by country, and by its part where it has its own.
wrong:
# calendars.yaml
office: {weekly: {mon-fri: 09:00-17:00}, holidays: ZZ}
right:
# calendars.yaml
office: {weekly: {mon-fri: 09:00-17:00}, holidays: GB}

RD124
No calendar of calendars.yaml has this name.
wrong:
- hours: {calendar: offce, closed: bye}
right:
- hours: {calendar: office, closed: bye}

RD125
The shares of a split add up to more than all callers, or one of them is none.
wrong:
- split:
    - {share: 80%, then: person}
    - {share: 40%, then: bye}
right:
- split:
    - {share: 80%, then: person}
    - else: bye

RD140
No lookup of lookups.yaml has this name.
wrong:
- lookup: {name: custmer, failed: person}
right:
- lookup: {name: customer, failed: person}

RD141
A lookup goes to an http or https address.
wrong:
# lookups.yaml
customer: {get: crm.example/customers}
right:
# lookups.yaml
customer: {get: 'https://crm.example/customers'}

RD142
What stands in an address is written into logs of servers on the way. A sensitive value is sent in the body.
wrong:
# lookups.yaml
customer: {get: 'https://crm.example/check?pin=$pin'}
right:
# lookups.yaml
customer: {post: 'https://crm.example/check', send: {pin: $pin}}

RD143
The lookup is not encrypted on its way. Use https, or keep both ends on one machine.
wrong:
# lookups.yaml
customer: {get: 'http://crm.example/customers'}
right:
# lookups.yaml
customer: {get: 'https://crm.example/customers'}

RD144
The answer to a question that holds a secret would be kept and given again after the secret was changed. Such
lookups have no cache.
wrong:
# lookups.yaml
check: {post: 'https://crm.example/check', send: {pin: $pin}, cache: 5min}
right:
# lookups.yaml
check: {post: 'https://crm.example/check', send: {pin: $pin}}

RD145
The lookup that a pin step asks must return whether it is right.
wrong:
- pin: {into: pin, verify: customer, failed: person}
right:
- pin: {into: pin, verify: check_pin, failed: person}

RD146
What is typed as a PIN goes into a sensitive variable, so that it is masked in every record.
wrong:
variables: {secret: digits 4}
right:
variables: {secret: digits 4 sensitive}

RD147
The pattern that typed digits must fit is not understood.
wrong:
- gather: {into: code, pattern: '[0-', prompt: choose, failed: person}
right:
- gather: {into: code, pattern: '[0-9]+', prompt: choose, failed: person}

RD160
An announcement of a recording is the same for every caller: it holds no values.
wrong:
# queues.yaml
support: {record: {announce: heard_code}}
right:
# queues.yaml
support: {record: {announce: recorded}}

RD161
A key refuses the recording, and no announcement tells the caller of it.
wrong:
# queues.yaml
support: {record: {opt_out: 9}}
right:
# queues.yaml
support: {record: {opt_out: 9, announce: recorded}}

RD162
The announcement stands where no call hears it.
wrong:
# queues.yaml
support: {record: {when: never, announce: recorded}}
right:
# queues.yaml
support: {record: {announce: recorded}}

RD180
No box of boxes.yaml has this name.
wrong:
- voicemail: {box: offce}
right:
- voicemail: {box: office}

RD181
Nobody is told of messages in this box: no lamp, no mail, no callback.
wrong:
# boxes.yaml
office: {greeting: leave_message}
right:
# boxes.yaml
office: {greeting: leave_message, persons: [200]}

RD182
Two boxes have the same number, so that only one could be opened by phone.
wrong:
# boxes.yaml
office: {number: 1}
night: {number: 1}
right:
# boxes.yaml
office: {number: 1}
night: {number: 2}

RD183
A box sends mail, and the site names no server that takes it.
wrong:
# boxes.yaml
office: {mail: [office@example.net]}
right:
# site.yaml
ringdown: 1
mail: {host: mail.example.net, from: phone@example.net}

RD184
The password of the mail server would go over the network unencrypted.
wrong:
# site.yaml
ringdown: 1
mail: {host: mail.example.net, tls: no, user: x, auth: secret mail}
right:
# site.yaml
ringdown: 1
mail: {host: mail.example.net, tls: yes, user: x, auth: secret mail}

RD230
A line of a test is something that a caller does (press, say, wait) or that must happen (hears, queue, outcome).
wrong:
# dialplans/main.test.yaml
menu: [presses: 1]
right:
# dialplans/main.test.yaml
menu: [press: 1]

RD231
The test goes on where its call cannot: behind a hang-up, or in another branch.
wrong:
# dialplans/main.test.yaml
over: [outcome: served, press: 1]
right:
# dialplans/main.test.yaml
over: [press: 1, outcome: served]

RD232
At a clock change this time doesn't exist, or exists twice. Say which by its offset, or choose another.
wrong:
# dialplans/main.test.yaml
given: {clock: 2026-03-29 01:30}
right:
# dialplans/main.test.yaml
given: {clock: 2026-03-29 03:30}

RD233
The test gives a value to something that the site doesn't have.
wrong:
# dialplans/main.test.yaml
given: {agents: {299: ready}}
right:
# dialplans/main.test.yaml
given: {agents: {200: ready}}

RD234
The number that the test dials is not one that a caller from outside can reach.
wrong:
# dialplans/main.test.yaml
given: {dialled: 999}
right:
# dialplans/main.test.yaml
given: {dialled: 100}

RD260
A phone code names a calendar or a notice that isn't there.
wrong:
# site.yaml
ringdown: 1
switches: {offce: 1}
right:
# site.yaml
ringdown: 1
switches: {office: 1}
"""
