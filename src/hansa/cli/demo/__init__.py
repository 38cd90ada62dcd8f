"""`hansa demo`: a league that issues, refuses and proves real invoices, told step by step.

`stage.py` runs the public commands; `story.py` and `network_story.py` are what is shown;
`papers.py` the documents.
"""

from hansa.cli.demo.command import command

__all__ = ["command"]
