"""The console: the league's face for people, server-rendered (D13). A client of the API.

Imports nothing of api, node, index or vault: it sees what its visitor's session may see at the API,
nothing more. Its shell is read from `application`, its pages from `pages`.
"""
