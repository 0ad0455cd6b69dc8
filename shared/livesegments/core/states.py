"""In which form profiles are stored.

A partition's head has the number, and so has a checkpoint. What has another one is never read: it is made
anew.
"""

STATES = 2
"""Whoever changes the form of a state (module `profile`), be it that of a single fact, raises it, unless
states of the form before it are read as well."""
