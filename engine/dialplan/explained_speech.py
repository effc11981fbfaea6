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

RD287
No grammar of this name stands in grammars.yaml, beside site.yaml or tenant.yaml. A slot of a grammar is a type, as in
the variables of a dialplan, or the name of a grammar whose meanings it may take.
wrong:
# grammars.yaml
grammars:
  leave:
    phrases: ["good bye $whom"]
    slots: {whom: people}
right:
# grammars.yaml
grammars:
  leave:
    phrases: ["good bye $whom"]
    slots: {whom: friends}
  friends:
    phrases: {ana: [ana], bob: [bob]}

RD288
A menu needs a grammar that says what each phrase means; a slot of a grammar is of the type of the variable that it
fills, and knows no value that the variable can't have.
wrong:
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], grammar: leave, choices: {1: bye}, failed: bye}
  bye: [hangup]
# grammars.yaml
grammars:
  leave:
    phrases: [good bye]
right:
person: bye
flows:
  main:
    - answer
    - menu: {prompt: hello, listen: [keys, speech], grammar: leave, choices: {1: bye}, failed: bye}
  bye: [hangup]
# grammars.yaml
grammars:
  leave:
    phrases: {bye: [good bye]}

RD289
This option is for steps that listen to words.
wrong:
- menu: {prompt: hello, no_match: hello, choices: {1: person}, failed: bye}
right:
- menu: {prompt: hello, invalid: hello, choices: {1: person}, failed: bye}

RD290
A word is said in the phones of its language, in capitals (AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N
NG OW OY P R S SH T TH UH UW V W Y Z ZH), or like other words.
wrong:
# grammars.yaml
words: {nguyen: [W IH NN, like win]}
right:
# grammars.yaml
words: {nguyen: [W IH N, like win]}

RD291
The site says that secrets are not spoken (speech: {sensitive: none}), and this step would take one by voice. Callers
press its keys.
wrong:
# site.yaml
ringdown: 1
languages: [en]
speech: {sensitive: none}
numbers: {100: main}
# dialplans/main.yaml
ringdown: 1
person: bye
variables: {code: digits 4 sensitive}
flows:
  main:
    - answer
    - gather: {into: code, prompt: hello, listen: [keys, speech], failed: bye}
    - hangup: served
  bye: [hangup]
right:
# site.yaml
ringdown: 1
languages: [en]
speech: {sensitive: none}
numbers: {100: main}
# dialplans/main.yaml
ringdown: 1
variables: {code: digits 4 sensitive}
flows:
  main:
    - answer
    - gather: {into: code, prompt: hello, failed: bye}
    - hangup: served
  bye: [hangup]

RD292
The list behind one_of: is a text with | between its entries, or the list of a lookup's answer, which is a text here,
too; one of its entries goes into a text.
wrong:
person: bye
variables: {towns: number = 3, town: text}
flows:
  main:
    - answer
    - gather: {into: town, one_of: $towns, prompt: hello, listen: [keys, speech], failed: bye}
    - tag: $town
    - hangup: served
  bye: [hangup]
right:
person: bye
variables: {towns: text = Bath|York, town: text}
flows:
  main:
    - answer
    - gather: {into: town, one_of: $towns, prompt: hello, listen: [keys, speech], failed: bye}
    - tag: $town
    - hangup: served
  bye: [hangup]
"""
