"""Words that mean the same wherever a call listens: a person, say it again, help; and yes, no, "no, Tuesday".

Phrases in the notation of `speech.notation`, per language. A dialplan adds its own under `phrases:`.
"""

from __future__ import annotations

PERSON, AGAIN, HELP, YES, NO = "person", "again", "help", "yes", "no"
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        PERSON: (
            "(agent|operator|representative|receptionist)",
            "[(a|real|a real|an actual)] (person|human|human being)",
            "(speak|talk) (to|with) (a person|a human|someone|somebody|an agent|an operator|a representative)",
            "(customer service|customer services|somebody else|someone else)",
        ),
        AGAIN: (
            "repeat [(that|it|the question|the options)]", "[say (it|that)] again", "say again",
            "(what was that|what did you say|pardon|pardon me|one more time)",
        ),
        HELP: ("help", "help me", "(what can i say|what are my options|what are the options)"),
        YES: (
            "(yes|yeah|yep|yup|sure|correct|right|exactly|okay)",
            "yes (please|it is|that's right|that's correct|correct|exactly)",
            "(that's|that is) (right|correct|it)",
        ),
        NO: (
            "(no|nope|nah|wrong|incorrect)", "no (thanks|thank you|it isn't|it's not|that's wrong|that's not right)",
            "(that's|that is) (wrong|not right|not correct|not it|incorrect)", "not (right|correct|that)",
        ),
    },
    "zh": {
        PERSON: ("(人工|客服|接线员)", "(转|找|要) (人工|客服)", "人工 (客服|服务)"),
        AGAIN: ("再说一遍", "(重复|重听|再来一次)"),
        HELP: ("帮助", "(我可以说什么|有什么选择)"),
        YES: ("(是|是的|对|对的|没错|正确|好|好的)",),
        NO: ("(不|不是|不对|错了|不是的)",),
    },
}  # fmt: skip
# what may stand before the right value when the one that was understood is wrong
CORRECTING = {
    "en": "[no] [(i said|i meant|i mean|it's|it is|make it|make that|not that)]",
    "zh": "[不] [(是|不是|我说的是|应该是|改成)]",
}


def base(language: str) -> str:
    """`en` of `en-GB`."""
    return language.replace("_", "-").partition("-")[0].lower()


def words(language: str, what: str) -> tuple[str, ...]:
    """The phrases of a language for one of the meanings; () for a language that has none here."""
    return WORDS.get(base(language), {}).get(what, ())


def correcting(language: str, phrase: str) -> str:
    """A phrase by which somebody puts right what was misunderstood: `no, Tuesday`, `it's Tuesday`, `Tuesday`."""
    return f"{CORRECTING.get(base(language), '')} {phrase}".strip()
