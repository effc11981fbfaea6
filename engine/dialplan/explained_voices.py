"""What the codes of voices mean (RD330 to RD339), for `ringdown check --explain`; see `explaining`."""

from __future__ import annotations

TEXT = r"""
RD330
Three synthesisers are known by name: espeak-ng, flite and festival. Any other program speaks by command:.
wrong:
# site.yaml
ringdown: 1
languages: [en]
voices: {en: espeak}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
voices: {en: espeak-ng}
numbers: {100: main}

RD331
A voice is named for a language that nobody is spoken to in, so that it would never be heard.
wrong:
# site.yaml
ringdown: 1
languages: [en]
voices: {de: espeak-ng}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
voices: {en: espeak-ng}
numbers: {100: main}

RD332
The command of a voice is a program and its arguments. No shell stands between, so it has no pipes; {text}, {file},
{voice} and {language} are put in. Without {text} the words come on its standard input, without {file} the sound is
read from its standard output.
wrong:
# site.yaml
ringdown: 1
languages: [en]
voices:
  en: {command: 'piper --model en.onnx --output {wav}'}
numbers: {100: main}
right:
# site.yaml
ringdown: 1
languages: [en]
voices:
  en: {command: 'piper --model en.onnx --output_file {file}'}
numbers: {100: main}

RD333
The program that shall speak isn't installed on this machine, or has no such voice. What is recorded is heard all the
same; texts without a recording, and words that only a call knows, are not.
wrong:
# site.yaml, on a machine without festival
voices: {en: festival}
right:
# site.yaml, after apt-get install festival festvox-us-slt-hts
voices: {en: festival}
"""
