"""A provider of our own, to try and test the panel against.

It speaks the seed's API over real sockets, keeps its own books, moves orders along by a clock that tests can
advance, fails on demand, and writes down what it really did. Standard library only, and nothing of the panel is
imported: what is tested and what tests it must not share a mistake.
"""
