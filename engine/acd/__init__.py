"""Automatic call distribution: queues, entries, agents, offers. Knows ids, levels and milliseconds; never hears "SIP".

Events update columns; one `settle()` decides (DESIGN §4, laws 2, 4, 5). All numbers are integers.
"""
