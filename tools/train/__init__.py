"""The trainer of the shipped speech models: corpus, noises, network, export, evaluation; see README.md."""
