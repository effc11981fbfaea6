"""What the codes of speech mean (RD280 to RD299), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD280
A phrase is words, (one|or another), [words that may be left out] and $slot. Quote a phrase that begins with a
bracket, as YAML would read it as a list.
wrong:
phrases: {person: [the front desk], bye: ["(good bye"]}
person: person
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup]
  bye: [hangup]
right:
phrases: {person: [the front desk], bye: ["(good|bye) bye"]}
person: person
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup]
  bye: [hangup]

RD281
The same words lead to two places. A recogniser could only guess which was meant.
wrong:
phrases: {person: ["[the] front desk"], bye: [front desk]}
person: person
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup]
  bye: [hangup]
right:
phrases: {person: ["[the] front desk"], bye: [good bye]}
person: person
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: person, 2: bye}, failed: bye}
  person: [hangup]
  bye: [hangup]

RD282
The menu listens to words, but none lead to this choice. Its words stand under phrases: at the top, under the name of
the flow that it leads to; or under phrases: of the menu, under its key.
wrong:
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]
right:
phrases: {bye: [good bye]}
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]

RD283
Wherever a caller may speak, "agent" and "operator", and the key 0, lead to a person. Say to whom: person: FLOW at the
top of the dialplan or at the step (always: {0: FLOW} counts too). Where there is nobody, say why.
wrong:
phrases: {bye: [good bye]}
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]
right:
phrases: {bye: [good bye]}
person: {none: the line only tells the time}
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]

RD284
Values of this type have no words that a recogniser knows.
wrong:
person: bye
variables: {wanted: duration}
flows:
  main:
    - answer
    - gather: {into: wanted, prompt: hello, listen: [keys, speech], failed: bye}
    - hangup: served
  bye: [hangup]
right:
person: bye
variables: {wanted: time}
flows:
  main:
    - answer
    - gather: {into: wanted, prompt: hello, listen: [keys, speech], failed: bye}
    - hangup: served
  bye: [hangup]

RD285
A slot of an ask that the caller leaves out is asked for by its own question.
wrong:
person: bye
variables: {day: date}
flows:
  main:
    - answer
    - ask:
        prompt: hello
        listen: [keys, speech]
        slots: {day: {tries: 2}}
        failed: bye
    - hangup: served
  bye: [hangup]
right:
person: bye
variables: {day: date}
flows:
  main:
    - answer
    - ask:
        prompt: hello
        listen: [keys, speech]
        slots: {day: {prompt: choose}}
        failed: bye
    - hangup: served
  bye: [hangup]

RD286
Behind $ in a phrase stands a value that is said there. A choice of a menu has none.
wrong:
phrases: {bye: [good bye $name]}
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]
right:
phrases: {bye: [good bye]}
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], choices: {1: bye}, failed: bye}
  bye: [hangup]

RD289
This option is for steps that listen to words.
wrong:
- menu: {prompt: hello, no_match: hello, choices: {1: person}, failed: bye}
right:
- menu: {prompt: hello, invalid: hello, choices: {1: person}, failed: bye}
"""
