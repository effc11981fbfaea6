"""What the interop tests stand on: the engine as a child process, real peers, scripted phones, and ears.

Nothing here imports `engine/`: the engine is seen from outside, by its command line, its wire and its files.
Every process that a test starts is ended by its own process group, within a bounded time.
"""
