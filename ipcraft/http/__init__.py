"""The request's way: identity, bodies in, answers and errors out."""
