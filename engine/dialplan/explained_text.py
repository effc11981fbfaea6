"""What the codes of the text and of the shape mean (RD001 to RD029), for `ringdown check --explain`.

See `explaining`.
"""

from __future__ import annotations

TEXT = r"""
RD001
The file cannot be read as YAML at all. Usual causes: a second ': ' in one line, a quote or bracket that is
never closed, a line that is indented by one space too few. Nothing of the file is known, so names that stand in
it are not missed elsewhere.
wrong:
about: Line 5: north
right:
about: 'Line 5: north'

RD002
A site's files are UTF-8 text without control characters and invisible line breaks. They come from word
processors and from copying out of web pages, and they would break a line where nobody sees it.
wrong:
about: Ourplan
right:
about: Our plan

RD003
YAML counts spaces only; what a tab means depends on the editor. Let your editor put spaces for the Tab key.
wrong:
about:	A plan
right:
about: A plan

RD004
A # begins a comment, so a line `#: flow` is dropped without a word and the key does nothing. The key's name is
hash.
wrong:
- menu:
    prompt: choose
    choices:
      1: person
      #: bye
    failed: bye
right:
- menu:
    prompt: choose
    choices:
      1: person
      hash: bye
    failed: bye

RD005
YAML cannot carry * as a key. The key's name is star.
wrong:
- menu:
    prompt: choose
    choices:
      *: person
    failed: bye
right:
- menu:
    prompt: choose
    choices:
      star: person
    failed: bye

RD006
A word that begins with * or & is an alias or an anchor to YAML, which puts something else in its place. Codes
are quoted; reuse goes by subflows, prompts and named objects, so that each line says what it does.
wrong:
# site.yaml
ringdown: 1
codes: {login: *50}
right:
# site.yaml
ringdown: 1
codes: {login: '*50'}

RD007
A merge key takes over keys of another mapping, only one level deep, and loses the others silently. Write the
keys out.
wrong:
# queues.yaml
support:
  <<: {ring: 20s}
right:
# queues.yaml
support:
  ring: 20s

RD008
A value that begins with ! is a tag to YAML, and the value itself is then empty. Quote it.
wrong:
about: !new our plan
right:
about: '!new our plan'

RD009
The same key stands twice in one mapping. YAML keeps the last and forgets the first, so one of the two lines
would do nothing.
wrong:
- menu:
    prompt: choose
    choices:
      1: person
      1: bye
    failed: bye
right:
- menu:
    prompt: choose
    choices:
      1: person
      2: bye
    failed: bye

RD010
A key is one word. Braces make a mapping of what stands inside them, which is no key; a value in a text is
written $name.
wrong:
{a: b}: c
right:
about: c

RD011
One file holds one document. Lines behind a second --- would be read by nobody.
wrong:
about: one
---
about: two
right:
about: one

RD012
Lines that begin with % are for YAML parsers and have no meaning in a site.
wrong:
%YAML 1.1
---
about: a plan
right:
about: a plan

RD013
A key without a value, or a dash without a step. YAML makes an empty value of it, and an empty value of a
setting would be its silent end. The usual cause is a value that begins with #.
wrong:
about:
right:
about: a plan

RD014
Brackets are nested deeper than two, or mappings deeper than people can read. Write the inner part as an
indented block, or give it a name under flows:.
wrong:
- when: [{if: access.kind = agent, then: [{play: hello}]}]
right:
- when:
    - if: access.kind = agent
      then:
        - play: hello

RD015
YAML joins plain text over several lines by spaces, and a line that was meant as a key becomes part of a
sentence. Quote it in one line, or use |.
wrong:
about: our
  plan
right:
about: 'our plan'

RD016
YAML reads a quote, > or * at the beginning of an expression as its own sign. An expression begins with a name.
wrong:
- when:
    - if: 'gold' = tier
      then: person
right:
- when:
    - if: tier = 'gold'
      then: person

RD017
A # behind a space begins a comment, so that a text for callers loses its end. Quote the whole text.
wrong:
- say: press # to end
right:
- say: 'press # to end'

RD020
The first line of a dialplan and of site.yaml names the format, so that a file that is valid today stays valid
in later versions.
wrong:
ringdown: 2
right:
ringdown: 1

RD021
Nothing reads this key, so that what it says would not happen. Most often it is misspelt, or it stands one level
too deep or too high.
wrong:
- menu: {prompt: choose, timout: 4s, choices: {1: person}, failed: bye}
right:
- menu: {prompt: choose, timeout: 4s, choices: {1: person}, failed: bye}

RD022
What the line needs in order to mean anything is missing.
wrong:
- gather: {prompt: choose, failed: bye}
right:
- gather: {into: code, prompt: choose, failed: bye}

RD023
A mapping (key: value), a list (lines that begin with a dash) and a single value are three things, and here
another one is expected.
wrong:
- play: hello
  tag: heard
right:
- play: hello
- tag: heard

RD024
The value is not one that this setting can have: outside its bounds, of another kind, or a word that it doesn't
know.
wrong:
- silence: 30 seconds
right:
- silence: 30s

RD025
The file stands where nothing looks for it. Its kind follows from its name, its place from the list in
LANGUAGE.md section 2.
wrong:
# que.yaml
support: {ring: 20s}
right:
# queues.yaml
support: {ring: 20s}

RD026
The language has this, and this version has not built it yet. It is refused rather than ignored, so that no
caller misses it.
wrong:
lookups: {customer: there}
right:
about: a plan

RD027
Names of flows, queues, variables and files are small letters, digits and _ (also -, but not in variables), a
letter first. A few words are the language's own: again, continue.
wrong:
flows: {Main: [hangup]}
right:
flows: {main: [hangup]}

RD028
A file that a site, or a tenant, cannot do without is missing.
wrong:
# tenants/press/queues.yaml
orders: {ring: 20s}
right:
# tenants/press/tenant.yaml
name: Press

RD029
The file belongs to the whole language, and this version doesn't read it yet. What it says would not happen.
wrong:
# surveys.yaml
after_call: {}
right:
# queues.yaml
support: {ring: 20s}
"""
