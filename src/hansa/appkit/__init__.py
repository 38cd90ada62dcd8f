"""The words with which an application describes itself once; REST, CLI, schemas and pages derive
from them.
"""
