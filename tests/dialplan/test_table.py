"""The table of verbs is whole."""

from __future__ import annotations

from engine.dialplan.interpreter import BEGIN, ROWS
from engine.dialplan.linker import RULES
from engine.dialplan.verbs.declared_decide import ROUND
from engine.dialplan.verbs.declared_listen import ASKED
from engine.dialplan.verbs.shape import STRUCTURE
from engine.dialplan.verbs.table import LATER, OPTIONS_LATER, VERBS


def test_every_verb_has_a_beginning_and_its_rows_fit() -> None:
    assert set(BEGIN) == {*VERBS, ROUND.name, ASKED.name}
    waiting = {verb.name for verb in VERBS.values() if verb.waits}
    assert {verb for verb, _ in ROWS} == {*waiting, ASKED.name}


def test_main_options_exist_and_nothing_is_both_built_and_for_later() -> None:
    for name, verb in VERBS.items():
        assert name == verb.name
        assert not verb.main or verb.main in verb.options
        assert not verb.main_digits or verb.main_digits in verb.options
        assert verb.bare or verb.options
        assert not set(verb.options) & set(verb.outcomes)
        for option in verb.options.values():
            assert option.kind in {*RULES, *STRUCTURE}
            assert option.low <= option.high
            assert (option.high > 0) == (option.kind in ("duration", "count"))
    assert not set(LATER) & set(VERBS)
    for name, options in OPTIONS_LATER.items():
        assert not set(options) & set(VERBS[name].options)
