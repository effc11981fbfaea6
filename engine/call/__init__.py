"""The room that knows all the nouns: legs, bridges, calls, dialling, agents and trunks, joined into one machine."""
