"""The tables of imports: what was uploaded, how far it is, and what became of its rows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData

from ipcraft.plugin import ExactText, Seconds, tenant_table

metadata = MetaData()

imports = tenant_table(
    "imports",
    metadata,
    Column("id", ExactText, primary_key=True),
    # A JSON list of the files' names.
    Column("files", ExactText, nullable=False),
    Column("size", BigInteger, nullable=False),
    # What the user chose, as JSON.
    Column("choices", ExactText, nullable=False),
    Column("state", ExactText, nullable=False),
    # Whether it is to be run when nothing is refused, or whatever is.
    Column("run", Boolean, nullable=False),
    Column("skip_bad_rows", Boolean, nullable=False),
    Column("phase", ExactText),
    Column("done", BigInteger, nullable=False),
    # The report in short, as JSON.
    Column("summary", ExactText),
    Column("reason", ExactText),
    Column("user_id", ExactText),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Column("finished_at", Seconds),
)

import_pieces = tenant_table(
    "import_pieces",
    metadata,
    Column("import_id", ExactText, primary_key=True),
    Column("file", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""What was uploaded, until it is imported: each file in pieces, so that none is in memory."""

import_reports = tenant_table(
    "import_reports",
    metadata,
    Column("import_id", ExactText, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The rows of reports, a thousand together, packed; beside them how many came to what."""
