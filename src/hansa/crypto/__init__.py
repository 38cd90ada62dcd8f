"""Hashes, signature suites and Merkle trees: the only place that touches a cryptography library."""
