"""Answers that are kept, so that a request which is sent again has its first answer again."""
