"""A world with its own clock around the same `Switch` that serves calls: network, phones, media twin, faults, seeds.

It may not import `engine.runtime`, and needs no kernel: what a leg hears is known by name, not by samples.
"""
