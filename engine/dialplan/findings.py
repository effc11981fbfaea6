"""Findings: what is wrong with a site, whose line it is, what the caller would suffer and what to write instead.

Codes are stable: an admin's waivers and an operator's searches depend on them. A code is never used again for
another mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec

from engine import marks

ERROR, WARNING = "error", "warning"
findings_max = 200


class Finding(msgspec.Struct, frozen=True):
    """One mistake. Lines and columns count from 1; `snippet` is the source line with a caret below (may be '').

    `hear`: the command that brings a caller to it by the shortest way, with what else must happen on it; '' when no
    call gets there. `waived`: the reason for which the site bears with it.
    """

    code: str
    severity: str
    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    snippet: str = ""
    suffers: str = ""
    width: int = 1
    hear: str = ""
    waived: str = ""


# code -> (severity, title, what the caller or the agent would suffer)
CODES: dict[str, tuple[str, str, str]] = {
    # --- the text ---------------------------------------------------------------------------------
    "RD001": (ERROR, "not readable as YAML", "nothing of the file would be heard"),
    "RD002": (ERROR, "wrong characters or size", "a line would end where nobody sees it"),
    "RD003": (ERROR, "tab", "a step would belong to another one"),
    "RD004": (ERROR, "a line that YAML drops", "the key would do nothing"),
    "RD005": (ERROR, "the key *", "the key would not exist"),
    "RD006": (ERROR, "anchor or alias", "another value than the written one would be used"),
    "RD007": (ERROR, "merge key", "settings would be lost without a word"),
    "RD008": (ERROR, "tag", "the value would be empty"),
    "RD009": (ERROR, "key twice", "one of the two would never be reached"),
    "RD010": (ERROR, "key that is not a word", "the setting would do nothing"),
    "RD011": (ERROR, "several documents", "everything behind the second --- would never be reached"),
    "RD012": (ERROR, "directive", "the line would do nothing"),
    "RD013": (ERROR, "empty value", "the setting would be empty"),
    "RD014": (ERROR, "nested too deep for YAML", "nobody could say which step belongs to which"),
    "RD015": (ERROR, "text over several lines", "a key on the second line would become words"),
    "RD016": (ERROR, "expression that YAML misreads", "the caller would take the wrong branch"),
    "RD017": (ERROR, "words lost after #", "the caller would hear half of the sentence"),
    # --- the shape --------------------------------------------------------------------------------
    "RD020": (ERROR, "format line missing", "a later version could read the file otherwise"),
    "RD021": (ERROR, "unknown key", "the setting would do nothing"),
    "RD022": (ERROR, "required key missing", "the step could not run"),
    "RD023": (ERROR, "wrong shape", "the step could not run"),
    "RD024": (ERROR, "wrong value", "the setting would not hold"),
    "RD025": (WARNING, "file that nothing reads", "what it says would never happen"),
    "RD026": (ERROR, "not in this version", "the caller would miss it"),
    "RD027": (ERROR, "not a name", "nothing could lead to it"),
    "RD028": (ERROR, "file missing", "its numbers would answer 404"),
    "RD029": (WARNING, "not used yet in this version", "what it says would not happen"),
    # --- names ------------------------------------------------------------------------------------
    "RD030": (ERROR, "unknown verb", "the call would stop at this step"),
    "RD031": (ERROR, "unknown flow", "the call would end here"),
    "RD032": (ERROR, "unknown queue", "the caller would reach nobody"),
    "RD033": (ERROR, "unknown prompt", "the caller would hear silence"),
    "RD034": (ERROR, "unknown variable", "the value would be missing when it is needed"),
    "RD035": (ERROR, "unknown agent", "nobody would ring"),
    "RD036": (ERROR, "unknown trunk", "no call would leave"),
    "RD037": (ERROR, "unknown wait list", "the caller would hear music only, and no way out"),
    "RD038": (ERROR, "unknown dialplan", "the number would answer 404"),
    "RD039": (ERROR, "unknown language", "the caller would not be understood"),
    "RD040": (ERROR, "unknown skill", "no agent would fit"),
    "RD041": (ERROR, "unknown tenant", "the number would answer 404"),
    "RD042": (ERROR, "unknown fact", "the condition could never hold"),
    "RD043": (ERROR, "unknown team", "the rule would be for nobody"),
    "RD048": (ERROR, "queue that does not call back", "the caller would be refused every time"),
    # --- the way through --------------------------------------------------------------------------
    "RD050": (WARNING, "unreachable flow", "no caller gets here"),
    "RD051": (ERROR, "loop without input", "the caller would go round until the engine stops him"),
    "RD052": (ERROR, "outcome missing", "the caller would be cut off when it happens"),
    "RD053": (ERROR, "flow without an end", "the call would end in silence"),
    "RD054": (WARNING, "unreachable step", "no caller gets here"),
    "RD055": (ERROR, "sound before answer", "the caller would hear nothing"),
    "RD056": (ERROR, "reject after answer", "the caller would be cut off"),
    "RD057": (ERROR, "lists nested too deep", "nobody could follow the caller's way"),
    "RD058": (ERROR, "subflow that enters itself", "the call would fail"),
    "RD059": (ERROR, "return outside a subflow", "the call would end here"),
    "RD060": (ERROR, "verb not allowed here", "the caller would hear nothing of it"),
    "RD061": (ERROR, "keys clash", "the longer code would wait for nothing, or never be reached"),
    "RD062": (ERROR, "same key twice", "one choice would never be reached"),
    "RD063": (ERROR, "not a key of the phone", "the choice would never be reached"),
    # --- types and expressions ----------------------------------------------------------------------
    "RD070": (ERROR, "types don't fit", "the condition could never be what it seems to be"),
    "RD071": (ERROR, "expression not understood", "nobody could say which way the caller takes"),
    "RD072": (ERROR, "variable perhaps unset", "the caller would hear or follow a value that isn't there"),
    "RD073": (ERROR, "type not understood", "the value could not be checked"),
    "RD074": (ERROR, "digits into a variable that cannot hold them", "what the caller types would be lost"),
    "RD075": (ERROR, "lengths contradict", "the caller could never enter it"),
    "RD076": (ERROR, "switch with uncovered values", "the caller would be cut off"),
    "RD077": (ERROR, "computed name", "the caller might be sent where nobody has looked"),
    "RD078": (ERROR, "value that cannot be spoken", "the caller would hear a gap"),
    "RD079": (ERROR, "sensitive value leaves", "a secret would be heard or stored in clear"),
    # --- the site -----------------------------------------------------------------------------------
    "RD080": (ERROR, "literal password", "whoever reads the file can call at your cost"),
    "RD081": (ERROR, "unknown strategy", "agents would be asked in another order than you think"),
    "RD082": (ERROR, "bad number or pattern", "the number would never match"),
    "RD083": (ERROR, "realm or domain twice", "phones of two tenants would be mistaken for one another"),
    "RD084": (ERROR, "number twice", "one of the two would never be reached"),
    "RD085": (ERROR, "not a SIP status", "the caller's phone would not know why"),
    "RD086": (ERROR, "bad address", "calls would not be recognised"),
    "RD087": (ERROR, "feature code clash", "one of the two would do nothing"),
    "RD088": (WARNING, "pattern never reached", "these calls take the earlier rule's trunk"),
    # --- prompts --------------------------------------------------------------------------------------
    "RD090": (WARNING, "prompt missing in a language", "the caller would hear another language"),
    "RD091": (WARNING, "text without a recording", "the caller would hear silence"),
    "RD092": (WARNING, "text changed since it was recorded", "the caller would hear the old words"),
    "RD093": (ERROR, "not a usable recording", "the caller would hear silence"),
    "RD094": (WARNING, "variable never read", "what was asked of the caller would be used for nothing"),
    # --- who serves whom --------------------------------------------------------------------------------
    "RD101": (ERROR, "needs that nobody meets", "the caller would wait in vain"),
    "RD102": (WARNING, "rule that never applies", "the caller would wait as if it were not there"),
    "RD103": (WARNING, "skill that expires soon", "the agent will not be asked for it any more"),
    "RD104": (WARNING, "skill that has expired", "the agent is not asked for it"),
    # --- queues ---------------------------------------------------------------------------------------
    "RD110": (ERROR, "overflow in a circle", "the caller would be sent round and round"),
    "RD111": (ERROR, "overflow into a queue without agents", "the caller would reach nobody"),
    "RD112": (ERROR, "rename that cannot be", "logins, callers and figures would go to the wrong queue"),
    "RD113": (ERROR, "wait list that takes no time", "the caller would hear silence"),
    "RD114": (ERROR, "queue that is not lent", "the caller would reach nobody"),
    "RD115": (WARNING, "queue that nobody borrows", "the agents meant for it would never be asked"),
    # --- calendars, shares, rounds --------------------------------------------------------------------
    "RD120": (ERROR, "unknown time zone", "hours would begin and end at the wrong time"),
    "RD121": (ERROR, "hours not understood", "callers would find the wrong thing open or closed"),
    "RD122": (ERROR, "day not understood", "the day would be like any other"),
    "RD123": (ERROR, "unknown public holidays", "callers would be sent to an empty office"),
    "RD124": (ERROR, "unknown calendar", "nobody would know whether it is open"),
    "RD125": (ERROR, "shares that don't add up", "some callers would never go that way"),
    "RD126": (ERROR, "unknown period", "the season would never come"),
    "RD127": (ERROR, "seasons that overlap", "nobody could say which dialplan answers"),
    "RD128": (WARNING, "subflow that may return nothing", "the caller would hear or follow an older value"),
    # --- lookups and what callers type ------------------------------------------------------------------
    "RD140": (ERROR, "unknown lookup", "nothing would be known of the caller"),
    "RD141": (ERROR, "not an address for a lookup", "the lookup would fail every time"),
    "RD142": (ERROR, "sensitive value in an address", "a secret would stand in other servers' logs"),
    "RD143": (WARNING, "lookup in clear", "whoever listens on the network could read it"),
    "RD144": (ERROR, "answer to a secret would be kept", "a secret that was changed would still open"),
    "RD145": (ERROR, "lookup that cannot verify", "no caller would get in"),
    "RD146": (ERROR, "PIN that is not sensitive", "the secret would be stored in clear"),
    "RD147": (ERROR, "pattern not understood", "nothing that the caller types would be right"),
    "RD156": (ERROR, "not the address of a recording", "the caller would hear nothing of it, every time"),
    # --- people -----------------------------------------------------------------------------------------
    "RD160": (ERROR, "announcement with values", "the caller would hear a gap"),
    "RD161": (ERROR, "key that nobody is told of", "the caller could not refuse to be recorded"),
    "RD162": (ERROR, "announcement that is never heard", "the caller would not be told"),
    "RD163": (ERROR, "unknown survey", "the caller would be asked nothing"),
    "RD164": (ERROR, "transfer to nobody, or to two kinds at once", "the caller would go nowhere"),
    "RD165": (ERROR, "dial without targets, or with two lists of them", "nobody would ring"),
    "RD166": (ERROR, "no place to park in", "the caller could not be parked"),
    # --- messages -------------------------------------------------------------------------------------
    "RD180": (ERROR, "unknown box", "the caller could leave no message"),
    "RD181": (WARNING, "box that nobody hears", "the message would wait for nobody"),
    "RD182": (ERROR, "number of a box twice", "one of the two could not be opened by phone"),
    "RD183": (ERROR, "mail without a server", "nobody would be told of the message"),
    "RD184": (ERROR, "password in clear on the wire", "whoever listens can send in your name"),
    "RD185": (ERROR, "prompt that cannot be recorded by phone", "whoever records it would be refused"),
    # --- legal, and bad for a caller ------------------------------------------------------------------------
    "RD200": (WARNING, "no path to a person", "the caller could not reach anybody, whatever he does"),
    "RD201": (WARNING, "wait without an end", "the caller would wait for hours"),
    "RD202": (WARNING, "closed without a word", "the caller would be cut off and not know why"),
    "RD203": (WARNING, "more people than a caller may be given", "the caller would be refused who was promised to him"),
    # --- waivers --------------------------------------------------------------------------------------------
    "RD210": (ERROR, "waiver that cannot be", "the finding would still be told"),
    "RD211": (ERROR, "waiver without a reason", "nobody would know why it was borne with"),
    "RD212": (WARNING, "waiver that waives nothing", "the next mistake of this kind would be hidden"),
    # --- tests ----------------------------------------------------------------------------------------
    "RD230": (ERROR, "not a line of a test", ""),
    "RD231": (ERROR, "test that can't be followed", ""),
    "RD232": (ERROR, "time that a clock change skips or repeats", ""),
    "RD233": (ERROR, "given what the site hasn't", ""),
    "RD234": (ERROR, "number that nobody outside reaches", ""),
    # --- recordings -----------------------------------------------------------------------------------
    "RD240": (WARNING, "recording clipped", "the caller would hear it crackle"),
    "RD241": (WARNING, "recording silent", "the caller would hear silence"),
    "RD242": (WARNING, "two recordings of one prompt", "the caller would hear only one of them"),
    "RD243": (WARNING, "prompt that nothing plays", "what was recorded for callers would be heard by nobody"),
    "RD244": (ERROR, "utterances kept without leave or end", "a caller's voice would be kept against his will"),
    "RD245": (ERROR, "sound of a secret", "a secret would be kept in the caller's own voice"),
    "RD246": (ERROR, "utterances where nobody listens", "what was to be learnt from would not be kept"),
    # --- who may switch what -----------------------------------------------------------------------
    "RD260": (ERROR, "unknown calendar or notice", "the code on his phone would do nothing"),
    # --- what callers say ----------------------------------------------------------------------------
    "RD280": (ERROR, "phrase not understood", "nobody could say it"),
    "RD281": (ERROR, "words that mean two things", "the caller would be sent one way or the other by chance"),
    "RD282": (WARNING, "choice that can't be said", "the caller could only press its key"),
    "RD283": (ERROR, "no person behind the words", "who asks for somebody would not be heard"),
    "RD284": (ERROR, "value that can't be said", "the caller would speak in vain"),
    "RD285": (ERROR, "slot without a question", "who leaves it out would be asked nothing"),
    "RD286": (ERROR, "unknown slot", "the sentence could never be said"),
    "RD287": (ERROR, "unknown grammar", "nobody would be understood there"),
    "RD288": (ERROR, "grammar that doesn't fit", "what the caller says would mean nothing here"),
    "RD289": (ERROR, "option for words where nobody listens", "the setting would do nothing"),
    "RD290": (ERROR, "pronunciation not understood", "whoever says the word would not be understood"),
    "RD291": (ERROR, "secret that would be spoken", "others around the caller would hear it"),
    "RD292": (ERROR, "list that can't be listened for", "the caller would speak in vain"),
    # --- bots -----------------------------------------------------------------------------------------
    "RD300": (ERROR, "not the address of a bot", "the caller would never reach it"),
    "RD301": (ERROR, "bot in clear", "whoever listens on the network would hear the caller, and could be the bot"),
    "RD302": (ERROR, "not the name of a secret", "the bot could not tell us from anybody else"),
    "RD303": (ERROR, "fork with a way", "the caller would never go there"),
    "RD304": (WARNING, "bot without a person", "the caller could not reach anybody, whatever he says"),
    # --- what callers say, and tests of it ----------------------------------------------------------
    "RD310": (WARNING, "word that no dictionary has", "whoever says it would perhaps not be understood"),
    "RD311": (WARNING, "phrases that sound alike", "callers would be taken to mean the other one"),
    "RD312": (WARNING, "phrase of one syllable", "noise would be taken for it, and callers missed"),
    "RD313": (WARNING, "command that is a value too", "callers would get the one when they mean the other"),
    "RD314": (WARNING, "more choices than callers keep in mind", "they would ask again, or for a person"),
    "RD315": (WARNING, "phrases taken for each other", "callers are taken to mean the other one"),
    "RD317": (ERROR, "not an utterance of a speech corpus", ""),
    "RD318": (ERROR, "utterance where nothing listens", ""),
    "RD319": (ERROR, "expected what cannot be understood there", ""),
    # --- recognisers -------------------------------------------------------------------------------
    "RD320": (ERROR, "unknown recogniser", "what callers say would not be understood"),
    "RD321": (ERROR, "no model for the language", "what callers say would not be understood"),
    "RD322": (WARNING, "recogniser for nobody", "what it would understand is never said"),
    "RD323": (ERROR, "not the address of a recogniser", "what callers say would not be understood"),
    "RD324": (ERROR, "no model in the folder", "what callers say would not be understood"),
    "RD325": (WARNING, "nobody stands in for the recogniser", "callers would have to press keys while it is away"),
    # --- voices ------------------------------------------------------------------------------------
    "RD330": (ERROR, "unknown synthesiser", "what nobody has recorded would not be spoken"),
    "RD331": (WARNING, "voice for nobody", "what it says would never be heard"),
    "RD332": (ERROR, "command that can't speak", "what nobody has recorded would not be spoken"),
    "RD333": (WARNING, "voice that isn't installed here", "what nobody has recorded would not be spoken"),
    # --- TLS ---------------------------------------------------------------------------------------
    "RD340": (ERROR, "TLS without a certificate", "nobody could connect there"),
    "RD341": (ERROR, "certificate or key that can't be used", "nobody could connect with TLS"),
    "RD342": (WARNING, "certificate that is over, or soon", "phones and trunks would refuse to connect"),
    "RD343": (WARNING, "certificate for other names", "phones that look at it would refuse to connect"),
    "RD344": (WARNING, "private key that others can read", "whoever copies it could play the engine"),
    # --- encrypted media ------------------------------------------------------------------------------
    "RD345": (WARNING, "keys that travel readable", "who reads the signalling could listen all the same"),
    # --- ways out -------------------------------------------------------------------------------------
    "RD350": (ERROR, "trunk twice in a rule", "nobody could say how often it is tried"),
    "RD351": (WARNING, "trunk that nobody probes", "when it dies, every call would wait for it first"),
    # --- codecs ------------------------------------------------------------------------------------
    "RD352": (WARNING, "codecs without G.711", "carriers and gateways would have no codec in common with us"),
    # --- numbers and going out ---------------------------------------------------------------------
    "RD360": (ERROR, "country whose numbers are not known", "callers' numbers would stay as the carrier writes them"),
    "RD361": (ERROR, "ways out, and none for emergencies", "who dials for help would reach nobody"),
    "RD362": (ERROR, "emergency number of the site's own", "who dials for help would reach somebody else"),
    "RD363": (ERROR, "unknown class of service", "nobody could say what the agent may dial"),
    "RD364": (ERROR, "box that registers, and an address", "nobody could say where its calls come from"),
    "RD365": (ERROR, "account of two", "calls would be taken for the other's"),
    "RD366": (ERROR, "way to us that a phone can't take", "the phone would never register"),
    "RD367": (WARNING, "encryption that a box's file can't turn on", "its calls would be refused until it is by hand"),
    "RD368": (ERROR, "list for an address nobody listens on", "whoever it shall keep out would be heard"),
    "RD369": (ERROR, "network allowed and denied", "nobody could say who may come in"),
    "RD370": (ERROR, "fraud rule that limits nothing", "nobody would be told, and nothing stopped"),
    "RD371": (ERROR, "stops before it warns", "nobody would be told before calls are refused"),
    # --- agents over the bus -------------------------------------------------------------------------
    "RD372": (WARNING, "agents over a bus in clear", "who listens on the way could log agents out and in"),
    # --- boxes and phones --------------------------------------------------------------------------
    "RD380": (ERROR, "unknown profile", "the box would be taken for any other"),
    "RD381": (ERROR, "statement without a source", "nobody could say whether the box really does so"),
    "RD382": (ERROR, "not a MAC address, or twice", "the box would never get its configuration"),
    "RD383": (ERROR, "device of nobody, or of two", "the box would never get its configuration"),
    "RD384": (ERROR, "profile of another kind of box", "the box would be taken for what it isn't"),
    "RD385": (ERROR, "device that nothing is written for", "the box would never get its configuration"),
    "RD386": (ERROR, "unknown office", "who is there could not be told from who isn't"),
}

_FAULTS = {
    "syntax": "RD001",
    "encoding": "RD002",
    "size": "RD002",
    "tab": "RD003",
    "vanished": "RD004",
    "star": "RD005",
    "anchor": "RD006",
    "merge": "RD007",
    "tag": "RD008",
    "duplicate": "RD009",
    "key": "RD010",
    "documents": "RD011",
    "directive": "RD012",
    "empty": "RD013",
    "flow": "RD014",
    "depth": "RD014",
    "multiline": "RD015",
    "expression": "RD016",
}


class Report:
    """Collects findings while a site is read. At most `findings_max`; `errors` counts the refusing ones."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.errors = 0
        self.seen: dict[tuple[str, str, int, int], None] = {}

    def add(
        self, code: str, node: marks.Node, message: str, suggestion: str = "", *, at: int = 0, width: int = 0
    ) -> None:
        """Report `code` at `node`; `at` moves the caret by so many columns (inside an expression)."""
        self.put(code, node.file, node.line, node.column + at, message, suggestion, width or node.width)

    def put(
        self, code: str, file: str, line: int, column: int, message: str, suggestion: str = "", width: int = 1
    ) -> None:
        severity, _, suffers = CODES[code]
        if severity == ERROR:
            self.errors += 1
        key = (code, file, line, column)
        if key in self.seen or len(self.findings) >= findings_max:
            return
        self.seen[key] = None
        self.findings.append(
            Finding(code, severity, file, line, column, message, suggestion, suffers=suffers, width=width)
        )

    def fault(self, fault: marks.Fault) -> None:
        code = _FAULTS[fault.kind]
        self.put(code, fault.file, fault.line, fault.column, fault.message, fault.suggestion, fault.width)

    def finished(self, files: Mapping[str, object]) -> list[Finding]:
        """The findings in file order, each with its snippet."""
        ordered = sorted(self.findings, key=lambda each: (each.file, each.line, each.column, each.code))
        lines: dict[str, list[str]] = {}
        done = []
        for finding in ordered:
            content = files.get(finding.file)
            if finding.file not in lines:
                text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
                lines[finding.file] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            done.append(msgspec.structs.replace(finding, snippet=_snippet(finding, lines[finding.file])))
        return done


def nearest(word: str, known: Iterable[str]) -> str:
    """The nearest good spelling, or ''."""
    candidates = list(known)
    folded = {each.lower(): each for each in reversed(candidates)}
    close = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """A suggestion naming the nearest good spelling, or the whole choice when it is short."""
    candidates = list(known)
    close = nearest(word, candidates)
    if close:
        return f"did you mean {close!r}?"
    if candidates and len(candidates) <= 12:
        return "known here: " + ", ".join(candidates)
    return otherwise


def _snippet(finding: Finding, lines: list[str]) -> str:
    if not 0 < finding.line <= len(lines):
        return ""
    line = lines[finding.line - 1]
    start = min(finding.column - 1, len(line))
    first = max(0, start - 60)
    shown = line[first : first + 110]
    # wide characters take two cells, so the caret's indentation is measured in cells
    lead = "".join("  " if ord(letter) > 0x2E7F else " " for letter in shown[: start - first])
    covered = shown[start - first : start - first + finding.width]
    carets = "".join("^^" if ord(letter) > 0x2E7F else "^" for letter in covered) or "^"
    return f"{shown}\n{lead}{carets}"


def render(finding: Finding, files: Mapping[str, object] | None = None) -> str:
    """A finding as text for a terminal: place, code, message, the line with a caret, the remedy.

    `files` (path -> bytes) serves a finding that carries no snippet yet.
    """
    snippet = finding.snippet
    if not snippet and files is not None:
        content = files.get(finding.file)
        if isinstance(content, bytes):
            snippet = _snippet(finding, content.decode("utf-8", "replace").split("\n"))
    head = f"{finding.file}:{finding.line}:{finding.column}: {finding.severity} {finding.code}: {finding.message}"
    parts = [head]
    parts.extend(f"    {line}" for line in snippet.split("\n") if snippet)
    if finding.suggestion:
        parts.append(f"    = {finding.suggestion}")
    if finding.suffers:
        parts.append(f"    otherwise {finding.suffers}")
    if finding.hear:
        parts.append(f"    to hear it: {finding.hear}")
    if finding.waived:
        parts.append(f"    waived: {finding.waived}")
    return "\n".join(parts)
