"""Ringdown: a telephony IVR and ACD engine. `engine` is the import package of the distribution `ringdown`."""

__version__ = "0.1.0"
