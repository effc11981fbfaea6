"""What the codes of names, ways and types mean (RD030 to RD079), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD030
There is no such verb. A step is a bare word or a mapping with one key, the verb; LANGUAGE.md section 4 lists
them.
wrong:
- plays: hello
right:
- play: hello

RD031
No flow has this name. Flows of the same file are named as they are, those of another file of the tenant as
file.flow. Names are never computed.
wrong:
- goto: persn
right:
- goto: person

RD032
No queue of queues.yaml has this name, and none that another tenant lends.
wrong:
- queue: {name: suport, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}

RD033
No text and no recording has this name, neither the tenant's own nor the stock one.
wrong:
- play: helo
right:
- play: hello

RD034
The variable is not declared under variables:. Each has a type, so that a mistake is found before a caller finds
it.
wrong:
- tag: code $kode
right:
- tag: code $code

RD035
Neither an agent's number, nor an outside number that outbound.yaml takes to a trunk, nor a sip: address.
wrong:
- dial: {to: 299, failed: bye}
right:
- dial: {to: 200, failed: bye}

RD036
The trunk is not in trunks.yaml, or a number that an agent is reached by has no rule in outbound.yaml that leads
to a trunk with a host.
wrong:
# outbound.yaml
0.: carier
right:
# outbound.yaml
0.: carrier

RD037
No list under waits: has this name, so that the caller would hear the queue's own music only.
wrong:
- queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, full: bye, no_agents: bye, timeout: bye}

RD038
A number leads to a dialplan that isn't there: dialplans/NAME.yaml of this tenant, or tenant/NAME.
wrong:
# site.yaml
ringdown: 1
numbers: {100: mian}
right:
# site.yaml
ringdown: 1
numbers: {100: main}

RD039
The language is not among languages: of the site (or of this dialplan), so that nothing is there to be heard in
it.
wrong:
- language: fr
right:
- language: en

RD040
No agent and no queue has this skill, so that nobody would ever fit.
wrong:
- queue: {name: support, needs: {powr: 2}, full: bye, no_agents: bye, timeout: bye}
right:
- queue: {name: support, needs: {power: 2}, full: bye, no_agents: bye, timeout: bye}

RD041
No folder under tenants/ has this name.
wrong:
# site.yaml
ringdown: 1
numbers: {98668: pres/orders}
right:
# site.yaml
ringdown: 1
numbers: {100: main}

RD042
There is no fact of this name. Facts tell of the call (access.caller, call.language) and, in a wait list, of the
queue; LANGUAGE.md section 5 lists them.
wrong:
- when:
    - if: access.callr = '100'
      then: person
right:
- when:
    - if: access.caller = '100'
      then: person

RD043
No agent is of this team.
wrong:
# outbound.yaml
0.: {trunk: carrier, teams: [frnt]}
right:
# outbound.yaml
0.: {trunk: carrier, teams: [front]}

RD048
The queue calls nobody back, or not the numbers that callers type: queues.yaml must say whom it may call.
wrong:
- callback: {queue: support, failed: bye}
right:
# queues.yaml
support:
  callback: {allow: ['0']}

RD050
No step and no number leads to this flow. Either a branch names another flow by mistake, or the flow is left
over.
wrong:
flows:
  main: [answer, hangup]
  old: [hangup]
right:
flows:
  main: [answer, hangup]

RD051
The steps lead in a circle on which the caller is never asked anything, or only gives no answer. The engine
stops such a call after 1,000 steps and sends it to rescue:. End the circle after some tries, or take a key on
the way.
wrong:
flows:
  main:
    - answer
    - play: hello
    - goto: main
right:
flows:
  main:
    - answer
    - menu: {prompt: choose, choices: {1: main}, failed: bye}
  bye:
    - hangup: served

RD052
A verb that can end badly must say what happens then: a menu when nobody answers it, a queue that is full. There
is no default that would be right for your callers.
wrong:
- menu: {prompt: choose, choices: {1: person}}
right:
- menu: {prompt: choose, choices: {1: person}, failed: bye}

RD053
Behind this step nothing follows, and the flow is not a subflow that comes back. Silence would be the end of the
call.
wrong:
flows:
  main:
    - answer
    - play: hello
right:
flows:
  main:
    - answer
    - play: hello
    - hangup: served

RD054
The step before this one never falls through (goto, hangup, a menu all of whose ways lead elsewhere), so that no
caller gets here.
wrong:
flows:
  main: [answer, {goto: bye}, {play: hello}]
  bye: [hangup]
right:
flows:
  main: [answer, {play: hello}, {goto: bye}]
  bye: [hangup]

RD055
Before the call is answered the caller hears his own phone company, not you. Answer first.
wrong:
flows:
  main:
    - play: hello
    - hangup
right:
flows:
  main:
    - answer
    - play: hello
    - hangup

RD056
A call that has been answered cannot be refused by a SIP status any more.
wrong:
- reject: 486
right:
- hangup: served

RD057
Lists inside branches nest at most three deep; what is deeper is given a name under flows:, so that a path can
be read.
wrong:
- when:
    - if: tier = gold
      then:
        - when:
            - if: count = 1
              then:
                - when:
                    - if: count = 2
                      then:
                        - when:
                            - if: count = 3
                              then:
                                - play: hello
right:
- when:
    - if: tier = gold
      then: person

RD058
A subflow is entered again before it has come back, so that the call would go deeper and deeper. Use goto for a
loop.
wrong:
flows:
  main: [{subflow: ask}, hangup]
  ask: [{subflow: ask}, return]
right:
flows:
  main: [{subflow: ask}, hangup]
  ask: [{tag: asked}, return]

RD059
return comes back from a subflow. This flow is entered by a number or by goto, and has nowhere to return to.
wrong:
flows:
  main: [answer, return]
right:
flows:
  main: [answer, hangup]

RD060
The verb cannot stand here: a wait list holds what a caller may hear while he waits, finally: what runs when
nobody is on the line.
wrong:
finally: end
flows:
  main: [answer, hangup]
  end: [{play: goodbye}]
right:
finally: end
flows:
  main: [answer, hangup]
  end: [{tag: over}]

RD061
One choice begins another. After the shorter the engine would have to wait for what never comes, or the longer
would never be reached. Use keys of one length.
wrong:
- menu: {prompt: choose, choices: {1: person, 12: bye}, failed: bye}
right:
- menu: {prompt: choose, choices: {1: person, 2: bye}, failed: bye}

RD062
The same key has two meanings at the same time, so that one of them would never be reached.
wrong:
always: {star: main, '*': main}
right:
always: {star: main}

RD063
A phone has the keys 0 to 9, star and hash. Several digits (21) are one choice.
wrong:
- menu: {prompt: choose, choices: {pound: person}, failed: bye}
right:
- menu: {prompt: choose, choices: {hash: person}, failed: bye}

RD070
A value of one type stands where another is needed. Digits are text that happens to be typed: 0042 is not 42.
wrong:
- set: {count: code}
right:
- set: {count: count + 1}

RD071
The expression is not understood. Its signs are = != < <= > >= in and or not + - * and parentheses; texts stand
in ' ', names are bare.
wrong:
- when:
    - if: count == 1
      then: person
right:
- when:
    - if: count = 1
      then: person

RD072
On some way to this step nobody has set the variable. Give it a default, or test known(NAME) first.
wrong:
- tag: code $code
right:
- gather: {into: code, prompt: choose, failed: bye}
- tag: code $code

RD073
The type of the variable is not understood; LANGUAGE.md section 5 lists them.
wrong:
variables: {due: dat}
right:
variables: {due: text}

RD074
Keys are digits, which the variable that they shall go into cannot hold.
wrong:
- gather: {into: tier, prompt: choose, failed: bye}
right:
- gather: {into: code, prompt: choose, failed: bye}

RD075
The lengths that gather asks for don't fit together, or don't fit the variable, so that no caller could enter
what is wanted.
wrong:
- gather: {into: code, exact: 6, prompt: choose, failed: bye}
right:
- gather: {into: code, exact: 4, prompt: choose, failed: bye}

RD076
switch doesn't name every value and has no else:, so that a caller with another value would fall through.
wrong:
- switch: {value: tier, cases: {gold: person}}
right:
- switch: {value: tier, cases: {gold: person}, else: bye}

RD077
Names of flows, queues and prompts are literal, so that every path can be checked, drawn and tested. To choose,
use switch or when.
wrong:
- goto: $code
right:
- switch: {value: code, cases: {'1234': person}, else: bye}

RD078
No words are known for a value of this type. Say what it shall be spoken as, or put it into another type.
wrong:
- say: $tier
right:
- say: hello

RD079
A sensitive value would be spoken, stored, dialled, or copied into a variable that is not sensitive and may be.
What is sensitive stays so: declare the other variable sensitive too, or keep only whether it is right (a flag).
wrong:
- gather: {into: pin, prompt: choose, failed: bye}
- tag: pin $pin
right:
- gather: {into: pin, prompt: choose, failed: bye}
- tag: pin entered
"""
