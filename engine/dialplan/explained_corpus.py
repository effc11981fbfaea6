"""What the codes of speech corpora and of what sounds alike mean (RD310 to RD319), see `explaining`."""

from __future__ import annotations

TEXT = r"""
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
it listens to, or the step itself where a flow has several.
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
