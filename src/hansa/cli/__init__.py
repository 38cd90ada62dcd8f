"""The command line: one module per noun, started by `main.py`.

May import everything below it; modules load when their command runs, so that help is instant.
"""
