"""The media plane as columns and kernels: one row per leg, commands in, events out, no I/O (DESIGN §2)."""
