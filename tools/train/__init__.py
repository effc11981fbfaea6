"""The trainer of the shipped speech models: corpus, noises, network, export, evaluation. README.md says how to run it."""
