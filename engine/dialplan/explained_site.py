"""What the codes of sites, queues, advice and waivers mean (RD080 to RD119, RD200 to RD229), for `ringdown check
--explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD080
Passwords are never written in a site's files, which are copied, mailed and kept in version control. Agents' are
generated; a trunk names its secret, which lies in the data folder, sealed. `ringdown secret move --site DIR` takes
those of trunks, lookups, mail and broker out of the files.
wrong:
# trunks.yaml
carrier: {host: sip.example.net, user: x, password: word}
right:
# trunks.yaml
carrier: {host: sip.example.net, user: x, auth: secret carrier}

RD081
There is no such strategy; LANGUAGE.md lists them with who is asked by each.
wrong:
# queues.yaml
support: {strategy: longest-idle}
right:
# queues.yaml
support: {strategy: longest-idle-agent}

RD082
Not a number that can be dialled, or not a pattern: digits, x for one digit, a final dot for any rest.
wrong:
# outbound.yaml
0-9: carrier
right:
# outbound.yaml
0.: carrier

RD083
Realm and domain say which tenant a phone belongs to, so no two tenants may have the same.
wrong:
# tenants/press/tenant.yaml
realm: ringdown
right:
# tenants/press/tenant.yaml
realm: press.example

RD084
The number belongs to an agent and to a dialplan. A call could only go to one of them.
wrong:
# site.yaml
ringdown: 1
numbers: {100: main, 200: main}
right:
# site.yaml
ringdown: 1
numbers: {100: main}

RD085
A call is refused by a SIP status from 400 up that means a refusal: 486 busy, 480 not there, 404 unknown, 603
declined.
wrong:
flows:
  main: [{reject: 200}]
right:
flows:
  main: [{reject: 486}]

RD086
Not an address, host or network. Networks are written 192.0.2.0/24.
wrong:
# trunks.yaml
carrier: {host: sip.example.net, addresses: [192.0.2.0/99]}
right:
# trunks.yaml
carrier: {host: sip.example.net, addresses: [192.0.2.0/24]}

RD087
One feature code begins another, so that the longer could never be dialled to its end.
wrong:
# site.yaml
ringdown: 1
codes: {login: '*50', logout: '*501'}
right:
# site.yaml
ringdown: 1
codes: {login: '*50', logout: '*51'}

RD088
An earlier line of outbound.yaml takes every number that this one could. The first that matches counts.
wrong:
# outbound.yaml
0.: carrier
00.: carrier
+.: carrier
right:
# outbound.yaml
00.: carrier
0.: carrier
+.: carrier

RD090
The words exist in one language only, so that callers of the other hear it. Add the name to the other
prompts/LANGUAGE.yaml.
wrong:
# site.yaml
ringdown: 1
languages: [en, zh]
right:
# site.yaml
ringdown: 1
languages: [en]

RD091
There are words and no recording, and the engine cannot speak while it runs. Let the builder speak them, or put
your own WAV there.
wrong:
- say: Good morning.
right:
- play: hello

RD092
The text is not what was recorded; callers hear the old words. Record it again, or let the builder do it.
wrong:
# prompts/en.yaml: the text has changed, prompts/en/hello.wav has not
hello: Good morning.
right:
# prompts/en.yaml: recorded again by ringdown prompts build, which notes the text in the manifest
hello: Good morning.

RD093
The recording cannot be played: not a WAV, empty, or of a kind that is not known. Save it as 16-bit PCM.
wrong:
# prompts/en/hello.wav: an MP3 that was renamed
right:
# prompts/en/hello.wav: RIFF/WAVE, 16-bit PCM, mono

RD094
The variable is declared and never read. Either something reads another one by mistake, or it is left over.
wrong:
variables: {old: text}
right:
about: a plan

RD101
No agent of the queue has all the skills at these levels, so that the caller would wait for nobody.
wrong:
- queue: {name: support, needs: {power: 9}, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, needs: {power: 2}, full: bye, no_agents: bye, timeout: bye}

RD102
The rule stands where it can never apply: a step of needs that is as strict as the one before, an agent to
prefer who isn't in the queue.
wrong:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front}
201: {name: Ben}
# and in the step: prefer: 201, prefer_for: 45s
right:
# agents.yaml
200: {name: Ana, queues: [support], skills: {power: 2}, team: front}
201: {name: Ben, queues: [support]}

RD103
A certificate ends within the month; from then on the agent is not asked for calls that need the skill.
wrong:
# agents.yaml, in March 2027
200: {name: Ana, skills: {gas: {level: 4, certified_by: Gas Safe, valid_until: 2027-03-31}}}
right:
# agents.yaml, renewed
200: {name: Ana, skills: {gas: {level: 4, certified_by: Gas Safe, valid_until: 2028-03-31}}}

RD104
A certificate has ended: the agent is not asked any more for calls that need the skill.
wrong:
# agents.yaml, in April 2027
200: {name: Ana, skills: {gas: {level: 4, certified_by: Gas Safe, valid_until: 2027-03-31}}}
right:
# agents.yaml, renewed
200: {name: Ana, skills: {gas: {level: 4, certified_by: Gas Safe, valid_until: 2028-03-31}}}

RD110
Overflow leads from queue to queue and back to the first, so that a caller could be sent round for ever.
wrong:
# queues.yaml
support:
  skills: [power]
  overflow:
    - {if: waited > 1min, queue: sales}
sales:
  overflow:
    - {if: waited > 1min, queue: support}
right:
# queues.yaml
support:
  skills: [power]
  overflow:
    - {if: waited > 1min, outcome: timeout}

RD111
The queue that callers overflow into has no agents.
wrong:
# queues.yaml
support:
  skills: [power]
  overflow:
    - {if: waited > 1min, queue: sales}
sales: {ring: 20s}
right:
# queues.yaml
support:
  skills: [power]
  overflow:
    - {if: waited > 1min, outcome: timeout}

RD112
was: names a queue that still exists, or two queues claim the same old name. Logins, callers and figures of the
old one could not be given to one new one.
wrong:
# queues.yaml
support: {skills: [power], was: sales}
sales: {ring: 20s}
right:
# queues.yaml
support: {skills: [power], was: sales}

RD113
A wait list begins again at its end. If nothing in it takes time it would run round without a sound.
wrong:
flows:
  main:
    - answer
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
    - goto: bye
  bye: [hangup]
waits:
  hold: [{tag: waits}]
right:
flows:
  main:
    - answer
    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
    - goto: bye
  bye: [hangup]
waits:
  hold: [{music: 40s}]

RD114
Sharing a queue needs both sides: the owner's tenant.yaml lends it, the other's borrows it. The owner's side is
missing.
wrong:
# tenants/press/tenant.yaml
borrows: {queues: [default/support]}
right:
# site.yaml
ringdown: 1
lends: {queues: {support: [press]}}

RD115
A queue is lent to a tenant whose tenant.yaml doesn't borrow it, so that nothing comes of it.
wrong:
# site.yaml
ringdown: 1
lends: {queues: {support: [press]}}
right:
# tenants/press/tenant.yaml
borrows: {queues: [default/support]}

RD200
This menu (or gather) asks the caller something, and whatever he answers, no queue, agent, callback or voicemail
lies on the way. Callers press 0 or hang up angry; give them a person, best by always:.
wrong:
- menu: {prompt: choose, choices: {1: main, star: again}, failed: bye}
right:
- menu: {prompt: choose, choices: {1: main, star: again}, failed: person}

RD201
Nothing ends this wait but the caller. A queue without max_wait keeps him for four hours; music and silence
without a time last until he hangs up. A key of the wait list that leads out of the queue, or an overflow by the
time waited, counts as an end.
wrong:
- music
right:
- music: 40s

RD202
Where it is closed, the call ends before the caller has heard anything, so that he tries again and again. Say
when you open, or take a message.
wrong:
- queue: {name: support, closed: shut, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, closed: bye, full: bye, no_agents: bye, timeout: bye}

RD203
On the shortest way here the caller has already been given to as many people as transfers: {people} allows, so
that this queue would refuse him. Name the way over_budget:, or raise the number.
wrong:
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}

RD210
allow: names a code that doesn't exist, a code that is an error (with one the site doesn't run), or a flow that
isn't in the file.
wrong:
allow: {RD055: they hear it anyway}
right:
about: a plan

RD211
A waiver without words is a mistake that nobody can judge later. Say why it is right here.
wrong:
allow: {RD201: '-'}
flows:
  main: [answer, music]
right:
allow: {RD201: the line is there to listen to}
flows:
  main: [answer, music]

RD212
Nothing gives this finding any more. Left standing, the waiver would hide the next mistake of its kind.
wrong:
allow: {RD201: the line is there to listen to}
right:
about: a plan
"""
