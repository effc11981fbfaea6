"""FreeSWITCH's IVR menus (XML) -> flows: greet long and short, invalid, time limits, entries by digit.

The XML is read by expat itself with document types refused, so that no entity is ever declared, expanded or fetched.
"""

from __future__ import annotations

import re
from xml.parsers import expat

import msgspec

from engine.dialplan.imported import BYE, Imported, Step, finish, name_of
from engine.errors import SiteError

bytes_max = 4_000_000
_KEY = re.compile(r"[0-9*#]{1,12}")
# attributes that have no counterpart and don't change what a caller hears
_OF_NO_MATTER = ("name", "digit-len", "tts-engine", "tts-voice", "confirm-attempts", "confirm-key")
_READ = (
    "greet-long", "greet-short", "invalid-sound", "exit-sound", "timeout", "inter-digit-timeout", "max-failures",
    "max-timeouts",
)  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    line: int
    action: str
    digits: str
    param: str


class Menu(msgspec.Struct):
    name: str
    line: int
    attributes: dict[str, str] = {}
    entries: list[Entry] = []


def convert(file: str, text: str) -> Imported:
    """One XML file. Raises SiteError when it isn't well-formed or declares a document type."""
    site = Imported("Converted from FreeSWITCH")
    menus = _read(site, file, text)
    if not menus:
        raise SiteError(f"{file} holds no <menu> of an IVR configuration")
    _Converter(site, file, menus).run()
    finish(site)
    return site


def _read(site: Imported, file: str, text: str) -> dict[str, Menu]:
    if len(text) > bytes_max:
        raise SiteError(f"{file} is larger than {bytes_max // 1_000_000} MB")
    menus: dict[str, Menu] = {}
    opened: list[Menu] = []
    parser = expat.ParserCreate()

    def begin(tag: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if tag == "menu":
            opened.append(Menu(attributes.get("name", ""), line, attributes))
            if opened[-1].name in menus:
                site.note(file, line, f"menu {opened[-1].name}", "stands here twice; the first counts")
            menus.setdefault(opened[-1].name, opened[-1])
        elif tag == "entry" and opened:
            words = [attributes.get(name, "").strip() for name in ("action", "digits", "param")]
            opened[-1].entries.append(Entry(line, *words))
        elif tag not in ("configuration", "menus", "document", "section", "include"):
            shown = " ".join([tag, *(f"{name}={value}" for name, value in attributes.items())])
            site.note(file, line, f"<{shown}>", "not part of a menu")

    def end(tag: str) -> None:
        if tag == "menu":
            opened.pop()

    def refuse(*_: object) -> None:
        raise SiteError(f"{file}:{parser.CurrentLineNumber}: a document type is refused: entities are not needed here")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = lambda *_: 0
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise SiteError(f"{file}:{error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}") from error
    return menus


class _Converter:
    def __init__(self, site: Imported, file: str, menus: dict[str, Menu]) -> None:
        self.site = site
        self.file = file
        self.menus = menus
        self.flows: dict[str, str] = {}
        for name in menus:
            self.flows[name] = name_of(name, dict.fromkeys([*self.flows.values(), BYE]))

    def run(self) -> None:
        subs = {entry.param for menu in self.menus.values() for entry in menu.entries if entry.action == "menu-sub"}
        tops = [name for name in self.menus if name not in subs] or list(self.menus)[:1]
        for number, name in enumerate(tops):
            self.site.numbers[str(100 + number)] = self.flows[name]
            menu = self.menus[name]
            self.site.note(self.file, menu.line, f"menu {name}", f"the number was not said here; dial {100 + number}")
        for name, menu in self.menus.items():
            self.site.flows[self.flows[name]] = self.menu(menu, tops)

    def menu(self, menu: Menu, tops: list[str]) -> list[Step]:
        own = menu.attributes
        for name, said in own.items():
            if name not in (*_READ, *_OF_NO_MATTER):
                self.site.note(self.file, menu.line, f"{name}={said}", "no counterpart that could be converted")
        long = self.sound(own.get("greet-long", ""), menu.line, f"{menu.name}_greeting")
        short = self.sound(own.get("greet-short", ""), menu.line, f"{menu.name}_short")
        value: dict[str, object] = {"prompt": long or short or "tone/silence"}
        value |= {"again": short} if short and long else {}
        invalid = self.sound(own.get("invalid-sound", ""), menu.line, f"{menu.name}_invalid")
        value |= {"invalid": invalid} if invalid else {}
        for name, option in (("timeout", "timeout"), ("inter-digit-timeout", "inter_digit")):
            if own.get(name, "").isdigit() and 500 <= int(own[name]) <= 60_000:
                value[option] = f"{int(own[name])}ms"
            elif name in own:
                self.site.note(self.file, menu.line, f"{name}={own[name]}", "not between half a second and a minute")
        tries = [int(own[name]) for name in ("max-failures", "max-timeouts") if own.get(name, "").isdigit()]
        value["tries"] = min(10, max(1, min(tries, default=3)))
        leave = f"{self.flows[menu.name]}_leave"
        exit_sound = self.sound(own.get("exit-sound", ""), menu.line, f"{menu.name}_exit") or "goodbye"
        self.site.flows[leave] = [{"play": exit_sound}, {"hangup": "abandoned"}]
        choices: dict[str, object] = {}
        for entry in menu.entries:
            self.entry(menu, entry, tops, leave, choices)
        if not choices:
            self.site.note(self.file, menu.line, f"menu {menu.name}", "no key of it was understood")
            return [{"play": value["prompt"]}, {"goto": leave}]
        return [{"menu": {**value, "choices": choices, "failed": leave}}]

    def entry(self, menu: Menu, entry: Entry, tops: list[str], leave: str, choices: dict[str, object]) -> None:
        shown = f"{entry.digits}: {entry.action} {entry.param}".strip()
        if not _KEY.fullmatch(entry.digits):
            self.site.note(self.file, entry.line, shown, "a pattern of digits; name the keys")
            return
        clash = next((key for key in choices if key.startswith(entry.digits) or entry.digits.startswith(key)), None)
        if clash is not None:
            self.site.note(self.file, entry.line, shown, f"clashes with the key {clash} of the same menu; left out")
            return
        flow = self.flows[menu.name]
        held: object = None
        if entry.action == "menu-sub" and entry.param in self.flows:
            held = self.flows[entry.param]
        elif entry.action == "menu-top":
            held = self.flows[tops[0]]
        elif entry.action == "menu-back":
            held = self.parent(menu)
        elif entry.action == "menu-exit":
            held = leave
        elif entry.action == "menu-play-sound":
            heard = self.sound(entry.param, entry.line, f"{menu.name}_{entry.digits}")
            held = [{"play": heard}, {"goto": flow}] if heard else None
        elif entry.action in ("menu-exec-app", "menu-exec-api"):
            held = self.application(entry, f"{flow}_{entry.digits}")
        if not held:
            self.site.note(self.file, entry.line, shown, "not in the subset that is converted; the key is left out")
            return
        choices[entry.digits] = held

    def parent(self, menu: Menu) -> str:
        """The menu that leads here; '' when there are several."""
        above = [each.name for each in self.menus.values() for entry in each.entries
                 if entry.action == "menu-sub" and entry.param == menu.name]  # fmt: skip
        return self.flows[above[0]] if len(set(above)) == 1 else ""

    def application(self, entry: Entry, flow: str) -> str:
        """A flow for `menu-exec-app`, '' when the application is not understood."""
        application, _, rest = entry.param.partition(" ")
        word = rest.split()[0] if rest.split() else ""
        steps: list[Step] = []
        phone = re.fullmatch(r"(?:user/|sofia/internal/)?([0-9]{2,20})(?:[@%].*)?", word)
        if application in ("bridge", "transfer") and phone is not None:
            if application == "transfer":
                self.site.note(self.file, entry.line, entry.param, f"taken for the phone of an agent {phone[1]}")
            self.site.agents.setdefault(phone[1], (phone[1], {}))
            steps = [{"dial": {"to": phone[1], "failed": BYE}}, {"hangup": "served"}]
        elif application == "callcenter" and word:
            queue = name_of(word.partition("@")[0])
            if queue not in self.site.queues:
                self.site.queues[queue] = {}
                self.site.note(self.file, entry.line, entry.param, f"give the queue {queue!r} agents")
            ways = dict.fromkeys(("full", "no_agents", "timeout"), BYE)
            steps = [{"queue": {"name": queue, **ways}}, {"hangup": "served"}]
        elif application == "playback" and rest:
            heard = self.sound(rest, entry.line, flow)
            steps = [{"play": heard}, {"hangup": "served"}] if heard else []
        elif application == "hangup":
            steps = [{"hangup": "served"}]
        if not steps:
            return ""
        name = name_of(flow, {**self.site.flows, **dict.fromkeys(self.flows.values())})
        self.site.flows[name] = steps
        return name

    def sound(self, word: str, line: int, name: str) -> str:
        """Our prompt for `say:WORDS`, `phrase:NAME` or a file; '' for none."""
        if not word:
            return ""
        if word.startswith("say:"):
            found = name_of(name)
            self.site.prompts[found] = " ".join(word[4:].replace("$", "$$").split()) or "Nothing"
            return found
        if word.startswith(("tone_stream:", "silence_stream:", "http:", "https:", "shout:")) or "${" in word:
            self.site.note(self.file, line, word, "not a recording; left out")
            return ""
        bare = re.sub(r"\.(wav|mp3|ogg|flac|gsm)$", "", word.removeprefix("phrase:").partition(":")[0])
        found = name_of(bare.rpartition("/")[2])
        self.site.prompts.setdefault(found, f"Recording {bare}")
        return found
