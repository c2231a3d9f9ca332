"""Create the tables of imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import ExactText, protect

revision = "interchange_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("id", ExactText, primary_key=True),
        sa.Column("files", ExactText, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("choices", ExactText, nullable=False),
        sa.Column("state", ExactText, nullable=False),
        sa.Column("run", sa.Boolean(), nullable=False),
        sa.Column("skip_bad_rows", sa.Boolean(), nullable=False),
        sa.Column("phase", ExactText),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("summary", ExactText),
        sa.Column("reason", ExactText),
        sa.Column("user_id", ExactText),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
    )
    protect(op, "imports")
    op.create_table(
        "import_pieces",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("import_id", ExactText, primary_key=True),
        sa.Column("file", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    protect(op, "import_pieces")
    op.create_table(
        "import_reports",
        sa.Column("organization_id", ExactText, primary_key=True),
        sa.Column("import_id", ExactText, primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    protect(op, "import_reports")
