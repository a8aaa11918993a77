"""What a user would pick instead: each scores the same events with the same model.

A peer is one file, ``python -m bench.peers.<name> BROKERS GROUP SOURCE SINK MODEL``, and runs until
SIGTERM. Those with a file in ``requirements`` have an environment of their own: see
``environments``.
"""
