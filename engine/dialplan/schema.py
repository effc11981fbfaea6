"""JSON Schemas for editors, made from the table of verbs and a site's own names.

They help while somebody types; `ringdown check` decides. So they are never stricter than the reader: a kind of option
without a fragment here takes anything, and where a file couldn't be read names are only offered, not required.
Scalars may be strings, numbers or booleans, since an editor reads `98668`, `0123` and `true` as such. There is no
`oneOf`, and in a step the mapping stands before the list of words, so that an editor underlines a misspelt verb.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.dialplan import (
    agent_reader,
    grammars_reader,
    keyed,
    seasons,
    site_reader,
    speech_rules,
    strategies,
    trunk_reader,
    types,
    values,
)
from engine.dialplan.flow_reader import KEYS_OF_FILE
from engine.dialplan.options import SIP_STATUSES
from engine.dialplan.profiles_site import DEVICE_KEYS
from engine.dialplan.site_names import Names, PlanNames
from engine.dialplan.verbs.table import VERBS, Option, Verb

Schema = dict[str, Any]
PROMPT: Schema = {"$ref": "#/definitions/prompt"}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
# kinds of options with a few words of their own; a test holds them to the rules
WORDS = {
    "terminator": ("hash", "star", "none"),
    "mode": ("parallel", "serial"),
    "recording": ("start", "stop", "pause", "resume"),
}
_KEY = "^(star|hash|[0-9*#]{1,12})$"
_DURATION: Schema = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,3})?\s*(ms|s|min|h|d)$"}
_FLAG: Schema = {"enum": [*types.FLAGS, True, False]}
_ANYTHING: Schema = {}
_DRAFT = "http://json-schema.org/draft-07/schema#"


def schemas(names: Mapping[str, Names]) -> dict[str, Schema]:
    """Path of a file in the site's folder -> the schema for it."""
    found: dict[str, Schema] = {}
    for each in names.values():
        own = f"{each.home}tenant.yaml" if each.home else "site.yaml"
        found[own] = _site(each, names)
        found[f"{each.home}queues.yaml"] = _queues(each)
        found[f"{each.home}agents.yaml"] = _agents(each)
        found[f"{each.home}grammars.yaml"] = _grammars(each)
        for language in each.languages:
            found[f"{each.home}prompts/{language}.yaml"] = _top({"additionalProperties": SCALAR})
        for plan in each.plans:
            found[f"{each.home}dialplans/{plan}.yaml"] = dialplan(each, plan)
    trunk = [key for key in trunk_reader.TRUNK_KEYS if key not in values.PASSWORD_KEYS]
    found["trunks.yaml"] = _top({"additionalProperties": _object(dict.fromkeys(trunk, _ANYTHING))})
    found["devices.yaml"] = _top({"additionalProperties": _object(dict.fromkeys(DEVICE_KEYS, _ANYTHING))})
    rule = _object(dict.fromkeys(trunk_reader.OUTBOUND_KEYS, _ANYTHING))
    trunks = next(iter(names.values())).trunks if names else []
    found["outbound.yaml"] = _top({"additionalProperties": _any(rule, _names(trunks, True))})
    return found


def dialplan(names: Names, plan: str) -> Schema:
    """The schema for one dialplan: its own flows, waits and variables, its tenant's queues and prompts."""
    return _Plan(names, plan).schema()


class _Plan:
    def __init__(self, names: Names, plan: str) -> None:
        self.names = names
        self.own = names.plans.get(plan) or PlanNames()
        foreign = [f"{other}.{flow}" for other, held in names.plans.items() if other != plan for flow in held.flows]
        self.flows = _names([*self.own.flows, *foreign], names.complete)
        self.targets = _names(["again", "continue", *self.own.flows, *foreign], names.complete)
        # long lists stand once in the schema
        short = [name.removeprefix("music/") for name in names.music]
        tones = [name for name in names.prompts if name.startswith("tone/")]
        self.pieces: dict[str, Schema] = {
            "prompt": _some(_prompts(names)),
            "music": _some(_names([*short, *names.music, *tones], names.complete)),
        }

    def schema(self) -> Schema:
        steps: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
        waiting: Schema = {"type": "array", "items": {"$ref": "#/definitions/wait_step"}}
        known: dict[str, Schema] = {
            "ringdown": {"enum": [1, "1"], "description": "the format"},
            "about": SCALAR,
            "languages": _list(_names(self.names.languages, self.names.complete)),
            "entry": self.flows,
            "rescue": self.flows,
            "finally": self.flows,
            "variables": {"type": "object", "additionalProperties": _declaration()},
            "always": {
                "type": "object",
                "patternProperties": {"^(star|hash|[0-9*#])$": self.flows},
                "additionalProperties": False,
            },
            "flows": {"type": "object", "additionalProperties": steps},
            "waits": {"type": "object", "additionalProperties": waiting},
        }
        definitions = {"step": self.step("flow"), "wait_step": self.step("wait")}
        definitions |= {f"to_{place}": self.target(place) for place in ("step", "wait_step")}
        definitions |= self.pieces
        top = _object({key: known.get(key, _ANYTHING) for key in KEYS_OF_FILE}, ("ringdown", "flows"))
        return _top({**top, "definitions": definitions})

    def target(self, step: str) -> Schema:
        """A word goes there; a list stays here."""
        return _any({"type": "array", "items": {"$ref": f"#/definitions/{step}"}}, self.targets)

    def step(self, place: str) -> Schema:
        verbs = [verb for verb in VERBS.values() if place in verb.places]
        to = "#/definitions/to_step" if place == "flow" else "#/definitions/to_wait_step"
        written = {verb.name: self.verb(verb, {"$ref": to}) for verb in verbs if verb.options}
        alone = {verb.name: verb.about for verb in verbs if verb.bare}
        return _any({**_object(written), "minProperties": 1, "maxProperties": 1}, _words(alone))

    def verb(self, verb: Verb, to: Schema) -> Schema:
        options = {name: self.option(option, to) for name, option in verb.options.items()}
        outcomes = {name: {**to, "description": f"what happens when {verb.name} ends so"} for name in verb.outcomes}
        # a language server shows the first description it finds: where a prompt's text is to be seen, ours is the title
        spoken = any(option.kind == "prompt" for name, option in verb.options.items() if name == verb.main)
        about = {"title" if spoken else "description": verb.about} if verb.about else {}
        if verb.whole:
            return {**options[verb.main], **about}
        needed = [name for name, option in verb.options.items() if option.required]
        needed += [name for name, required in verb.outcomes.items() if required]
        form = _object({**options, **outcomes}, needed)
        mains = [name for name in (verb.main, verb.main_digits) if name and set(needed) <= {name}]
        values_alone = [self.pieces.get(verb.options[name].kind, options[name]) for name in mains]
        # the words before the mapping, so that a misspelt word is told by the words that would do
        return {**_any(*values_alone, form), **about}

    def option(self, option: Option, to: Schema) -> Schema:
        kind = option.kind
        if kind == "choices":
            return {"type": "object", "patternProperties": {_KEY: to}, "additionalProperties": False}
        if kind == "cases":
            return {"type": "object", "additionalProperties": to}
        if kind == "branches":
            line = _object({"if": SCALAR, "then": to, "else": to})
            return {"type": "array", "items": line}
        if kind == "shares":
            return {"type": "array", "items": _object({"share": SCALAR, "then": to, "else": to})}
        if kind == "body":
            return {"type": "array", "items": {"$ref": to["$ref"].replace("to_", "")}}
        if kind == "assignments":
            known = {name: {**SCALAR, "description": kind} for name, kind in self.own.variables.items()}
            return {"type": "object", "properties": known, "additionalProperties": SCALAR}
        if kind in ("duration", "count"):
            return _bounded(option)
        return self.named(kind) or _PLAIN.get(kind, _ANYTHING)

    def named(self, kind: str) -> Schema | None:
        """The fragment of a kind whose values are this site's names."""
        names, complete = self.names, self.names.complete
        if kind in self.pieces:
            return {"$ref": f"#/definitions/{kind}"}
        fragments: dict[str, Callable[[], Schema]] = {
            "flow": lambda: self.flows,
            "queue": lambda: _names(names.queues, complete),
            "wait": lambda: _names(self.own.waits, complete),
            "language": lambda: _names(names.languages, complete),
            "calendar": lambda: _names(names.things["calendars"], complete),
            "lookup": lambda: _names(names.things["lookups"], complete),
            "grammar": lambda: _names(names.things["grammars"], complete),
            "survey": lambda: _names(names.things["surveys"], complete),
            "variable": lambda: _words(self.own.variables) if self.own.variables else SCALAR,
            "greet": lambda: _any(self.pieces["prompt"], _object({"long": PROMPT, "short": PROMPT}, ("long",))),
            # a number of the outside may stand there too, so agents are only offered
            "targets": lambda: _some(_any(_words(names.agents), SCALAR) if names.agents else SCALAR),
        }
        made = fragments.get(kind)
        return made() if made is not None else None


def _bounded(option: Option) -> Schema:
    if option.kind == "count":
        low, high = option.low, option.high
        number: Schema = {"type": "integer", "minimum": low, "maximum": high}
        return {**_any(number, {"type": "string", "pattern": "^[0-9]{1,9}$"}), "description": f"{low} to {high}"}
    low_text, high_text = values.spell_ms(option.low), values.spell_ms(option.high)
    return {**_DURATION, "description": f"a time from {low_text} to {high_text}"}


def _prompts(names: Names) -> Schema:
    """Prompt names; each with a text is an alternative of its own, so that hovering shows that text alone."""
    said: list[Schema] = []
    mute: list[str] = list(names.music)
    for name, texts in names.prompts.items():
        spoken = "\n\n".join(f"{language}: {text}" for language, text in texts.items() if text)
        if spoken:
            said.append({"const": name, "description": spoken})
        else:
            mute.append(name)
    return _any(*said, _names(mute, names.complete))


def _declaration() -> Schema:
    return {"type": "string", "pattern": rf"^({'|'.join(types.KINDS)})\b", "description": ", ".join(types.KINDS)}


_HEARD: Schema = {"enum": list(speech_rules.WAYS)}
_PLAIN: dict[str, Schema] = {
    "flag": _FLAG,
    "barge_in": {"enum": [*_FLAG["enum"], speech_rules.AFTER_FIRST]},
    "listen": {"anyOf": [{"type": "array", "items": _HEARD}, _HEARD]},
    "keyed": {"enum": list(keyed.FORMS)},
    "speech": SCALAR,
    "note": SCALAR,
    "word": SCALAR,
    "group": SCALAR,
    "number": SCALAR,
    "expression": SCALAR,
    "condition": SCALAR,
    "callee": SCALAR,
    "status": {"enum": [*SIP_STATUSES, *(str(code) for code in SIP_STATUSES)]},
    "keys": {"anyOf": [{"type": "array", "items": SCALAR}, SCALAR]},
    **{kind: {"enum": list(words)} for kind, words in WORDS.items()},
}


# --- the other files ---------------------------------------------------------------------------------------
def _site(names: Names, every: Mapping[str, Names]) -> Schema:
    plans = [*names.plans, *names.entries]
    if not names.home:
        others = [other for other in every.values() if other.home]
        plans += [f"{other.tenant}/{name}" for other in others for name in (*other.plans, *other.entries)]
    target = _names(plans, names.complete)
    flows = [flow for plan in names.plans.values() for flow in plan.flows]
    entry = _any(_names(flows, True), SCALAR)
    form = dict.fromkeys(site_reader.NUMBER_KEYS, _ANYTHING) | {"dialplan": target, "entry": entry, "public": _FLAG}
    form |= {"seasons": {"type": "array", "items": _object(dict.fromkeys(seasons.KEYS, _ANYTHING))}}
    number = _any(_object(form, ("dialplan",)), target)
    keys = site_reader.TENANT_KEYS if names.home else (*site_reader.SITE_KEYS, *site_reader.SITE_LATER)
    known = dict.fromkeys(keys, _ANYTHING)
    known |= {"numbers": {"type": "object", "additionalProperties": number}, "name": SCALAR, "about": SCALAR}
    known |= {"country": {"enum": list(values.COUNTRIES)}, "codes": _object(dict.fromkeys(site_reader.CODES, SCALAR))}
    known["ringdown"] = {"enum": [1, "1"]}
    return _top(_object(known, () if names.home else ("ringdown",)))


def _queues(names: Names) -> Schema:
    known = dict.fromkeys(site_reader.QUEUE_KEYS, _ANYTHING)
    known |= {"strategy": {"enum": list(strategies.NAMES)}, "about": SCALAR}
    known |= dict.fromkeys(("ring", "max_wait", "position", "keep_place", "starve_after", "hard_hold"), _DURATION)
    known |= dict.fromkeys(("record", "hard"), _FLAG)
    return _top({"additionalProperties": _object(known)})


def _grammars(names: Names) -> Schema:
    phrases = _some(SCALAR)
    several = _any(phrases, _object(dict.fromkeys(names.languages, phrases)))  # per language, where there are several
    slot = _any({"type": "object"}, _words(dict.fromkeys([*types.KINDS, *names.things["grammars"]], ""), strict=False))
    known: dict[str, Schema] = {
        "about": SCALAR,
        "phrases": {"anyOf": [{"type": "object", "additionalProperties": several}, *several["anyOf"]]},
        "slots": {"type": "object", "additionalProperties": slot},
        "fillers": _any(_FLAG, *several["anyOf"]),
        "any_order": _FLAG,
    }
    one = _object({key: known[key] for key in grammars_reader.KEYS}, ("phrases",))
    top: dict[str, Schema] = {
        "about": SCALAR,
        "words": {"type": "object", "additionalProperties": several},
        "grammars": {"type": "object", "additionalProperties": one},
    }
    return _top(_object({key: top[key] for key in grammars_reader.KEYS_OF_FILE}))


def _agents(names: Names) -> Schema:
    known = dict.fromkeys(site_reader.AGENT_KEYS, _ANYTHING)
    own = [name for name in names.queues if "/" not in name]
    word = _names(own, names.complete)
    levels = _object(dict.fromkeys(own, SCALAR)) if names.complete else {"type": "object"}
    known |= {"queues": _any(levels, {"type": "array", "items": word}), "name": SCALAR, "about": SCALAR}
    known["phone"] = _object(dict.fromkeys(agent_reader.PHONE_KEYS, _ANYTHING))
    known |= dict.fromkeys(("second_line", "logged_in", "on_demand", "supervisor"), _FLAG)
    return _top({"additionalProperties": _object(known)})


# --- parts ---------------------------------------------------------------------------------------------------
def _top(schema: Schema) -> Schema:
    return {"$schema": _DRAFT, "type": "object", **schema}


def _object(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    needed = list(required)
    return {**found, "required": needed} if needed else found


def _any(*alternatives: Schema) -> Schema:
    """Alternatives, flat: a language server tells of the one that fits only when it isn't nested in another."""
    if len(alternatives) == 1:
        return alternatives[0]
    flat = [each["anyOf"] if each.keys() == {"anyOf"} else [each] for each in alternatives]
    return {"anyOf": [each for part in flat for each in part]}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _some(item: Schema) -> Schema:
    """One of them, or a list of them."""
    return _any({"type": "array", "items": item}, item)


def _names(words: Iterable[str], strict: bool) -> Schema:
    return _words(dict.fromkeys(words, ""), strict=strict)


def _words(words: Mapping[str, str], *, strict: bool = True) -> Schema:
    """Choices with what an editor shows beside each; not `strict`: other words are taken too."""
    if not words:
        return SCALAR
    found: Schema = {"enum": list(words)}
    if any(words.values()):
        found["enumDescriptions"] = list(words.values())
    # an editor reads these names as numbers or booleans
    found["enum"] = [*found["enum"], *(each for word in words for each in _also_read_as(word))]
    return found if strict else {"anyOf": [found, SCALAR]}


def _also_read_as(word: str) -> list[Any]:
    if word in ("true", "false"):
        return [word == "true"]
    if word.isascii() and word.isdigit():
        return [int(word)]
    return []
