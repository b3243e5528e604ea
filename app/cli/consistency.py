"""What `teahouse check` looks at: whether the rows say one thing, in one snapshot of the database."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.cli.findings import Finding

Connection = Any
SHOWN = 3  # ids; whoever wants them all asks the database
RESTORE = "teahouse restore FILE, with the newest backup that passes"
RESTART = "Restart the server: what nobody runs is taken up at a start. If it stays: "

# Each finds ids that should not be there: code, what is said of them, what to do, query.
_ROWS: Sequence[tuple[str, str, str, str]] = (
    (
        "lost_parent",
        "messages hang on one that is not there",
        RESTORE,
        "SELECT m.id FROM messages m WHERE m.parent_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = m.parent_id)",
    ),
    (
        "foreign_parent",
        "messages hang on one of another conversation",
        RESTORE,
        "SELECT m.id FROM messages m JOIN messages p ON p.id = m.parent_id"
        " WHERE p.conversation_id <> m.conversation_id",
    ),
    (
        "wrong_turn",
        "answers follow no question, or questions one another",
        RESTORE,
        "SELECT m.id FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
        " WHERE m.role = 'assistant' AND coalesce(p.role, '') <> 'user' OR m.role = 'user' AND p.role = 'user'",
    ),
    (
        "mixed_siblings",
        "messages have children of different roles",
        RESTORE,
        "SELECT parent_id FROM messages WHERE parent_id IS NOT NULL"
        " GROUP BY conversation_id, parent_id HAVING count(DISTINCT role) > 1",
    ),
    (
        "lost_head",
        "conversations show a branch that is not there, or none though they have messages",
        "Open them and choose a branch; or " + RESTORE,
        "SELECT c.id FROM conversations c WHERE c.head_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.head_id AND m.conversation_id = c.id)"
        " OR c.head_id IS NULL AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)",
    ),
    (
        "unwritten_answer",
        "answers are being written by no job",
        RESTART + RESTORE,
        "SELECT m.id FROM messages m LEFT JOIN jobs j ON j.id = m.job_id"
        " WHERE m.status = 'generating' AND (j.id IS NULL OR j.status NOT IN ('queued', 'running'))",
    ),
    (
        "unasked_job",
        "jobs write an answer that has ended already",
        RESTART + RESTORE,
        "SELECT j.id FROM jobs j JOIN messages m ON m.id = j.message_id"
        " WHERE j.status IN ('queued', 'running') AND j.kind = 'answer' AND m.status <> 'generating'",
    ),
    (
        "stuck_sequence",
        "jobs wait behind one that is not there",
        RESTORE,
        "SELECT j.id FROM jobs j WHERE j.status = 'queued' AND j.blocked = 1 AND NOT EXISTS (SELECT 1 FROM jobs o"
        " WHERE o.sequence_key = j.sequence_key AND (o.status = 'running' OR o.status = 'queued' AND o.blocked = 0))",
    ),
    (
        "queue_count",
        "users have another number of jobs waiting than is counted",
        RESTART,
        "SELECT user_id FROM (SELECT user_id, queue, priority, jobs FROM waiting_users"
        " UNION ALL SELECT user_id, queue, priority, moved FROM queue_moves"
        " UNION ALL SELECT user_id, queue, priority, -1 FROM jobs WHERE status = 'queued') AS counted"
        " GROUP BY user_id, queue, priority HAVING sum(jobs) <> 0",
    ),
    (
        "event_count",
        "jobs have another number of events than they say, or a gap among them",
        RESTORE,
        "SELECT j.id FROM jobs j LEFT JOIN (SELECT job_id, count(*) AS n, max(seq) AS last, min(seq) AS first"
        " FROM job_events GROUP BY job_id) e ON e.job_id = j.id"
        " WHERE j.folded = 0"
        " AND (coalesce(e.last, 0) <> j.last_event_id OR e.last - e.first + 1 <> e.n OR e.first > 1)",
    ),
    (
        "two_ends",
        "jobs have ended more than once, or without saying so",
        RESTORE,
        "SELECT j.id FROM jobs j LEFT JOIN (SELECT job_id, count(*) AS n FROM job_events WHERE event = 'done'"
        " GROUP BY job_id) e ON e.job_id = j.id WHERE j.folded = 0"
        " AND coalesce(e.n, 0) <> CASE WHEN j.status IN ('succeeded', 'failed', 'cancelled') THEN 1 ELSE 0 END",
    ),
    (
        "unfolded_log",
        "jobs keep a log that is in their message already",
        "They only take room: " + RESTORE,
        "SELECT DISTINCT j.id FROM jobs j JOIN job_events e ON e.job_id = j.id WHERE j.folded = 1",
    ),
    (
        "no_administrator",
        "users, and nobody among them administers",
        "teahouse admin create-user NAME --email ADDRESS --admin",
        "SELECT id FROM users WHERE NOT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL)",
    ),
)


def pages(connection: Connection) -> Iterator[Finding]:
    """SQLite's own look at every page, and at every entry of every index, those for searching text, too."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if found:
        yield Finding("damaged_pages", "error", "; ".join(found[:SHOWN]), RESTORE)


def references(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute("PRAGMA foreign_key_check").fetchall()
    for table, group in groupby(sorted(rows, key=lambda row: str(row[0])), key=itemgetter(0)):
        lost = list(group)
        text = f"{_many(lost, table)}: rows point to what is not there: {_some([f'row {row[1]}' for row in lost])}"
        yield Finding("lost_reference", "error", text, RESTORE)


def rows(connection: Connection) -> Iterator[Finding]:
    for code, said, fix, query in _ROWS:
        ids = [row[0] for row in connection.execute(query)]
        if ids:
            yield Finding(code, "error", f"{len(ids)} {said}: {_some(ids)}", fix)


def circles(connection: Connection) -> Iterator[Finding]:
    """Messages from which no way leads up to a root."""
    caught: list[str] = []
    tree = connection.execute("SELECT conversation_id, id, parent_id FROM messages ORDER BY conversation_id")
    for _, group in groupby(tree, key=itemgetter(0)):
        parents = {message_id: parent_id for _, message_id, parent_id in group}
        rooted: set[str] = set()
        for message_id in parents:
            way: dict[str, None] = {}
            here: str | None = message_id
            while here is not None and here in parents and here not in rooted and here not in way:
                way[here] = None
                here = parents[here]
            if here is not None and here in way:
                caught.append(here)
            rooted.update(way)
    if caught:
        yield Finding("circle", "error", f"{len(caught)} messages come after themselves: {_some(caught)}", RESTORE)


LOOKS: Sequence[Callable[[Connection], Iterator[Finding]]] = (rows, circles)
SQLITE_LOOKS: Sequence[Callable[[Connection], Iterator[Finding]]] = (pages, references)  # PostgreSQL refuses such rows


def _many(found: Sequence[Any], table: str) -> str:
    return f"{len(found)} of {table}"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(map(str, ids[:SHOWN])) + (" …" if len(ids) > SHOWN else "")
