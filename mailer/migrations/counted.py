"""Triggers that keep `notice_counts` equal to the notices and agreements, so that no page counts a million rows.

SQLite, where one writes at a time, keeps one row a cell. PostgreSQL adds a row of differences a statement: nobody waits
for another's cell, and whoever reads adds them up.
"""

# ruff: noqa: S608  what stands in these statements are names of ours

from __future__ import annotations

from sqlalchemy import Connection

CELL = ("version_id", "what", "via", "reason", "notified_on", "respond_by_on", "binding_on", "since")
REFUSED = "the mail server refused the mail"
WITHHELD = "'erased', 'dead_address', 'no_address', 'suppressed', 'closed', 'cancelled'"
_REASON = (
    "CASE WHEN {row}.state <> 'unreached' THEN '' "
    f"WHEN {{row}}.why IN ({WITHHELD}) THEN {{row}}.why WHEN {{row}}.why = '{REFUSED}' THEN 'refused' "
    "ELSE 'bounced' END"
)
# by the quarter of an hour, of which every time zone in use is a whole number away from UTC
_QUARTER = {
    "sqlite": "substr({at}, 1, 14) || printf('%02d', CAST(substr({at}, 15, 2) AS INTEGER) / 15 * 15) || ':00.000000'",
    "postgresql": "date_trunc('hour', {at}) + interval '15 minutes' * floor(extract(minute FROM {at}) / 15)",
}
_NO_DAYS = ("NULL", "NULL", "NULL")
_TYPES = ("text", "text", "text", "text", "date", "date", "date", "timestamptz")
AGREEMENTS = {"deemed_agreements": "deemed", "express_agreements": "agreed"}


def start(connection: Connection) -> None:
    """Count what stands, and from now on whatever comes, changes or goes."""
    dialect = connection.dialect.name
    for table, cell in _cells("it", dialect).items():
        _run(
            connection,
            f"INSERT INTO notice_counts ({', '.join(CELL)}, n) SELECT {_typed(cell, dialect)}, count(*) "
            f"FROM {table} AS it GROUP BY {', '.join(str(place) for place in range(1, len(CELL) + 1))}",
        )
        for verb in ("INSERT", "UPDATE", "DELETE") if table == "notices" else ("INSERT",):
            (_count_by_statement if dialect == "postgresql" else _count_by_row)(connection, table, verb)


def _cells(row: str, dialect: str) -> dict[str, tuple[str, ...]]:
    """What cell a row of each table is counted in, as SQL over the row called `row`."""
    since = _QUARTER[dialect].format(at=f"{row}.updated_at")
    found = {
        "notices": (
            *(f"{row}.{name}" for name in ("version_id", "state", "via")),
            _REASON.format(row=row),
            *(f"{row}.{name}" for name in ("notified_on", "respond_by_on", "binding_on")),
            f"CASE WHEN {row}.state IN ('unreached', 'ended') THEN {since} END",
        )
    }
    for table, what in AGREEMENTS.items():
        since = _QUARTER[dialect].format(at=f"{row}.at")
        found[table] = (f"{row}.version_id", f"'{what}'", "''", "''", *_NO_DAYS, since)
    return found


def _count_by_row(connection: Connection, table: str, verb: str) -> None:
    gone, came = _cells("OLD", "sqlite")[table], _cells("NEW", "sqlite")[table]
    body, condition = "", ""
    if verb != "INSERT":
        body += f"UPDATE notice_counts SET n = n - 1 WHERE {_is(gone)}; "
    if verb != "DELETE":
        body += f"UPDATE notice_counts SET n = n + 1 WHERE {_is(came)}; "
        body += f"INSERT INTO notice_counts ({', '.join(CELL)}, n) SELECT {', '.join(came)}, 1 WHERE changes() = 0; "
    if verb == "UPDATE":
        condition = "WHEN " + " OR ".join(f"({a}) IS NOT ({b})" for a, b in zip(gone, came, strict=True))
    _run(
        connection, f"CREATE TRIGGER {table}_counted_{verb.lower()} AFTER {verb} ON {table} {condition} BEGIN {body}END"
    )


def _is(cell: tuple[str, ...]) -> str:
    return " AND ".join(f"{name} IS {value}" for name, value in zip(CELL, cell, strict=True))


def _count_by_statement(connection: Connection, table: str, verb: str) -> None:
    sides, seen = [], []
    if verb != "INSERT":
        sides.append(f"SELECT {_typed(_cells('gone', 'postgresql')[table], 'postgresql')}, -1 FROM gone")
        seen.append("OLD TABLE AS gone")
    if verb != "DELETE":
        sides.append(f"SELECT {_typed(_cells('came', 'postgresql')[table], 'postgresql')}, 1 FROM came")
        seen.append("NEW TABLE AS came")
    cell, name = ", ".join(CELL), f"{table}_counted_{verb.lower()}"
    _run(
        connection,
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO notice_counts ({cell}, n) SELECT {cell}, sum(d) FROM ({' UNION ALL '.join(sides)}) "
        f"AS moved ({cell}, d) GROUP BY {cell} HAVING sum(d) <> 0; RETURN NULL; END $$",
    )
    _run(
        connection,
        f"CREATE TRIGGER {name} AFTER {verb} ON {table} REFERENCING {' '.join(seen)} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
    )


def _typed(cell: tuple[str, ...], dialect: str) -> str:
    if dialect == "sqlite":
        return ", ".join(cell)
    return ", ".join(f"CAST({value} AS {kind})" for value, kind in zip(cell, _TYPES, strict=True))


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement)
