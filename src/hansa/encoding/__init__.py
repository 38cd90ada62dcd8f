"""Bytes in, bytes out: the one canonical encoding and strict text forms. May import primitives
only.
"""
