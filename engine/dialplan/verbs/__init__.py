"""The verbs: `table` says how each is written, the other modules what it does."""
