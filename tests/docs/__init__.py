"""The documentation is true: complete where it lists, and it works where it shows.

``pages.py`` reads the pages; the tests compare them with the code.
"""
