"""The tests of ipcraft-oidc."""
