"""The API's contract, asked of a served process on every storage backend.

`api-reference.txt` is the reference as customers read it; `reference` reads its examples.
"""
