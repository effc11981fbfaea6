"""What the codes of speech corpora and of what sounds alike mean (RD310 to RD319), see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD310
The recogniser knows how to hear a word by its pronunciation, and no dictionary has this one: it is guessed. Write it
in words that sound like it, or try what is heard with a speech corpus.
wrong:
phrases: {billing: [my Xyzzy bill]}
right:
phrases: {billing: [my phone bill]}

RD311
On a telephone these two phrases sound so much alike that one is taken for the other. A speech corpus shows how often.
wrong:
phrases: {billing: [billing], building: [building]}
right:
phrases: {billing: [billing], building: [house management]}

RD312
A phrase of one syllable is over before it stands out from noise, and many noises resemble one.
wrong:
phrases: {sales: [sales]}
right:
phrases: {sales: [sales department]}

RD313
What the caller says here means a command, and is also something that he may fill in: nobody can say which he means.
wrong:
variables: {desk: choice operator switchboard}
right:
variables: {desk: choice front_desk switchboard}

RD314
Whoever hears more than seven choices has forgotten the first when the last is named. This counts what can be said
in one menu, however it is announced.
wrong:
- menu: {prompt: choose, listen: [keys, speech], choices: {1: a, 2: b, 3: c, 4: d, 5: e, 6: f, 7: g, 8: h}, failed: bye}
right:
- menu: {prompt: choose, listen: [keys, speech], choices: {1: a, 2: b, 3: more}, failed: bye}

RD315
Spoken by every voice and heard by the recogniser that serves calls, one of these phrases was taken for the other at
least once in ten times. RD311 only fears so; this was tried by ringdown test --speech.
wrong:
phrases: {billing: [billing], building: [building]}
right:
phrases: {billing: [billing], building: [house management]}

RD317
An utterance of a speech corpus says where the caller is (at), what he says (say, or file with a recording) and what
shall be understood (intent, slots, or expect: no match). TESTING.md lists its keys.
wrong:
# dialplans/main.speech.yaml
utterances: [{at: choose, says: billing, intent: billing}]
right:
# dialplans/main.speech.yaml
utterances: [{at: choose, say: billing, intent: billing}]

RD318
At this step no caller is listened to, or not in this language. Name a flow whose menu or gather has speech among what
it listens to, the step itself where a flow has several, or a wait list with such a menu, as in “wait on_hold”.
wrong:
# dialplans/main.speech.yaml
utterances: [{at: goodbye, say: billing, intent: billing}]
right:
# dialplans/main.speech.yaml
utterances: [{at: choose, say: billing, intent: billing}]

RD319
What the utterance expects could never be understood at this step: nothing there has this meaning or fills this slot,
or the slot cannot hold such a value.
wrong:
# dialplans/main.speech.yaml
utterances: [{at: choose, say: billing, intent: biling}]
right:
# dialplans/main.speech.yaml
utterances: [{at: choose, say: billing, intent: billing}]
"""
