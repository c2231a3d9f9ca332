"""The API's own document: OpenAPI 3.1, made of the routes and what their responders declare.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""
