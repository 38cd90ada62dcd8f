"""A whole league in one thread under simulated time, hunted by seed: `SimulatedNetwork`.

What is real, what is played, what is checked and what is left to other tests: docs/simulation.md.
"""
