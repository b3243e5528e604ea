"""Replies of a model server that means harm, by the names of tests/model_server/faults.py."""

# Instead of an answer, or in the middle of one.
STREAMS = (
    "newlines_after:2:3000000",
    "gzip",
    "long_line_after:2:20000000",
    "types_after:1:object",
    "counts:18446744073709551616:-5",
    "long_reason:500000",
    "headers:2000",
    "endless_after:2",
    "thinks_after:2",
)
# Instead of the list of models.
LISTS = (
    "names:100000",
    "packed_names:100000",
    "one_item:5000000",
    "json:5000000",
    "deep:100000",
    "gzip",
    "headers:2000",
)
