"""Forms derived from what an application says of itself: `shape` (a type's fields), `entry` (what
was typed, read into a message), `control` (what a page shows), `rows` (lists). Pure.
"""
